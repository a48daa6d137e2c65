"""The command line of econduit-fleet. What a command needs is imported when it is called."""
from argparse import Namespace

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import Command, Program
from econduit_terminal.sandbox.fleet.scenes import SCENES

WRONG = 2
"""Exit status for what cannot work as asked; argparse's own."""
EXTRA = "pip install 'econduit-terminal[fleet]'"


def _scenes(_: Namespace) -> int:
    for scene in SCENES:
        print(f"{scene.name:<14}{scene.about}" + (f" ({scene.outage:g} s)" if scene.outage else ""))
    return 0


ABOUT = "What a fleet of terminals does to its cloud: in a model, and on real sockets."
PROGRAM = Program("econduit-fleet", ABOUT, VERSION, (
    Command("scenes", "lists what can happen to the cloud", _scenes),
))
