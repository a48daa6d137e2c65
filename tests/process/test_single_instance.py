"""Real processes that want the same lock."""
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from waiting import until

HOLDER = """
import signal, sys, time
from econduit_terminal.process.single_instance import SingleInstance
if len(sys.argv) > 2: signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = SingleInstance(sys.argv[1])
got = lock.acquire(0.3, lambda seconds: time.sleep(seconds))
try: print("held" if got else "gave up", flush=True)
except BrokenPipeError: pass    # the parent that read it is dead
signal.pause()
"""
# A parent that starts the holder, passes its word on and then dies, as a killed supervisord does.
PARENT = "import subprocess, sys; it = subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], " \
         "stdout=subprocess.PIPE); print(it.stdout.readline().decode().strip(), it.pid, flush=True); sys.stdin.read()"


@pytest.fixture
def start(tmp_path, start_python):
    """A function that starts a process that wants the lock; its word is the next line of its output."""
    def start(*arguments, orphan=False):
        return start_python("-c", *((PARENT,) if orphan else ()), HOLDER, tmp_path / "lock", *arguments)
    return start


def alive(pid):
    """Runs, and is not just unreaped by a careless init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def waits_for_the_lock(path, parent):
    """Whether a child of this process has the lock's file open: it has noted its parent by then."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with contextlib.suppress(OSError):
            if any(os.readlink(link) == str(path) for link in Path(f"/proc/{child}/fd").iterdir()):
                return True
    return False


def test_the_second_waits_until_the_first_ends(start, tmp_path):
    first = start()
    assert first.stdout.readline() == "held\n"
    assert json.loads((tmp_path / "lock").read_text()) == {"pid": first.pid, "parent": os.getpid()}
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    second = start()
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.5)
    first.send_signal(signal.SIGKILL)
    assert second.stdout.readline() == "held\n"


@pytest.mark.parametrize("stubborn", [(), ("ignores SIGTERM",)])
def test_an_orphan_is_asked_to_end_and_killed_if_it_does_not(start, stubborn):
    parent = start(*stubborn, orphan=True)
    word, pid = parent.stdout.readline().split()
    assert word == "held"
    parent.kill()
    parent.wait()
    assert start().stdout.readline() == "held\n"
    assert not alive(pid)


def test_an_heir_whose_own_parent_died_while_it_waited_is_an_orphan_too(start, tmp_path):
    first = start()
    assert first.stdout.readline() == "held\n"
    parent = start(orphan=True)         # waits for the first, and says its word later
    until(lambda: waits_for_the_lock(tmp_path / "lock", parent.pid), "the heir waits")
    parent.kill()
    parent.wait()
    first.kill()
    def heir_s_note():
        with contextlib.suppress(ValueError):       # it is being written
            note = json.loads((tmp_path / "lock").read_text())
            return note["pid"] != first.pid and note["pid"]

    heir = until(heir_s_note, "the heir has the lock")
    third = start()
    assert third.stdout.readline() == "held\n"
    assert not alive(heir)


def test_asked_to_stop_while_waiting(start, tmp_path):
    from econduit_terminal.process.single_instance import SingleInstance
    assert start().stdout.readline() == "held\n"
    assert SingleInstance(tmp_path / "lock").acquire(1, lambda seconds: True) is False


def test_a_damaged_note_only_means_that_the_holder_is_unknown(start, tmp_path):
    first = start()
    assert first.stdout.readline() == "held\n"
    (tmp_path / "lock").write_text("nonsense")
    second = start()
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.5)
    first.kill()
    assert second.stdout.readline() == "held\n"


def test_a_place_that_cannot_be_written(tmp_path):
    from econduit_terminal.process.single_instance import SingleInstance
    with pytest.raises(OSError):
        SingleInstance(tmp_path / "missing" / "lock").acquire(1, lambda seconds: True)
