"""econduit-certify: the examiner of terminals and clouds."""
import contextlib
import sys

from econduit_terminal.process.commands import call
from econduit_terminal.process.output import survive_any_locale
from econduit_terminal.sandbox.certify.options import PROGRAM, WRONG, Wrong
from econduit_terminal.sandbox.certify.screen import Screen, complain


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status (see options.EPILOG)."""
    survive_any_locale()
    try:
        options = PROGRAM.parse(arguments)
    except SystemExit as stopped:
        return WRONG if stopped.code == 2 else 0
    try:
        with Screen(sys.stdout) if sys.stdout is not None else contextlib.nullcontext():
            return call(options)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("econduit_terminal"):
            raise
        complain(f"the Python module {error.name} is missing: apt install python3-{error.name}, or with pip, in the "
                 "source tree: pip install '.[certify]'")
        return WRONG
    except Wrong as mistake:
        for line in str(mistake).splitlines():
            if ":" in line.partition(" ")[0]:
                print(line, file=sys.stderr)
            else:
                complain(line)
        return WRONG


if __name__ == "__main__":
    sys.exit(main())
