"""The process that watches: loop, guardian and signals. Started by `econduit-watchdog run` (see config.py).

- One at a time: after supervisord was killed, the old one ends before the new one watches (process.single_instance).
- SIGTERM and SIGINT end it with 0. SIGHUP has it start again as `econduit-watchdog run`, same pid, so that no setting
  can be forgotten; if the settings are wrong now, the log says so and the old ones stay.
- A thread that fails ends it with 1, and supervisord starts it again.
"""
import logging
import os
import signal
import sys
import threading

from econduit_terminal.contract.client import Client
from econduit_terminal.process import logs, signals
from econduit_terminal.process.single_instance import SingleInstance

from .config import WatchdogConfig
from .guardian import Guardian
from .inbox import Inbox, ThreadFailed
from .monitor import Monitor
from .status_file import StatusFile

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE = 5.0
"""Seconds that an orphan gets to end."""

_lock: SingleInstance | None = None

log = logging.getLogger("watchdog")


def serve(config: WatchdogConfig) -> int | None:
    """The exit status; None: start again with the settings as they are now."""
    logs.serve(config.log_level)
    logs.stacks_on(signal.SIGUSR1)
    inbox, stopped, signalled = Inbox(), threading.Event(), os.eventfd(0, os.EFD_CLOEXEC)
    received: set[int] = set()

    def on_signal(number: int, frame: object) -> None:
        received.add(number)
        os.eventfd_write(signalled, 1)      # and no more: what it interrupts may hold any lock

    def stop_on_signal() -> None:
        os.eventfd_read(signalled)
        stopped.set()
        inbox.ring()

    monitor = Monitor(config, Client(config.socket), inbox, stopped)
    status_file = StatusFile(config.status_file)
    guardian = Guardian(Client(config.socket, timeout=config.health_timeout), config.health_interval, stopped,
                        status_file=status_file)
    for number in ENDING:
        signal.signal(number, on_signal)
    inbox.spawn(stop_on_signal, "signals")
    signals.release()
    if _take_lock(config, stopped):
        log.info("watching the network and the agent at %s", config.socket)
        inbox.spawn(status_file.run, "status file")
        inbox.spawn(guardian.run, "guardian")
        try:
            monitor.run()
        except ThreadFailed as failure:
            log.error("the watchdog ends, to be started again: %s", failure, exc_info=failure)
            return 1
    # A signal that comes before the next one has its handlers must wait, or it would be lost with us.
    signals.hold()
    return None if received == {signal.SIGHUP} else 0


def _take_lock(config: WatchdogConfig, stopped: threading.Event) -> bool:
    """Wait until no other watchdog serves this agent. False: asked to stop meanwhile."""
    global _lock        # for the life of the process: the lock ends with its file
    _lock = SingleInstance(f"{config.socket}.watchdog.lock")
    try:
        return _lock.acquire(GRACE, stopped.wait)
    except OSError as error:
        log.error("%s.watchdog.lock cannot be made (%s): a second watchdog would not be noticed", config.socket,
                  error.strerror)
        return True


def main(file: str, directory: str) -> int:
    config = WatchdogConfig.take_over(int(file))
    status = serve(config)
    if status is None:
        logs.flush()
        os.execv(sys.executable, [sys.executable, "-m", "econduit_terminal.watchdog", "run",
                                  "--config-dir", directory, "--keep", str(config.hand_over())])
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
