"""econduit-fleet: what a fleet of terminals does to its cloud."""
import sys

from econduit_terminal.process.commands import call
from econduit_terminal.process.output import survive_any_locale
from econduit_terminal.sandbox.fleet.options import PROGRAM, WRONG


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    survive_any_locale()
    options = PROGRAM.parse(arguments)
    try:
        return call(options)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("econduit_terminal"):
            raise
        print(f"econduit-fleet: the Python module {error.name} is missing: apt install python3-{error.name}, or with "
              "pip, in the source tree: pip install '.[fleet]'", file=sys.stderr)
        return WRONG


if __name__ == "__main__":
    sys.exit(main())
