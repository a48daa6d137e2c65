"""The command line of econduit-fleet. What a command needs is imported when it is called."""
from argparse import Namespace
from pathlib import Path

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import Argument, Command, Program, argument
from econduit_terminal.sandbox.fleet import quantities
from econduit_terminal.sandbox.fleet.load import options as load
from econduit_terminal.sandbox.fleet.scenes import SCENES, Cloud

WRONG = 2
"""Exit status for what cannot work as asked; argparse's own."""


def _scenes(_: Namespace) -> int:
    for scene in SCENES:
        print(f"{scene.name:<14}{scene.about}" + (f" ({scene.outage:g} s)" if scene.outage else ""))
    return 0


def _simulate(options: Namespace) -> int:
    from econduit_terminal.sandbox.fleet import simulate
    return simulate.main(options)


def _load(options: Namespace) -> int:
    from econduit_terminal.sandbox.fleet.load import run
    return run.main(options)


def _advise(options: Namespace) -> int:
    from econduit_terminal.sandbox.fleet import advise
    return advise.main(options)


DEFAULT = Cloud()
CLOUD: tuple[Argument, ...] = (
    argument("--budget", type=quantities.rate, default=DEFAULT.budget, metavar="R",
             help="registrations that the cloud can do, such as 2000/s (2000/s)"),
    argument("--queue", type=quantities.count, default=DEFAULT.queue, metavar="N",
             help="connections that it accepts while they wait for their registration (%(default)s)"),
    argument("--backlog", type=quantities.count, default=DEFAULT.backlog, metavar="N",
             help="connections that wait until they are accepted, at each endpoint (%(default)s)"),
    argument("--notices", action="store_true",
             help="the cloud notices, and drops, the registration of a terminal that hung up while it waited"),
)
FLEET: tuple[Argument, ...] = (
    argument("--terminals", type=quantities.terminals, default=20_000, metavar="N",
             help="such as 500, 20k, 1M (%(default)s)"),
    argument("--config-dir", type=Path, metavar="DIR",
             help="the terminals' settings, as econduit-agent reads them (those that are shipped)"),
)
SIMULATE: tuple[Argument, ...] = (
    argument("--scene", action="append", choices=[*(scene.name for scene in SCENES), "all"],
             help="what happens; may be given several times (away)"),
    argument("--outage", type=quantities.duration, metavar="T",
             help="how long it lasts, such as 90s, 10min (each scene has its own time: econduit-fleet scenes)"),
    argument("--rtt", type=quantities.duration, default=0.03, metavar="T", help="a round trip to the cloud (30ms)"),
    argument("--seed", type=quantities.seed, default=1, metavar="N",
             help="of chance; the same seed gives the same figures (%(default)s)"),
    argument("--alone", action="store_true", help="only this product's terminals, none to compare with"),
    argument("--json", action="store_true", help="the figures as JSON"),
    argument("--save", type=Path, metavar="FILE", help="writes a report with plots, one HTML page"),
)
ADVISE: tuple[Argument, ...] = (
    argument("--save", type=Path, metavar="FILE", help="writes the file, such as conf.d/fleet.ini (standard output)"),
)
ABOUT = "What a fleet of terminals does to its cloud: in a model, and on real sockets."
PROGRAM = Program("econduit-fleet", ABOUT, VERSION, (
    Command("simulate", "a model of the whole fleet, beside three other policies: how soon it is back, at what cost",
            _simulate, (*FLEET, *CLOUD, *SIMULATE)),
    Command("advise", "the settings that bring a fleet back soonest, as a file for conf.d with its figures", _advise,
            (FLEET[0], *CLOUD, *ADVISE)),
    Command("load", "the terminals themselves, on real sockets, led by Locust", _load,
            (*FLEET, *load.CLOUD, *load.FLEET, *load.LOCUST), load.EPILOG),
    Command("scenes", "lists what can happen to the cloud", _scenes),
))
