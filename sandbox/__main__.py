"""econduit-sandbox: an eConduit cloud and a payment application for your desk."""
from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from econduit_terminal.process.commands import call  # noqa: E402
from econduit_terminal.process.output import survive_any_locale  # noqa: E402
from econduit_terminal.sandbox.cli import PROGRAM  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status: 2 for what cannot work as asked."""
    survive_any_locale()
    return call(PROGRAM.parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
