"""A program of the laboratory: its lines with their times, and its end, heeded or not."""
import os
import signal
import sys
import time

import pytest
from waiting import until

from econduit_terminal.sandbox.lab.process import Process


@pytest.fixture
def start():
    """start(code): a Process that runs it; ended after the test."""
    started = []

    def start(code):
        started.append(Process([sys.executable, "-u", "-c", code]))
        return started[-1]

    yield start
    for process in started:
        process.end()


def test_lines_are_found_by_a_part_of_them_and_by_their_time(start):
    process = start("import sys\nprint('one 1')\nprint('one 2', file=sys.stderr)")
    first = process.line("one")
    assert first[1] == "one 1" and process.line("one", after=process.line("2")[0])[1] == "one 2"
    assert process.wait() == 0 and process.text == "one 1\none 2"


def test_a_line_that_cannot_come_any_more_is_not_waited_for(start):
    began = time.monotonic()
    with pytest.raises(AssertionError, match=r"no line with 'other' within 60 s, but:\nhello"):
        start("print('hello')").line("other", timeout=60)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("before, number, status", [
    ("", signal.SIGCONT, -signal.SIGTERM), ("", signal.SIGSTOP, -signal.SIGTERM),
    ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ", signal.SIGCONT, -signal.SIGKILL)],
    ids=["ends", "stopped", "heeds nothing"])
def test_the_end_is_certain(start, before, number, status):
    process = start(f"{before}import time; print('ready'); time.sleep(600)")
    assert process.line("ready", timeout=60)[1] == "ready"
    process.signal(number)
    assert process.running() and process.end(timeout=1 if before else 30) == status and not process.running()


def test_ctrl_c_in_the_terminal_does_not_reach_it(start):
    process = start("import time; print('ready'); time.sleep(600)")
    process.line("ready", timeout=60)
    assert os.getpgid(process.pid) != os.getpgid(0) and os.getsid(process.pid) != os.getsid(0)


def test_one_that_has_ended_holds_no_descriptor(start):
    """Somebody may start hundreds, one after the other."""
    before = os.listdir("/proc/self/fd")
    assert start("print('done')").wait(60) == 0
    until(lambda: len(os.listdir("/proc/self/fd")) <= len(before), "its output is closed")
