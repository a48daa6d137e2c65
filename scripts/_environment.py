"""Imported first by scripts in Python: they run with this clone's virtual environment, whoever calls them with which
Python, and find what lies beside them.

    import _environment  # noqa: F401

It is made ready where it is missing (scripts/_setup.sh). A test that loads a script as a module stays where it is.
"""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAKEN_OVER = "ECONDUIT_TAKEN_OVER"
TAKE_OVER = 'source "$0" && exec "$VENV/bin/python" "$@"'


def take_over() -> None:
    """The script that runs, once more, with the virtual environment's Python; returns where that is this one."""
    here = Path(os.environ.get("ECONDUIT_VENV") or ROOT / ".venv").absolute()
    program = Path(sys.argv[0]).resolve()
    if program.parent == ROOT / "scripts" and not (here.exists() and here.samefile(sys.prefix)):
        if os.environ.get(TAKEN_OVER) == str(os.getpid()):
            sys.exit(f"{here} is not a virtual environment: remove it, or set ECONDUIT_VENV")
        os.environ[TAKEN_OVER] = str(os.getpid())       # which stays the same
        os.execvp("bash", ["bash", "-c", TAKE_OVER, str(ROOT / "scripts/_setup.sh"), str(program), *sys.argv[1:]])


take_over()
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/support")]
