"""scripts/_environment.py: a script works with whatever Python calls it."""
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TAKING_OVER = sorted(script.name for script in SCRIPTS.iterdir()
                     if script.is_file() and not script.suffix and "import _environment" in script.read_text())


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="needs the virtual environment of scripts/test")
@pytest.mark.parametrize("script", TAKING_OVER)
def test_the_python_behind_the_environment_will_do(script: str) -> None:
    python: str = sys._base_executable      # type: ignore[attr-defined]  # not in typeshed
    done = subprocess.run([python, SCRIPTS / script, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.startswith("usage: ")


def test_every_script_that_needs_the_product_takes_over() -> None:
    """But for the one that a Debian package is built with."""
    needing = {script.name for script in SCRIPTS.iterdir() if script.is_file() and not script.suffix
               and "\nfrom econduit_terminal" in script.read_text()}
    assert needing - {"build-manuals"} <= set(TAKING_OVER)
