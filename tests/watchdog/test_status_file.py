"""What the watchdog writes for an agent that cannot, and when it leaves the file alone."""
import dataclasses
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Phase
from econduit_terminal.process.line_file import VALID_FOR, replace, uptime
from econduit_terminal.watchdog import status_file
from econduit_terminal.watchdog.status_file import Notice, StatusFile

LIMIT = 10


class File:
    """`names`: what makes a process the agent; this one is not, whatever its folder is called."""

    def __init__(self, path, names=("no process",)):
        self.path = str(path)
        self.store = StatusStore("29531204")
        self.writer = StatusFile(self.path, names)
        threading.Thread(target=self.writer.run, daemon=True).start()

    def agent_writes(self):
        replace(self.path, self.store.snapshot().to_line(), "agent")

    def say(self, reason=Reason.AGENT_SILENT, asked=None):
        self.writer.offline(reason, uptime() if asked is None else asked)

    def shown(self):
        try:
            with open(self.path, "rb") as file:
                return dict(json.load(file))
        except (OSError, ValueError, TypeError):
            return {}

    def until(self, **values):
        deadline = time.monotonic() + LIMIT
        while True:
            status = self.shown()
            if all(status.get(key) == value for key, value in values.items()):
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.005)

    def renewed(self, **values):
        """The line after the next that is written for a notice."""
        before = self.shown().get("written_uptime")
        time.sleep(0.002)       # the line's clock has milliseconds
        self.say(**values)
        deadline = time.monotonic() + LIMIT
        while self.shown().get("written_uptime") == before:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self.shown()


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "status.json")


def test_t5_the_line_keeps_what_the_agent_said_but_for_the_connection(file):
    file.store.online("h:80", "10.0.0.2", "eth0")
    file.agent_writes()
    before = file.shown()
    file.say()
    status = file.until(online=False)
    assert list(status) and set(status) == set(before)
    assert (status["display"], status["reason"]) == ("POS Offline", "agent not answering")
    assert (status["endpoint"], status["local_address"], status["interface"], status["retry_in"]) == (None,) * 4
    assert (status["terminal_id"], status["pid"], status["connects"]) == ("29531204", os.getpid(), 1)
    assert status["valid_for"] == VALID_FOR and before["written_uptime"] <= status["written_uptime"] <= uptime()
    ago = datetime.now(UTC) - datetime.fromisoformat(status["since"])
    assert timedelta(0) <= ago < timedelta(seconds=LIMIT)
    assert os.listdir(os.path.dirname(file.path)) == ["status.json"]


def test_t5_each_word_renews_the_line_and_since_stays(file):
    file.store.online("h:80", "a", "b")
    file.agent_writes()
    file.say()
    first = file.until(online=False)
    second = file.renewed(reason=Reason.AGENT_SILENT)
    assert second["written_uptime"] > first["written_uptime"]
    moved = datetime.fromisoformat(second["since"]) - datetime.fromisoformat(first["since"])
    assert abs(moved) < timedelta(seconds=0.1)


def test_t9_the_agent_s_next_line_wins(file):
    writer = StatusFile(file.path)      # without its thread
    file.store.online("h:80", "a", "b")
    file.agent_writes()
    notice = Notice(Reason.AGENT_SILENT, uptime())
    writer._write(file.path, notice)
    assert not file.shown()["online"]
    time.sleep(0.002)
    file.agent_writes()                 # it goes on
    writer._write(file.path, notice)    # and the notice of the same question comes late
    assert file.shown()["online"]
    writer._write(file.path, Notice(Reason.AGENT_SILENT, uptime()))
    assert not file.shown()["online"]


def test_t9_nothing_is_written_once_the_agent_has_answered(file, monkeypatch):
    file.store.online("h:80", "a", "b")
    file.agent_writes()
    hold, really, writes = threading.Event(), status_file._read, []

    def read(path):
        writes.append(path)
        hold.wait(LIMIT)
        return really(path)

    monkeypatch.setattr(status_file, "_read", read)
    file.say(asked=0.0)         # the disk hangs; the agent's line is newer
    while not writes:
        time.sleep(0.005)
    file.say()
    file.writer.agent_answered()
    hold.set()
    time.sleep(0.05)
    assert file.shown()["online"] and len(writes) == 1


@pytest.mark.parametrize("reason", ["cable unplugged", "stopped"])
def test_offline_already_it_has_been_so_since_then(file, reason):
    file.store.offline(reason)
    file.agent_writes()
    before = file.shown()
    assert file.renewed(reason=Reason.AGENT_GONE)["since"] == before["since"]


def test_an_agent_that_said_why_it_ended_has_said_it_better(file):
    file.store.offline("cable unplugged")
    file.agent_writes()
    assert file.renewed(reason=Reason.AGENT_GONE)["reason"] == "agent not running"
    file.store.phase(Phase.STOPPING)
    file.store.offline("stopped")
    file.agent_writes()
    for _ in range(2):
        assert file.renewed(reason=Reason.AGENT_GONE)["reason"] == "stopped"


@pytest.mark.parametrize("why, lives, age, kept", [
    ("its socket is at another place", True, 0.0, True), ("it ended", False, 0.0, False),
    ("it lives, and writes no longer", True, VALID_FOR + 1, False)])
def test_what_an_agent_that_lives_has_just_written_is_true(tmp_path, start_python, why, lives, age, kept):
    """local.socket was changed, and the agent alone was told: it is registered, and nobody serves the old socket."""
    agent = start_python("-c", "input()", "this is the agent")
    file = File(tmp_path / "status.json", ("this is the agent",))
    file.store.online("h:80", "a", "b")
    line = dataclasses.replace(file.store.snapshot(), pid=agent.pid, written_uptime=uptime() - age).to_line()
    replace(file.path, line, "agent")
    if not lives:
        agent.kill()
        agent.wait(LIMIT)
    if not kept:
        assert not file.renewed(reason=Reason.AGENT_GONE)["online"], why
        return
    for notice in ({"reason": Reason.AGENT_GONE}, {"asked": 0.0}):      # taken one after the other
        file.say(**notice)
        while file.writer._notice is not None:
            time.sleep(0.005)
    assert file.shown()["online"], why


@pytest.mark.parametrize("content", [None, b"", b"POS Online\n", b"[1]", b"{}", b"\xff", b'{"written_uptime": "x"}'])
def test_a_file_that_is_missing_or_no_status(file, content):
    if content is not None:
        replace(file.path, content, "agent")
    file.say(Reason.AGENT_GONE)
    status = file.until(reason="agent not running")
    assert set(file.store.snapshot().to_json()) <= set(status)
    assert status["terminal_id"] == "" and status["pid"] is None
    assert datetime.fromisoformat(status["since"])


def test_a_place_that_cannot_be_written_is_said_once(tmp_path, caplog):
    file = File(tmp_path / "missing" / "status.json")
    for _ in range(3):
        file.say()
        while file.writer._notice is not None:
            time.sleep(0.005)
    (tmp_path / "missing").mkdir()
    file.renewed()
    assert sum("cannot be written" in record.getMessage() for record in caplog.records) == 1


def test_without_a_status_file_there_is_nothing_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = StatusFile(None)
    writer.offline(Reason.AGENT_GONE, 1.0)
    writer.agent_answered()
    assert writer._notice is None and os.listdir(tmp_path) == []
