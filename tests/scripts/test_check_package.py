"""scripts/check-package: how it is called. What it runs takes minutes; tests/package tries much the same each time."""
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check-package"


@pytest.mark.parametrize("wrong", [["no-such-check"], ["--release", "sid"]])
def test_wrong_usage(wrong):
    done = subprocess.run([sys.executable, SCRIPT, *wrong], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("usage: check-package")


def test_help_names_the_tools():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert all(tool in done.stdout for tool in ("lintian", "piuparts", "autopkgtest"))
