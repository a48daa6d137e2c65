"""econduit-certify: the examiner of terminals and clouds."""
import io
import sys

from econduit_terminal.process.commands import call
from econduit_terminal.sandbox.certify.options import PROGRAM, WRONG, Wrong


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status (see options.EPILOG)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a locale cannot show is replaced, never raised.
            stream.reconfigure(errors="replace")
    try:
        options = PROGRAM.parse(arguments)
    except SystemExit as stopped:
        return WRONG if stopped.code == 2 else 0
    try:
        return call(options)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("econduit_terminal"):
            raise
        print(f"econduit-certify: {error.name} is missing: pip install 'econduit-terminal[certify]'", file=sys.stderr)
        return WRONG
    except Wrong as mistake:
        for line in str(mistake).splitlines():
            print(line if ":" in line.partition(" ")[0] else f"econduit-certify: {line}", file=sys.stderr)
        return WRONG


if __name__ == "__main__":
    sys.exit(main())
