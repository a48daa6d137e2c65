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
from econduit_terminal.watchdog.orders import Orders, hand_over, of, take_over

SETTINGS_WRONG = 2

log = logging.getLogger("watchdog")


def run(options: Namespace) -> int:
    """Becomes the process that watches."""
    directory = options.config_dir or default_dir()
    before = None if options.keep is None else take_over(options.keep)
    try:
        orders = of(load(directory))
    except SettingsError as error:
        orders = _despite(error, before)
    file = hand_over(orders)
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


def _despite(error: SettingsError, before: Orders | None) -> Orders:
    orders = before
    if orders is None:
        if error.usable is None:
            raise error
        orders = of(error.usable)
    logs.set_up(orders.log_level)
    for mistake in error.mistakes:
        log.error("settings: %s", clean(mistake, 500))
    log.error("settings: mend them, then supervisorctl signal HUP econduit:watchdog (%s)",
              "those from before are kept" if before else "shipped values stand in for what is wrong")
    return orders


def _by_settings(options: Namespace, work: Callable[[Orders], int]) -> int:
    directory = options.config_dir or default_dir()
    try:
        orders = of(load(directory))
    except SettingsError as error:
        settings = error.usable_in(directory)
        if settings is None:
            print(f"{error}\nname another --config-dir", file=sys.stderr)
            return SETTINGS_WRONG
        if error.forbidden:
            print(f"{refusal(error.forbidden)}\nshipped values stand in for what cannot be read\n", file=sys.stderr)
        else:
            print(f"{error}\nmend them; until then the shipped values stand in for what is wrong\n", file=sys.stderr)
        work(of(settings))
        return SETTINGS_WRONG
    return work(orders)


def check_layers(orders: Orders) -> int:
    """Prints a line for each layer. Returns the exit status (check.py)."""
    from econduit_terminal.contract.status import Outcome, Status
    from econduit_terminal.process.addresses import is_address
    from econduit_terminal.watchdog import check, probes, snapshot
    from econduit_terminal.watchdog.agent_status import AgentStatus
    from econduit_terminal.watchdog.names import Names
    from econduit_terminal.watchdog.state import State
    from econduit_terminal.watchdog.verdict import nearby

    status = check.asked(Client(orders.socket))
    told = AgentStatus().heard(status) if isinstance(status, Status) else AgentStatus()
    endpoints = tuple(dialed.endpoint for dialed in told.endpoints) or orders.endpoints
    names = Names()
    for dialed in told.endpoints:
        names.learn(dialed.endpoint.host, dialed.addresses, dialed.outcome is Outcome.REGISTERED)

    def look() -> State:
        addresses = (address for one in endpoints for address in (one.host, *names.known(one.host)))
        return snapshot.read(orders.interfaces, tuple(filter(is_address, addresses)))

    state = look()
    if state.askable and not state.usable:      # a name of the own network has its way once it is looked up
        for lookup in [names.start(one.host) for one in endpoints if not is_address(one.host)]:
            lookup.wait(orders.probe_timeout)
        state = look()
    lines = check.network(state, orders.interfaces, check.watched(status))
    _print(lines)
    answers, meant = None, names.meant(one.host for one in endpoints)
    if state.usable or state.here or not state.readable:
        plan = probes.plan(state, endpoints, orders.reference_hosts, nearby(state, meant))
        answers = probes.Prober(names).ask(plan, orders.probe_timeout)
    rest = check.beyond(state, answers, endpoints, told, meant) + check.agent(status)
    _print(rest)
    return check.exit_status(lines + rest)


def show_links(orders: Orders) -> int:
    """First what is there, then a line for each change, with the time to the millisecond."""
    import selectors
    from datetime import datetime

    from econduit_terminal.watchdog import snapshot
    from econduit_terminal.watchdog.netlink import Doorbell
    from econduit_terminal.watchdog.state import State, changes, remembering

    doorbell, before = Doorbell(), State()
    with selectors.DefaultSelector() as selector:
        selector.register(doorbell, selectors.EVENT_READ)
        while True:
            after = remembering(before, snapshot.read(orders.interfaces))
            now = datetime.now().isoformat(sep=" ", timespec="milliseconds")
            _print(f"{now}  {change.fact:15} {change.detail}" for change in changes(before, after))
            before = after
            selector.select(orders.poll)
            doorbell.drain()


def _print(lines: Iterable[object]) -> None:
    for line in lines:
        print(line, flush=True)
