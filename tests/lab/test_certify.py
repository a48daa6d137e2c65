"""econduit-certify self: our own terminal and our own sandbox cloud, examined in the laboratory, cables and all.

The whole of the terminal's part takes minutes: here are the cases that need a cable or a real network, and what
they rest on. `econduit-certify self` runs all of it.
"""
import json
import os
import subprocess
import sys

import pytest

from econduit_terminal.sandbox.lab.netlab import Lab, Unavailable

CASES = "3.1,3.2,3.4,3.5,3.6,2.9,2.10,4.6,5.1,5.3,5.4,6.1,6.2,6.3,7.1,7.2,7.5,7.6"


@pytest.fixture
def laboratory():
    try:
        with Lab() as lab:
            if lab.enter:
                pytest.skip("hooks pull cables as root only")
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.timeout(420)
@pytest.mark.parametrize("part, only", [("terminal", ["--only", CASES]), ("cloud", [])])
def test_ours_holds(laboratory, tmp_path, part, only):
    done = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox.certify", "self", "--part", part,
        "--profile", "quick",
                           "--out", tmp_path, *only], capture_output=True, text=True, timeout=400, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / part / "result.json").read_text())
    assert {case["verdict"] for case in found["cases"]} <= {"PASS", "INFO", "N/A", "ADVICE"}, done.stdout
