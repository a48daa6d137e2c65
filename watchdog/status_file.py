"""The status file of an agent that cannot write it: `POS Offline`, and why.

Rules
- Only while the last health question is unanswered, or nobody holds the agent's socket.
- The agent's line wins: one that it wrote after the question was asked stays. So does any that is still valid while the
  agent that wrote it lives: it serves another socket, by settings that we do not have, or is about to make it again.
- What the agent said of the terminal stays in the line; what is only true of a connection goes. The reason that an
  agent gave itself when it was stopped stays, too.
- A thread does the writing: a disk that hangs must not hold up the guardian. It writes only what was last asked for,
  and nothing once the agent has answered.
"""
import json
import logging
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.reader import ContractError
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Phase, Status
from econduit_terminal.process import line_file
from econduit_terminal.process.timestamps import rfc3339

from .agent_process import AGENT, is_agent

WRITER = "watchdog"
LONGEST = 1024 * 1024

log = logging.getLogger("guardian")


class Notice(NamedTuple):
    """`reason`: AGENT_SILENT or AGENT_GONE. `asked`: the uptime at which the unanswered question was asked."""

    reason: Reason
    asked: float


class StatusFile:
    """`path`: local.status_file; None: there is none, and nothing is done. `names`: see agent_process.is_agent."""

    def __init__(self, path: str | None, names: tuple[str, ...] = AGENT):
        self._path = path
        self._names = names
        self._due = threading.Condition()
        self._notice: Notice | None = None
        # Of the thread alone: the line that it wrote last, what the newest line says, and since when (uptime) the
        # terminal is offline, where the agent did not know.
        self._own: bytes | None = None
        self._status = Status(version=VERSION)
        self._since: float | None = None
        self._failing: str | None = None

    def offline(self, reason: Reason, asked: float) -> None:
        """After each question without an answer (see Notice); returns at once."""
        if self._path is not None:
            with self._due:
                self._notice = Notice(reason, asked)
                self._due.notify()

    def agent_answered(self) -> None:
        """The file is the agent's own again."""
        with self._due:
            self._notice = None

    def run(self) -> None:
        """The thread, for the life of the process."""
        if self._path is not None:
            line_file.tidy(self._path, WRITER)
        while True:
            with self._due:
                self._due.wait_for(lambda: self._notice is not None)
                notice, self._notice = self._notice, None
            assert notice is not None and self._path is not None
            try:
                self._write(self._path, notice)
            except OSError as error:
                if self._failing != error.strerror:
                    log.error("status file: %s cannot be written (%s)", self._path, error.strerror or error)
                self._failing = error.strerror
            else:
                self._failing = None

    def _write(self, path: str, notice: Notice) -> None:
        before = _read(path)
        if before is not None and before != self._own:      # the agent wrote since
            self._status = _parsed(before)
            written, pid = self._status.written_uptime or 0.0, self._status.pid
            if written > notice.asked:
                return
            if (notice.reason is Reason.AGENT_GONE and pid and line_file.uptime() < written + line_file.VALID_FOR
                    and is_agent(pid, self._names)):
                return
            self._since = notice.asked if self._status.online or not self._status.since else None
        self._status = _offline(self._status, notice.reason, self._since)
        self._own = self._status.to_line()
        line_file.replace(path, self._own, WRITER)


def _offline(status: Status, why: Reason, since: float | None) -> Status:
    """What `status` becomes now. `since`: the uptime since when, where `status` does not know."""
    now = line_file.uptime()
    reason = why.words
    if why is Reason.AGENT_GONE and status.phase is Phase.STOPPING and not status.online:
        reason = status.reason or reason
    began = status.since
    if since is not None or not began:
        ago = timedelta(seconds=now - since if since is not None else 0)
        began = rfc3339(datetime.now(UTC) - ago)
    return replace(status, online=False, reason=reason, since=began, endpoint=None, local_address=None, interface=None,
                   retry_in=None, valid_for=line_file.VALID_FOR, written_uptime=int(now * 1000) / 1000)


def _read(path: str) -> bytes | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(LONGEST)
    except OSError:
        return None


def _parsed(line: bytes) -> Status:
    """What the line says; nothing where it is not one of ours."""
    try:
        parsed = json.loads(line)
        return Status.from_json(parsed) if isinstance(parsed, dict) else Status(version=VERSION)
    except (ValueError, RecursionError, ContractError):
        return Status(version=VERSION)
