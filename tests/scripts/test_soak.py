"""scripts/soak: two minutes of it on the real ground, and how it is called.

The seed is one that was looked at; another: `ECONDUIT_SOAK_SEED=… pytest tests/scripts/test_soak.py`.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from soaking.ground import compiler

from econduit_terminal.sandbox.lab.netlab import TOOLS

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "soak"
SEED = os.environ.get("ECONDUIT_SOAK_SEED", "12")
MINUTES = 2.0

needs_ground = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason="needs root and what scripts/test installs")


def soak(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=400)


@needs_ground
@pytest.mark.timeout(420)
def test_two_minutes(tmp_path):
    done = soak("--hours", str(MINUTES / 60), "--seed", SEED, "--verbose", "--logs", tmp_path)
    logs = "".join(f"\n-- {file.name}\n{file.read_text()[-6000:]}" for file in sorted(tmp_path.glob("*stdout*")))
    assert done.returncode == 0, f"{done.stdout}{done.stderr}{logs}"
    first, *lines = done.stdout.splitlines()
    assert first == f"seed {SEED}" and done.stderr == ""
    assert sum(bool(re.match(r" +\d+ min ", line)) for line in lines) >= 2, "a line a minute"
    said = "\n".join(lines)
    faults = int(re.search(rf"seed {SEED}: [0-9.]+ min, (\d+) faults", said)[1])
    assert faults >= 12 and int(re.search(r"sales: (\d+) approved", said)[1]) >= 20
    assert said.count("  ok   ") == 7 and "BAD" not in said
    assert said.count("  ?    ") == said.count("not known: too few samples") == 6, "of growth two minutes tell nothing"
    assert ("clock will not jump" in said) == (compiler() is None)


@needs_ground
@pytest.mark.timeout(120)
def test_interrupted_it_says_what_it_knows():
    started = subprocess.Popen([sys.executable, SCRIPT, "--hours", "1", "--pace", "0.5", "--verbose"],
                               stdout=subprocess.PIPE, text=True)
    with started:
        said = []
        for line in started.stdout:
            said.append(line)
            if re.match(r" +5 ", line):
                started.send_signal(signal.SIGINT)
                break
        rest = started.stdout.read()
    assert started.returncode == 0, f"{''.join(said)}{rest}"
    assert "sales run twice" in rest and "too few samples" in rest
    namespaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    assert f"ect{started.pid}-" not in namespaces


@pytest.mark.parametrize("wrong", [["--hours", "0"], ["--hours", "x"], ["--pace", "0.1"], ["--seed", "x"], ["now"]])
def test_wrong_usage(wrong):
    done = soak(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: soak")
