"""The process that watches: started, told, ended, one at a time."""
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

LIMIT = 20


class Watchdog:
    """econduit-watchdog run, with its log as it comes. `parent`: started by a process that can be killed alone."""

    def __init__(self, config, parent=False):
        command = [sys.executable, "-m", "econduit_terminal.watchdog", "run", "--config-dir", str(config)]
        if parent:
            command = [sys.executable, "-c", "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()", *command]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def line(self, part):
        """The first line with `part`."""
        def found():
            return next((line for line in self.lines if part in line), None)

        with self._grown:
            assert self._grown.wait_for(found, LIMIT), (part, self.lines)
            return found()

    def ended(self):
        """The exit status."""
        status = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        return status

    def _read(self):
        for line in self.process.stderr:
            with self._grown:
                self.lines.append(line.rstrip("\n"))
                self._grown.notify_all()


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "own.ini").write_text(f"[local]\nsocket = {tmp_path}/agent.sock\n")
    return folder


@pytest.fixture
def lock(tmp_path):
    """Who holds the lock, by its own note."""
    return lambda: json.loads((tmp_path / "agent.sock.watchdog.lock").read_text())["pid"]


@pytest.fixture
def start(config, lock):
    started = []

    def start(watching=True, **options):
        started.append(Watchdog(config, **options))
        if watching:
            started[-1].line("watching the network")
        return started[-1]

    yield start
    for watchdog in started:
        watchdog.process.kill()
        watchdog.process.wait(LIMIT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(start, number):
    watchdog = start()
    watchdog.process.send_signal(number)
    assert watchdog.ended() == 0


def test_sighup_begins_anew_with_the_same_pid_and_other_settings(start, config, agent):
    watchdog = start()
    agent.report()
    (config / "own.ini").write_text(f"[local]\nsocket = {agent.path}\nlog_level = debug\n[watchdog]\npoll = 60s\n")
    watchdog.process.send_signal(signal.SIGHUP)
    agent.report(after=time.monotonic())
    assert watchdog.process.poll() is None
    watchdog.process.send_signal(signal.SIGTERM)
    assert watchdog.ended() == 0


def test_a_signal_that_comes_while_it_begins_anew_is_not_lost(start):
    watchdog = start()
    watchdog.process.send_signal(signal.SIGHUP)
    watchdog.process.send_signal(signal.SIGTERM)
    assert watchdog.ended() == 0


def test_signals_are_the_main_thread_s_alone(start):
    """Else one that came while it begins again could be taken by a thread, and lost with it."""
    watchdog = start()
    main = watchdog.process.pid
    wanted = sum(1 << number - 1 for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))

    def blocked(thread):
        status = Path(f"/proc/{main}/task/{thread}/status").read_text()
        return int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16) & wanted

    deadline = time.monotonic() + LIMIT
    while True:
        masks = {thread: blocked(thread) for thread in map(int, os.listdir(f"/proc/{main}/task"))}
        if len(masks) > 1 and masks == {thread: wanted * (thread != main) for thread in masks}:
            return
        assert time.monotonic() < deadline, masks
        time.sleep(0.01)


def test_beginning_anew_leaves_no_file_open(start):
    watchdog = start()

    def config():
        found = 0
        for link in Path(f"/proc/{watchdog.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):        # it was closed meanwhile
                found += "memfd:orders" in os.readlink(link)
        return found

    for times in (2, 3):
        watchdog.process.send_signal(signal.SIGHUP)
        with watchdog._grown:
            assert watchdog._grown.wait_for(
                lambda times=times: sum("watching the network" in line for line in watchdog.lines) == times, LIMIT)
        assert config() == 0


def test_wrong_settings_at_the_start_end_nothing(start, config):
    (config / "z.ini").write_text("[watchdog]\npoll = soon\n")
    watchdog = start()
    assert "z.ini:2: watchdog.poll" in watchdog.line("ERROR watchdog: settings: ")


def test_a_second_one_waits_its_turn_and_may_be_told_to_stop(start, lock):
    first = start()
    assert lock() == first.process.pid
    second, third = start(watching=False), start(watching=False)
    for waiting in (second, third):
        waiting.line(f"another one runs as pid {first.process.pid}: waiting until it ends")
    third.process.send_signal(signal.SIGTERM)
    assert third.ended() == 0
    assert first.process.poll() is None and not any("watching the" in line for line in second.lines)
    first.process.kill()
    second.line("watching the network")
    assert lock() == second.process.pid


def test_an_orphan_is_asked_to_end(start, lock):
    parent = start(parent=True)
    orphan = os.pidfd_open(lock())
    try:
        parent.process.kill()
        parent.process.wait(LIMIT)
        second = start()
        assert "its supervisor is gone, it is asked to end" in second.line("another one runs")
        assert lock() == second.process.pid
        assert select.select([orphan], [], [], 0)[0], "the orphan has ended"
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(orphan, signal.SIGKILL)
        os.close(orphan)


def test_without_a_place_for_the_lock_it_says_so_and_watches(start, config, tmp_path):
    (config / "own.ini").write_text(f"[local]\nsocket = {tmp_path}/nowhere/agent.sock\n")
    assert "a second watchdog would not be noticed" in start().line("cannot be made")
