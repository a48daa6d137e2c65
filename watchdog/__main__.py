"""econduit-watchdog: watches the network and the agent of an eConduit terminal.

    econduit-watchdog run       the watchdog itself, in the foreground: supervisord starts it
    econduit-watchdog check     every layer once: PASS or FAIL, and what to do; the exit status names the first to fail
    econduit-watchdog links     a line for every change of the network, while you pull cables; end it with Ctrl-C
"""
import sys

from econduit_terminal.process import signals

if "run" in sys.argv:
    signals.hold()      # now: the imports take their time

import argparse
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.settings import SettingsError, default_dir, load
from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.client import Client
from econduit_terminal.process import logs
from econduit_terminal.process.logs import clean
from econduit_terminal.process.output import survive_any_locale
from econduit_terminal.watchdog.orders import Orders, hand_over, of, take_over

SETTINGS_WRONG = 2

log = logging.getLogger("watchdog")


def main(arguments: list[str] | None = None) -> int:
    survive_any_locale()
    asked = parser().parse_args(arguments)
    if asked.command is not run:
        signals.release()
    asked.config_dir = asked.config_dir or asked.config_dir_before or default_dir()
    wrong, before = 0, None if asked.keep is None else take_over(asked.keep)
    try:
        orders = of(load(asked.config_dir))
    except SettingsError as error:
        if asked.command is run:
            orders = _orders_despite(error, before)
        elif (settings := error.usable_in(asked.config_dir)) is None:
            print(f"{error}\nname another --config-dir", file=sys.stderr)
            return SETTINGS_WRONG
        else:
            if error.forbidden:
                print(f"{refusal(error.forbidden)}\nshipped values stand in for what cannot be read\n", file=sys.stderr)
            else:
                print(f"{error}\nmend them; until then the shipped values stand in for what is wrong\n",
                      file=sys.stderr)
            orders, wrong = of(settings), SETTINGS_WRONG
    try:
        status = asked.command(orders, asked.config_dir)
        return wrong or status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _orders_despite(error: SettingsError, before: Orders | None) -> Orders:
    """Wrong settings end no watchdog: those until now stay, or at the start what is right in them counts."""
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


def parser() -> argparse.ArgumentParser:
    """The whole command line; the man page and the completion are made from it."""
    whole = argparse.ArgumentParser(prog="econduit-watchdog", description=__doc__.partition("\n")[0])
    whole.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    _config_dir(whole, "config_dir_before")
    commands = whole.add_subparsers(required=True, metavar="run | check | links")
    for name, command, text in (
        ("run", run, "watch the network and the agent until SIGTERM"),
        ("check", check_layers, "ask every layer once and say what to do"),
        ("links", links, "print every change of the network"),
    ):
        sub = commands.add_parser(name, help=text, description=text)
        _config_dir(sub, "config_dir")
        sub.set_defaults(command=command, keep=None)
        if command is run:
            sub.add_argument("--keep", type=int, help=argparse.SUPPRESS)    # the orders until now, on SIGHUP
    return whole


def _config_dir(of: argparse.ArgumentParser, name: str) -> None:
    of.add_argument("--config-dir", dest=name, type=Path, metavar="DIR",
                    help="where the settings are (default: $ECONDUIT_CONFIG_DIR, else /etc/econduit-terminal)")


def run(orders: Orders, directory: Path) -> int:
    """Becomes the process that watches (service.py)."""
    file = hand_over(orders)
    logs.flush()
    os.execv(sys.executable, [sys.executable, "-m", "econduit_terminal.watchdog.service", str(file), str(directory)])


def check_layers(orders: Orders, directory: Path) -> int:
    from econduit_terminal.contract.status import Outcome, Status
    from econduit_terminal.watchdog import check, probes, snapshot
    from econduit_terminal.watchdog.addresses import is_address
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


def links(orders: Orders, directory: Path) -> int:
    """Until Ctrl-C. First what is there, then a line for each change, with the time to the millisecond."""
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
            for change in changes(before, after):
                print(f"{now}  {change.fact:15} {change.detail}", flush=True)
            before = after
            selector.select(orders.poll)
            doorbell.drain()


def _print(lines: Iterable[object]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
