"""econduit-watchdog: watches the network and the agent of an eConduit terminal (commands.py)."""
import sys

from econduit_terminal.process import signals

if "run" in sys.argv:
    signals.hold()      # now: the imports take their time

from econduit_terminal.process.commands import call
from econduit_terminal.process.output import survive_any_locale

from .commands import PROGRAM


def main(arguments: list[str] | None = None) -> int:
    survive_any_locale()
    options = PROGRAM.parse(arguments)
    if options.command != "run":
        signals.release()
    return call(options)


if __name__ == "__main__":
    sys.exit(main())
