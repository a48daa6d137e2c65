"""The process that watches: loop, guardian and signals. Started by ``econduit-watchdog run`` (see orders.py).

One at a time: after supervisord was killed, the old one ends before the new one watches (process/single_instance.py).
SIGTERM and SIGINT end it with 0. SIGHUP has it begin anew as ``econduit-watchdog run``, same pid, so that no setting
can be forgotten; if the settings are wrong now, that is said and the old ones stay. A part that fails ends it with 1.
"""
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from econduit_terminal.contract.client import Client
from econduit_terminal.process import logs, signals
from econduit_terminal.process.single_instance import SingleInstance
from econduit_terminal.watchdog.guardian import Guardian
from econduit_terminal.watchdog.inbox import Inbox
from econduit_terminal.watchdog.monitor import Failed, Monitor
from econduit_terminal.watchdog.orders import Orders, hand_over, take_over
from econduit_terminal.watchdog.status_file import StatusFile

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

GRACE = 5.0
"""Seconds that an orphan gets to end."""
_lock: SingleInstance | None = None

log = logging.getLogger("watchdog")


def serve(orders: Orders) -> int | None:
    """The exit status; None: begin anew."""
    logs.serve(orders.log_level)
    logs.stacks_on(signal.SIGUSR1)
    inbox, stopped, marked = Inbox(), threading.Event(), os.eventfd(0, os.EFD_CLOEXEC)
    heard: set[int] = set()

    def mark(number: int, frame: object) -> None:
        heard.add(number)
        os.eventfd_write(marked, 1)     # and no more: what it interrupts may hold any lock

    def heed() -> None:
        os.eventfd_read(marked)
        stopped.set()
        inbox.ring()

    monitor = Monitor(orders, Client(orders.socket), inbox, stopped)
    status_file = StatusFile(orders.status_file)
    guardian = Guardian(Client(orders.socket, timeout=orders.health_timeout), orders.health_interval, stopped,
                        status_file=status_file)
    for number in ENDING:
        signal.signal(number, mark)
    inbox.spawn(heed, "signals")
    signals.release()
    if _alone(orders, stopped):
        log.info("watching the network and the agent at %s", orders.socket)
        inbox.spawn(status_file.run, "status file")
        inbox.spawn(guardian.run, "guardian")
        try:
            monitor.run()
        except Failed as failure:
            log.error("the watchdog ends, to be started whole again: %s", failure, exc_info=failure)
            return 1
    # From here until the one that begins anew listens, signals wait: one that came between would be lost with us.
    signals.hold()
    return None if heard == {signal.SIGHUP} else 0


def _alone(orders: Orders, stopped: threading.Event) -> bool:
    """Wait until no other watchdog speaks to this agent. False: asked to stop meanwhile."""
    global _lock        # for the life of the process: the lock goes with its file
    _lock = SingleInstance(Path(f"{orders.socket}.watchdog.lock"))
    try:
        return _lock.acquire(GRACE, stopped.wait)
    except OSError as error:
        log.error("%s.watchdog.lock cannot be made (%s): a second watchdog would not be noticed", orders.socket,
                  error.strerror)
        return True


def main(file: str, directory: str) -> int:
    orders = take_over(int(file))
    status = serve(orders)
    if status is None:
        logs.flush()
        os.execv(sys.executable, [sys.executable, "-m", "econduit_terminal.watchdog", "run",
                                  "--config-dir", directory, "--keep", str(hand_over(orders))])
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
