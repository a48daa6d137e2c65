"""The agent put together: builds the parts, owns the greenlets, the signals and the exit code. The one file that knows
them all.

    settings ─┬─ StatusStore ── what the terminal shows ── Api, StatusFile
              ├─ Processor ──── transactions, journal ──── payment application
              └─ Link ───────── the connection ─────────── eConduit Cloud

Rules

- A signal handler only leaves a mark; `run` acts on it. Signals that come before the handlers are set are held back.
- Settings that cannot work do not end the agent: it serves the local API, says what is wrong and waits for a reload,
  or until it finds them right: the disk that they are on may be mounted late. It uses those of [local] that can be
  read; a value that is wrong counts as not set.
- A greenlet that ends by a bug ends the process (exit code 1): supervisord starts a new one.
- Whatever ends the process, the transaction in progress gets `transactions.drain` seconds, so that its answer is at
  least in the journal; a second signal ends the wait. Nothing shows `POS Online` after the end.
"""
import contextlib
import logging
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.lock import Semaphore

from econduit_terminal.conf.device import load_identified
from econduit_terminal.conf.schema import Settings, Terminal
from econduit_terminal.conf.settings import SettingsError, load
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Phase
from econduit_terminal.process import logs, lookups, signals
from econduit_terminal.process.logs import clean

from .api.api import Api
from .cloud.link import Link
from .cloud.policy import Policy
from .instance_locks import InstanceLocks
from .journal.entry import Retention
from .journal.schema import FILE
from .journal.worker import JournalWorker
from .status.status_file import StatusFile
from .status.store import StatusStore
from .transactions.processor import Processor
from .wire.dialect import register

log = logging.getLogger("agent")

LINK_STOP_TIME = 3.0
"""Seconds for the connection to end in order when the agent stops."""
WAITING = "the agent waits for a reload"
CLOCK_INTERVAL = 5.0
"""Seconds between two checks whether the wall clock was set."""


def run(config_dir: Path) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    logs.serve("info")
    logs.stacks_on(signal.SIGUSR1)      # the watchdog asks a hung agent where it stands
    lookups.set_up()
    _no_core_dumps()
    return App(config_dir).run()


def _no_core_dumps() -> None:
    """Memory holds card data. The limit is 1 and not 0: that keeps a dump from a program in core_pattern, too.

    (do_coredump in the kernel's fs/coredump.c: a pipe has no limit but this one.)
    """
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0 if hard == 0 else 1, hard))


