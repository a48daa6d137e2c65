import os
import signal
import subprocess
import sys

import pytest

from econduit_terminal.agent.transactions.failpoints import STEPS

PROGRAM = """
from econduit_terminal.agent.transactions.failpoints import failpoint
for step in ("received", "handed", "answered", "handed"):
    failpoint(step)
    print(step, flush=True)
"""


def run(**environment):
    return subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=30)


@pytest.mark.parametrize("at, lines", [("received", 0), ("handed", 1), ("answered:1", 2), ("handed:2", 3)])
def test_ends_the_process_there(at, lines):
    done = run(ECONDUIT_CRASH_AT=at, ECONDUIT_FAULT_TESTS="kill-this-process")
    assert (done.returncode, len(done.stdout.split())) == (-signal.SIGKILL, lines)


@pytest.mark.parametrize("environment", [
    {}, {"ECONDUIT_CRASH_AT": "handed"}, {"ECONDUIT_CRASH_AT": "handed", "ECONDUIT_FAULT_TESTS": "yes"},
    {"ECONDUIT_FAULT_TESTS": "kill-this-process"},
    {"ECONDUIT_CRASH_AT": "nowhere", "ECONDUIT_FAULT_TESTS": "kill-this-process"},
])
def test_does_nothing_without_both_variables(environment):
    assert run(**environment).returncode == 0


def test_every_step_is_reached_somewhere(request):
    folder = request.config.rootpath / "agent"
    code = "".join(file.read_text() for file in folder.rglob("*.py") if file.name != "failpoints.py")
    assert [step for step in STEPS if f'failpoint("{step}")' not in code and f'_commit("{step}")' not in code] == []
