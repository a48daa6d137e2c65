"""The limit on open files, in a process of its own each time."""
import subprocess
import sys

import pytest

ASK = "from econduit_terminal.sandbox.open_files import most_open_files; print(most_open_files())"


@pytest.mark.parametrize("soft, hard, found", [(100, 200, 200), (200, 200, 200)])
def test_the_soft_limit_is_raised_as_far_as_the_hard_one(soft, hard, found):
    shell = f"ulimit -Sn {soft} && ulimit -Hn {hard} && exec '{sys.executable}' -c '{ASK}; import resource; " \
            "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])'"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == [str(found)] * 2, done.stderr
