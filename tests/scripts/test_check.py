"""scripts/check: what it says and when it is content; what ruff and mypy find is theirs."""
import importlib.util
import os
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def check(monkeypatch):
    """check(found): the script's exit status where ruff and mypy say this."""
    spec = importlib.util.spec_from_file_location("check_script", SCRIPTS / "_check.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(found):
        monkeypatch.setattr(script, "ruff", lambda: [line for line in found if "error:" not in line])
        monkeypatch.setattr(script, "mypy", lambda: [line for line in found if "error:" in line])
        return script.main()

    return run


FOUND = ["agent/a.py:1:1: F401 unused", "agent/a.py:2: error: untyped", "conf/b.py:3: error: untyped",
         "conf/b.py:3: note: see there", "Found 3 errors"]


def test_every_complaint_counts(check, capsys):
    assert check(FOUND) == 1
    assert capsys.readouterr().out.splitlines() == [*FOUND[:3], "3 complaints"]


def test_without_complaints(check, capsys):
    assert check(["All checks passed!"]) == 0
    assert capsys.readouterr().out == "0 complaints\n"


def test_it_can_be_run():
    assert os.access(SCRIPTS / "check", os.X_OK)
