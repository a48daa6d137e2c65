"""The command line of econduit-fleet. What a command needs is imported when it is called."""
from argparse import Namespace
from pathlib import Path

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import Argument, Command, Program, argument
from econduit_terminal.sandbox.fleet import quantities
from econduit_terminal.sandbox.fleet.load import options as load
from econduit_terminal.sandbox.fleet.scenes import SCENES

WRONG = 2
"""Exit status for what cannot work as asked; argparse's own."""
EXTRA = "pip install 'econduit-terminal[fleet]'"


def _scenes(_: Namespace) -> int:
    for scene in SCENES:
        print(f"{scene.name:<14}{scene.about}" + (f" ({scene.outage:g} s)" if scene.outage else ""))
    return 0


def _load(options: Namespace) -> int:
    from econduit_terminal.sandbox.fleet.load import run
    return run.main(options)


FLEET: tuple[Argument, ...] = (
    argument("--terminals", type=quantities.terminals, default=20_000, metavar="N",
             help="such as 500, 20k, 1M (%(default)s)"),
    argument("--config-dir", type=Path, metavar="DIR",
             help="the terminals' settings, as econduit-agent reads them (those that are shipped)"),
)
ABOUT = "What a fleet of terminals does to its cloud: in a model, and on real sockets."
PROGRAM = Program("econduit-fleet", ABOUT, VERSION, (
    Command("load", "the terminals themselves, on real sockets, led by Locust", _load,
            (*FLEET, *load.CLOUD, *load.FLEET, *load.LOCUST), load.EPILOG),
    Command("scenes", "lists what can happen to the cloud", _scenes),
))
