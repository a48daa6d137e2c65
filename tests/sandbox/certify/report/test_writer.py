"""Every report of a run in a directory, and how it is found again."""
import pytest

from econduit_terminal.sandbox.certify.report import writer


def test_it_is_read_back_from_each_place(made, tmp_path):
    found = made("FAIL", seen="caf\u00e9 \ud800")
    writer.write(found, tmp_path / "deep" / "out", None)
    out = tmp_path / "deep" / "out"
    assert sorted(path.name for path in out.iterdir()) == ["archive.zip", "junit.xml", "report.html", "result.json"]
    found = made("FAIL")
    writer.write(found, out, None)
    assert writer.load(out) == writer.load(out / "archive.zip") == writer.load(out / "result.json") == found


def test_what_is_none(tmp_path):
    (tmp_path / "result.json").write_text("[")
    with pytest.raises(ValueError, match="result.json"):
        writer.load(tmp_path)
    with pytest.raises(OSError):
        writer.load(tmp_path / "nothing")