class App:
    """One agent. It is also what the local API controls: network, verify, reconnect, reload."""

    def __init__(self, config_dir: Path):
        self._config_dir = config_dir
        self._store = StatusStore()
        self._stop = Event()
        self._hurry = Event()
        self._reload_due = Event()
        self._reloading = Semaphore()
        self._failed = False
        self._link: Link | None = None
        self._link_greenlet: gevent.Greenlet[[], None] | None = None
        self._terminal: Terminal | None = None
        self._locks = InstanceLocks(self._store)
        self._began = time.monotonic()

    def run(self) -> int:
        self._handle_signals()
        self._settings, self._terminal = self._first_settings()
        log.info("econduit-agent %s starts, pid %d, settings %s", VERSION, os.getpid(), self._config_dir)
        if not self._locks.acquire(self._settings, self._stop.wait):
            return 0
        settings = self._settings
        self._status_file = StatusFile(settings.local.status_file, self._store)
        self._status_file.start()
        kept = Retention(settings.transactions.keep, settings.transactions.late_answer)
        self._journal = JournalWorker(Path(settings.local.state_dir) / FILE, kept, self._store)
        self._processor = Processor(settings, self._terminal.id if self._terminal else "", self._journal, self._store)
        self._processor.start()
        if self._terminal:
            self._start_link(self._terminal)
        self._api = Api(settings.local, self._store, self)
        self._api.start()
        self._spawn(self._watch_the_watchdog)
        self._spawn(self._follow_idle)
        self._spawn(self._follow_wall_clock)
        while True:
            look_after = None if self._terminal else self._settings.reconnect.rejected_retry
            asked = gevent.wait([self._stop, self._reload_due], look_after, count=1)
            if self._stop.is_set():
                return self._shut_down()
            self._reload_due.clear()
            self._spawn(self._reload_as_asked if asked else self._reload_once_right).join()

    # -- controls, for the local API -----------------------------------------------------------------------------

    def network(self, report: NetworkReport) -> None:
        self._store.network(report)
        self._store.problem("watchdog", None)
        if self._link:
            self._link.network(report)

    def verify(self) -> None:
        if self._link:
            self._link.verify()

    def reconnect(self, reason: str) -> None:
        log.info("reconnect: %s", clean(reason))
        if self._link:
            self._link.reconnect(reason)

    def reload(self) -> list[str]:
        """Read the settings again and apply them. Returns what changed. Raises SettingsError: the old ones stay."""
        with self._reloading:
            return self._reload()

    def _reload(self) -> list[str]:
        try:
            settings, terminal = load_identified(self._config_dir)
        except SettingsError as error:
            self._complain(error, "those from before are kept" if self._terminal else WAITING)
            raise
        before, self._settings, self._terminal = self._settings, settings, terminal
        changed = before.changes(settings)
        log.info("settings read again: %s", ", ".join(changed) or "nothing changed")
        self._store.problem("settings", None)
        self._store.identity(terminal.id)
        logs.set_up(settings.local.log_level)
        self._warn(settings)
        self._processor.reconfigure(settings, terminal.id)
        if self._link:
            self._link.reconfigure(settings, self._registration(terminal))
        else:
            self._start_link(terminal)
        self._api.reconfigure(settings.local)
        if settings.local.status_file != before.local.status_file:
            self._status_file.stop(remove=True)
            self._status_file = StatusFile(settings.local.status_file, self._store)
            self._status_file.start()
        if settings.local.state_dir != before.local.state_dir:
            log.warning("local.state_dir changed: the next start of the agent uses the journal there; move %s while "
                        "the agent is stopped, or what ran before is not known and may run again", FILE)
        return changed

    # -- start and end -------------------------------------------------------------------------------------------

    def _first_settings(self) -> tuple[Settings, Terminal | None]:
        """The settings and the terminal's identity; None for the latter where the settings have mistakes."""
        try:
            settings, terminal = load_identified(self._config_dir)
        except SettingsError as error:
            usable = error.usable or load(None)
            self._complain(error, WAITING)
            self._store.identity(usable.terminal.id)
            return usable, None
        logs.set_up(settings.local.log_level)
        self._warn(settings)
        self._store.identity(terminal.id)
        return settings, terminal

    def _complain(self, error: SettingsError, consequence: str) -> None:
        for mistake in error.mistakes:
            log.error("settings: %s", clean(mistake, 500))
        log.error("settings: correct them, then supervisorctl signal HUP econduit:agent (%s)", consequence)
        more = f" (and {len(error.mistakes) - 1} more)" if len(error.mistakes) > 1 else ""
        self._store.problem("settings", f"{consequence}: {error.mistakes[0]}{more}")
        if self._link is None:
            self._store.offline(Reason.SETTINGS.text(f"{error.mistakes[0]}{more}"))

    def _warn(self, settings: Settings) -> None:
        for warning in settings.warnings():
            log.warning("settings: %s", warning)

    def _registration(self, terminal: Terminal) -> bytes:
        return register(terminal.type, terminal.model, terminal.id, terminal.software_version,
                        self._settings.registration.ack_heartbeat)

    def _start_link(self, terminal: Terminal) -> None:
        self._store.offline(Reason.STARTING.words)     # no longer `settings wrong`
        policy: Policy[Endpoint] = Policy(self._settings.reconnect, random.random)
        self._link = Link(self._settings, self._registration(terminal), self._store, self._processor, policy)
        self._link_greenlet = self._spawn(self._link.run)

    def _spawn(self, work: Callable[[], None]) -> "gevent.Greenlet[[], None]":
        greenlet = gevent.spawn(work)
        greenlet.link_exception(self._greenlet_failed)
        return greenlet

    def _greenlet_failed(self, greenlet: "gevent.Greenlet[[], None]") -> None:
        log.critical("the agent ends itself because of a bug: %s", type(greenlet.exception).__name__)
        self._failed = True
        if greenlet is self._link_greenlet:
            self._store.offline(Reason.FAILED.words)
        self._stop.set()

    def _handle_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._asked_to_stop, number)
        gevent.signal_handler(signal.SIGHUP, self._asked_to_reload)
        signals.release()

    def _asked_to_stop(self, number: int) -> None:
        log.info("asked to stop (%s)", signal.Signals(number).name)
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _asked_to_reload(self) -> None:
        log.info("asked to read the settings again (SIGHUP)")
        self._reload_due.set()      # handled once this agent serves the terminal

    def _reload_as_asked(self) -> None:
        with contextlib.suppress(SettingsError):    # logged where they are read
            self.reload()

    def _reload_once_right(self) -> None:
        with contextlib.suppress(SettingsError):    # which has been said
            load_identified(self._config_dir)
            self.reload()

    def _shut_down(self) -> int:
        self._store.phase(Phase.STOPPING)
        drain = gevent.spawn(self._processor.drain, self._settings.transactions.drain)
        waited: list[Event | gevent.Greenlet[..., bool]] = [drain, self._hurry]
        gevent.wait(waited, count=1)
        if not drain.ready() or not drain.value:
            log.error("a transaction is still in progress: its answer is lost to this process, its outcome unknown")
        drain.kill()
        if self._link and self._link_greenlet:
            self._link.stop()
            self._link_greenlet.join(LINK_STOP_TIME)
        self._store.offline((Reason.FAILED if self._failed else Reason.STOPPED).words)
        self._processor.close()
        self._journal.close()
        self._status_file.stop()
        self._api.stop()
        log.info("stopped")
        return 1 if self._failed else 0

    # -- in the background -----------------------------------------------------------------------------------------

    def _watch_the_watchdog(self) -> None:
        """Say so when the watchdog is silent for three of its intervals, and work on without it."""
        while True:
            limit = 3 * self._settings.watchdog.report_interval
            gevent.sleep(limit / 6)
            age = self._store.report_age()
            if (time.monotonic() - self._began if age is None else age) <= limit:
                continue
            if "watchdog" not in self._store.snapshot().problems:
                log.warning("watchdog silent: no report for %g s; the agent works on without it", limit)
            self._store.problem("watchdog", "watchdog silent")
            if self._link:
                self._link.forget_network()

    def _follow_idle(self) -> None:
        """The link does what it postponed when the transaction in progress is over."""
        with self._store.subscribe() as changes:
            while True:
                snapshot = changes.wait(None)
                if snapshot and snapshot.idle and self._link:
                    self._link.idle()

    def _follow_wall_clock(self) -> None:
        while True:
            gevent.sleep(CLOCK_INTERVAL)
            self._store.follow_wall_clock()
