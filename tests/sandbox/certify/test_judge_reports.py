"""verify and compare, as commands."""
import pytest

from econduit_terminal.sandbox.certify.judge_reports import main
from econduit_terminal.sandbox.certify.options import PROGRAM, Wrong
from econduit_terminal.sandbox.certify.report import writer


def record(verdict):
    case = {"case": "2.9", "statements": ["2.6"], "title": "FIN", "verdict": verdict, "level": "MUST",
    "expected": "e", "seen": "s",
            "seconds": 1.0, "wire": []}
    return {"version": 1, "examiner": "e", "role": "terminal", "profile": "quick", "strict": False, "began": "2026",
    "seconds": 1,
            "note": "", "device": {}, "verdict": verdict, "cases": [case]}


def test_verify_and_compare(tmp_path, capsys):
    writer.write(record("PASS"), tmp_path / "a", None)
    writer.write(record("FAIL"), tmp_path / "b", None)
    assert main(PROGRAM.parse(["verify", str(tmp_path / "a")])) == 0
    assert "intact, not signed" in capsys.readouterr().out
    assert main(PROGRAM.parse(["compare", str(tmp_path / "a"), str(tmp_path / "b")])) == 1
    assert "worse 2.9   PASS → FAIL" in capsys.readouterr().out
    assert main(PROGRAM.parse(["compare", str(tmp_path / "b"), str(tmp_path / "a")])) == 0
    page = tmp_path / "b" / "report.html"
    page.write_text(page.read_text().replace("FAIL", "PASS"))
    assert main(PROGRAM.parse(["verify", str(tmp_path / "b")])) == 1
    assert "report.html is not the one in the archive" in capsys.readouterr().out
    assert main(PROGRAM.parse(["verify", str(tmp_path / "b" / "archive.zip")])) == 0
    (tmp_path / "least.json").write_text('{"version": 1, "cases": []}')
    assert main(PROGRAM.parse(["compare", str(tmp_path / "least.json"), str(tmp_path / "a")])) == 0
    writer.archive.pack({"result.json": (tmp_path / "least.json").read_bytes()}, tmp_path / "least.zip", None)
    assert main(PROGRAM.parse(["verify", str(tmp_path / "least.zip")])) == 0
    whole = (tmp_path / "a" / "archive.zip").read_bytes()
    (tmp_path / "a" / "archive.zip").write_bytes(whole[:-40])
    assert main(PROGRAM.parse(["verify", str(tmp_path / "a")])) == 1
    with pytest.raises(Wrong):
        main(PROGRAM.parse(["verify", str(tmp_path / "nothing")]))
