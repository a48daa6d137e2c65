"""scripts/build-docs: what is generated is what stands there."""
import subprocess
import sys
from pathlib import Path

from econduit_terminal.contract.reason import Reason

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_documents_are_as_generated():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "build-docs", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_reason_is_there_with_what_to_do():
    text = (ROOT / "docs" / "operations.md").read_text()
    for reason in Reason:
        assert f"| `{reason.words}` | {reason.happened} | {reason.support} |" in text
