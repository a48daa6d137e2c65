"""scripts/certify-mutants: how it says what became of a mutant; tests/certify runs them all."""
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.mark.timeout(240)
def test_a_mutant_that_is_quickly_caught():
    done = subprocess.run([sys.executable, SCRIPTS / "certify-mutants", "answers-in-lower-case"], capture_output=True,
                          text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "caught in C3.1 (FAIL)" in done.stdout and "1 mutants, 1 caught" in done.stdout


def test_a_mutant_that_is_none():
    done = subprocess.run([sys.executable, SCRIPTS / "certify-mutants", "nope"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 2 and "no such mutant: nope" in done.stderr
