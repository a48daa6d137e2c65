"""Is the agent alive? A process that hangs is killed, so that supervisord starts it again.

Rules:
  1. Only silence counts: a process holds the socket and does not answer GET /health within `health_timeout`, MISSES
     times in a row, always the same process. Where nobody holds the socket, that is up to supervisord and the operator.
     After a miss it is asked again at once: at the defaults a hang is found at most 9 s after the last answer.
  2. A missing network is never a reason: the question stays on this machine, and nothing but the answer is looked at.
  3. A process that has never answered is starting; it has STARTUP seconds from when it was first seen. That is enough:
     a process that holds the socket already runs its loop.
  4. The right process or none: the kernel says who holds the socket (SO_PEERCRED of the listener), a pidfd holds the
     process before it is checked (its command line is the agent's, its uid ours), and signals go to that pidfd. So a
     pid that another process got meanwhile cannot be hit. Where there is no pidfd (Linux before 5.3, a container that
     forbids it), the process is checked again right before each signal.
  5. SIGUSR1 first: faulthandler writes every stack to the log, from C, even when the hub is blocked. SIGCONT beside it,
     since a stopped process cannot write. After STACKS_TIME comes SIGKILL: a process that hangs reacts to nothing less.
  6. From the first miss on, and while nobody holds the socket, the status file says so (status_file.py): what the agent
     wrote there last may no longer be true, and the agent cannot take it back.
  7. One uid, no supervisor RPC: that has no timeout, and would need rights that a watchdog should not have.
"""
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from econduit_terminal.contract.client import AgentError, Client, NotAllowed, NotRunning
from econduit_terminal.contract.reason import Reason
from econduit_terminal.process.line_file import uptime

from .agent_process import AGENT, is_agent
from .status_file import StatusFile

MISSES = 3
STARTUP = 5.0
"""Seconds; rule 3."""
STARTUP_INTERVAL = 1.0
"""Seconds between two questions at most until there is a first answer."""
STACKS_TIME = 1.0
"""Seconds; rule 5."""

log = logging.getLogger("guardian")


class Guardian:
    """One question each `interval` seconds. `client` has health_timeout as its timeout."""

    def __init__(self, client: Client, interval: float, stopped: threading.Event, *,
                 status_file: StatusFile | None = None, startup: float = STARTUP, names: tuple[str, ...] = AGENT,
                 monotonic: Callable[[], float] = time.monotonic):
        self._client, self._interval, self._stopped = client, interval, stopped
        self._status_file = status_file or StatusFile(None)
        self._startup, self._names, self._monotonic = startup, names, monotonic
        self._pid: int | None = None
        self._seen = 0.0
        self._answered = False
        self._absent = False
        self._misses = 0

    def run(self) -> None:
        due = self._monotonic()
        while not self._stopped.wait(max(0.0, due - self._monotonic())):
            asked = self._monotonic()
            self.check()
            due = asked + self._pause()

    def _pause(self) -> float:
        """Seconds from one question to the next; a miss that came early (a call cut off) waits as long as others."""
        if self._misses:
            return self._client.timeout
        return self._interval if self._answered else min(STARTUP_INTERVAL, self._interval)

    def check(self) -> None:
        """One question, and what follows from it."""
        asked = uptime()
        try:
            pid = self._client.pid()
            self._holder_is(pid)
            self._client.health()
        except NotRunning:
            if self._absent:    # the second time: a restart is over sooner
                self._status_file.offline(Reason.AGENT_GONE, asked)
            self._absent = True
            self._holder_is(None)
        except NotAllowed:      # AgentEvents says so
            self._holder_is(None)
        except AgentError as error:
            self._absent = False
            self._status_file.offline(Reason.AGENT_SILENT, asked)
            self._missed(error)
        else:
            self._status_file.agent_answered()
            self._absent, self._answered, self._misses = False, True, 0

    def _holder_is(self, pid: int | None) -> None:
        if pid != self._pid:
            self._pid, self._seen, self._answered, self._misses = pid, self._monotonic(), False, 0

    def _missed(self, error: AgentError) -> None:
        if self._pid is None or (not self._answered and self._monotonic() - self._seen < self._startup):
            return
        self._misses += 1
        log.warning("the agent (pid %d) missed health check %d of %d: %s", self._pid, self._misses, MISSES, error)
        if self._misses >= MISSES:
            kill_hung(self._pid, self._names, self._stopped.wait)
            self._misses = 0


def kill_hung(pid: int, names: tuple[str, ...] = AGENT, wait: Callable[[float], object] = time.sleep) -> bool:
    """Have a hung agent write its stacks, then kill it. False: it was not killed, since it is gone or not the agent."""
    held: int | None = None
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except OSError:
        pass        # see rule 4

    def send(number: int) -> None:
        if held is not None:
            signal.pidfd_send_signal(held, number)
        elif is_agent(pid, names):
            os.kill(pid, number)
        else:
            raise ProcessLookupError

    try:
        if not is_agent(pid, names):
            log.error("pid %d holds the agent's socket, but is not the agent: it is left alone", pid)
            return False
        log.error("the agent (pid %d) hangs: its stacks follow, then it is killed and supervisord starts it again", pid)
        send(signal.SIGUSR1)
        send(signal.SIGCONT)
        wait(STACKS_TIME)
        send(signal.SIGKILL)
        return True
    except ProcessLookupError:
        return True     # it ended by itself
    except PermissionError:
        log.error("the agent (pid %d) hangs and belongs to another user: restart it with supervisorctl", pid)
        return False
    finally:
        if held is not None:
            os.close(held)
