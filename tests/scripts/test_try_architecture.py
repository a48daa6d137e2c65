"""scripts/try-architecture: how it is called.

The emulated run takes many minutes and is started by hand: docs/benchmarks.md has its output."""
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "try-architecture"


@pytest.mark.parametrize("wrong", [[], ["amd64"], ["mips"], ["arm64", "--release", "sid"]])
def test_wrong_usage(wrong):
    done = subprocess.run([sys.executable, SCRIPT, *wrong], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("usage: try-architecture")


def test_help_says_what_it_does():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "qemu-user-static" in done.stdout
