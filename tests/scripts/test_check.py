"""scripts/check: what it says and when it is content; what ruff and mypy find is theirs."""
import importlib.util
import os
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def check(monkeypatch, tmp_path):
    """The script with a list of its own; check(found, *unchecked files, arguments=…) runs it on these complaints."""
    spec = importlib.util.spec_from_file_location("check_script", SCRIPTS / "_check.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(found, *unchecked, arguments=()):
        (tmp_path / "list").write_text("# a comment\n\n" + "\n".join(unchecked) + "\n")
        monkeypatch.setattr(script, "UNCHECKED", tmp_path / "list")
        monkeypatch.setattr(script, "ruff", lambda: [line for line in found if "error:" not in line])
        monkeypatch.setattr(script, "mypy", lambda: [line for line in found if "error:" in line])
        return script.main([*arguments])

    return run


FOUND = ["agent/a.py:1:1: F401 unused", "agent/a.py:2: error: untyped", "conf/b.py:3: error: untyped",
         "conf/b.py:3: note: see there", "Found 3 errors"]


def test_every_complaint_counts(check, capsys):
    assert check(FOUND) == 1
    assert capsys.readouterr().out.splitlines() == [*FOUND[:3], "3 complaints; 0 files are not checked yet"]


def test_files_on_the_list_are_passed_over(check, capsys):
    assert check(FOUND, "agent/a.py", "conf/b.py") == 0
    assert capsys.readouterr().out == "0 complaints; 2 files are not checked yet\n"


def test_with_all_the_list_is_passed_over(check, capsys):
    assert check(FOUND, "agent/a.py", "conf/b.py", arguments=["--all"]) == 1
    assert "3 complaints" in capsys.readouterr().out


def test_who_has_no_complaints_any_more_leaves_the_list(check, capsys):
    assert check(FOUND[:2], "agent/a.py", "conf/b.py") == 1
    assert "conf/b.py: has no complaints any more, strike it off" in capsys.readouterr().out


def test_it_is_struck_off_on_demand(check, tmp_path):
    assert check(FOUND[:2], "agent/a.py", "conf/b.py", arguments=["--strike"]) == 0
    assert (tmp_path / "list").read_text() == "# a comment\n\nagent/a.py\n"


def test_the_list_names_files_that_exist():
    text = (SCRIPTS.parent / "tests/unchecked.txt").read_text()
    listed = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert listed == sorted(set(listed))
    assert [file for file in listed if not (SCRIPTS.parent / file).is_file()] == []


def test_it_can_be_run():
    assert os.access(SCRIPTS / "check", os.X_OK)
