"""scripts/build-docs: what is generated is what stands there, and a document that is out of date is named."""
import importlib.machinery
import subprocess
import sys
import types
from pathlib import Path

import pytest

from econduit_terminal.contract.reason import Reason

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "build-docs"


@pytest.fixture
def build_docs() -> types.ModuleType:
    loader = importlib.machinery.SourceFileLoader("build_docs", str(SCRIPT))
    module = types.ModuleType(loader.name)
    loader.exec_module(module)
    return module


def test_the_documents_are_as_generated() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_reason_is_there_with_what_to_do() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for reason in Reason:
        assert f"| `{reason.words}` | {reason.happened} | {reason.support} |" in text


@pytest.mark.parametrize("name", ["OPERATIONS", "CERTIFICATION"])
def test_what_is_out_of_date_is_named_and_written(name: str, build_docs: types.ModuleType, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    right = getattr(build_docs, name).read_text()
    old = tmp_path / "old.md"
    old.write_text(right.replace("| what happened | what to do |", "| what happened |") if name == "OPERATIONS" else "")
    monkeypatch.setattr(build_docs, name, old)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check"])
    assert build_docs.main() == 1 and capsys.readouterr().err == f"{old} is out of date: run scripts/build-docs\n"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    assert build_docs.main() == 0 and old.read_text() == right
