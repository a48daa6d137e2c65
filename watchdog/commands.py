"""The commands of econduit-watchdog: one table, from which parser, manual page and completion are made.

- Wrong settings never end `run`: it keeps those that it had, or works by what is right in them.
- `check` and `links` first say what is wrong, go on with shipped values in its place, and exit with SETTINGS_WRONG.
- Each command imports what it needs when it is called; `run` is replaced by a smaller process (service.py).
"""
import logging
import os
import sys
from argparse import SUPPRESS, Namespace
from collections.abc import Callable, Iterable

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.settings import SettingsError, default_dir, load
from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.client import Client
from econduit_terminal.process import logs
from econduit_terminal.process.commands import CONFIG_DIR, Command, Program, argument
from econduit_terminal.process.logs import clean

from .config import WatchdogConfig

SETTINGS_WRONG = 2

log = logging.getLogger("watchdog")


def run(options: Namespace) -> int:
    """Becomes the process that watches."""
    directory = options.config_dir or default_dir()
    before = None if options.keep is None else WatchdogConfig.take_over(options.keep)
    try:
        config = WatchdogConfig.of(load(directory))
    except SettingsError as error:
        config = _despite(error, before)
    file = config.hand_over()
    logs.flush()
    os.execv(sys.executable, [sys.executable, "-m", "econduit_terminal.watchdog.service", str(file), str(directory)])


def check(options: Namespace) -> int:
    """Every layer once; the exit status names the first that fails."""
    return _by_settings(options, check_layers)


def links(options: Namespace) -> int:
    """What is there, then every change, until Ctrl-C."""
    return _by_settings(options, show_links)


PROGRAM = Program("econduit-watchdog", "Watches the network and the agent of an eConduit terminal.", VERSION, (
    Command("run", "watch the network and the agent until SIGTERM", run, (
        argument("--keep", type=int, help=SUPPRESS),)),     # on SIGHUP: a file with the settings until now
    Command("check", "ask every layer once and say what to do", check),
    Command("links", "print every change of the network", links),
), common=(CONFIG_DIR,))


def _despite(error: SettingsError, before: WatchdogConfig | None) -> WatchdogConfig:
    config = before
    if config is None:
        if error.usable is None:
            raise error
        config = WatchdogConfig.of(error.usable)
    logs.set_up(config.log_level)
    for mistake in error.mistakes:
        log.error("settings: %s", clean(mistake, 500))
    log.error("settings: correct them, then supervisorctl signal HUP econduit:watchdog (%s)",
              "those from before are kept" if before else "shipped values stand in for what is wrong")
    return config


def _by_settings(options: Namespace, work: Callable[[WatchdogConfig], int]) -> int:
    directory = options.config_dir or default_dir()
    try:
        config = WatchdogConfig.of(load(directory))
    except SettingsError as error:
        settings = error.usable_in(directory)
        if settings is None:
            print(f"{error}\nname another --config-dir", file=sys.stderr)
            return SETTINGS_WRONG
        if error.forbidden:
            print(f"{refusal(error.forbidden)}\nshipped values stand in for what cannot be read\n", file=sys.stderr)
        else:
            print(f"{error}\ncorrect them; until then shipped values stand in for what is wrong\n", file=sys.stderr)
        work(WatchdogConfig.of(settings))
        return SETTINGS_WRONG
    return work(config)


def check_layers(config: WatchdogConfig) -> int:
    """Prints a line for each layer. Returns the exit status (check.py)."""
    from econduit_terminal.contract.status import Outcome, Status
    from econduit_terminal.process.addresses import is_address

    from . import check, snapshot
    from .agent_status import AgentStatus
    from .dial_route import local_network
    from .probe_plan import plan
    from .probes import Prober
    from .resolver import Resolver
    from .state import State

    status = check.ask_agent(Client(config.socket))
    agent = AgentStatus().updated(status) if isinstance(status, Status) else AgentStatus()
    endpoints = tuple(dialed.endpoint for dialed in agent.endpoints) or config.endpoints
    resolver = Resolver()
    for dialed in agent.endpoints:
        resolver.learn(dialed.endpoint.host, dialed.addresses, dialed.outcome is Outcome.REGISTERED)

    def look() -> State:
        addresses = (address for one in endpoints for address in (one.host, *resolver.known(one.host)))
        return snapshot.read(config.interfaces, tuple(filter(is_address, addresses)))

    state = look()
    if state.addressed and not state.usable:    # there is a route to an endpoint in the own network once it is known
        for lookup in [resolver.start(one.host) for one in endpoints if not is_address(one.host)]:
            lookup.wait(config.probe_timeout)
        state = look()
    lines = check.network_lines(state, config.interfaces, check.watchdog_verdict(status))
    _print(lines)
    results, trusted = None, resolver.trusted(one.host for one in endpoints)
    if state.usable or state.endpoint_is_local or not state.readable:
        asked = plan(state, endpoints, config.reference_hosts, local_network(state, trusted))
        results = Prober(resolver).ask(asked, config.probe_timeout)
    rest = check.probe_lines(state, results, endpoints, agent, trusted) + check.agent_lines(status)
    _print(rest)
    return check.exit_status(lines + rest)


def show_links(config: WatchdogConfig) -> int:
    """First what is there, then a line for each change, with the time to the millisecond."""
    import selectors
    from datetime import datetime

    from . import snapshot
    from .netlink import Doorbell
    from .state import State, changes, remembering

    doorbell, before = Doorbell(), State()
    with selectors.DefaultSelector() as selector:
        selector.register(doorbell, selectors.EVENT_READ)
        while True:
            after = remembering(before, snapshot.read(config.interfaces))
            now = datetime.now().isoformat(sep=" ", timespec="milliseconds")
            _print(f"{now}  {change.fact:15} {change.detail}" for change in changes(before, after))
            before = after
            selector.select(config.poll)
            doorbell.drain()


def _print(lines: Iterable[object]) -> None:
    for line in lines:
        print(line, flush=True)
