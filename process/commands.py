"""One way to build a command line: a program is a table of commands, and a command a function with its arguments.

Rules
- The table alone is imported to parse. A command's function imports what it needs when it is called, so that no command
  pays for another one's imports, and a program may be patched before any.
- What every command takes (`common`) may come before the command or after it; after it wins.
- A closed pipe ends a command quietly with 0, Ctrl-C with 130 (128 + SIGINT, as shells count). Without standard output
  it says nothing and its status tells; one that cannot be written, such as a file on a full disk, ends it with 74
  (EX_IOERR, sysexits.h).
- The manual page and the completion are made from `Program.parser` when the package is built.
"""
import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from econduit_terminal.process.output import OutputError, discard_output

INTERRUPTED = 130
UNWRITABLE = 74


class Container(Protocol):
    """Where an argument may be added: a parser or one of its groups."""

    def add_argument(self, *flags: str, **options: Any) -> argparse.Action:
        """As argparse does."""


@dataclass(frozen=True)
class Argument:
    """One call of `add_argument`."""

    flags: tuple[str, ...]
    options: dict[str, Any]

    def add_to(self, container: Container, **change: Any) -> None:
        """Adds it, with these options in place of its own."""
        container.add_argument(*self.flags, **{**self.options, **change})


def argument(*flags: str, **options: Any) -> Argument:
    """An argument, written as for argparse."""
    return Argument(flags, options)


CONFIG_DIR = argument("--config-dir", type=Path, metavar="DIR",
                      help="the settings (default: $ECONDUIT_CONFIG_DIR, else /etc/econduit-terminal)")
"""Of every program that reads them."""


@dataclass(frozen=True)
class OneOf:
    """Arguments of which at most one may be given."""

    arguments: tuple[Argument, ...]

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Adds them, as a group."""
        group = parser.add_mutually_exclusive_group()
        for each in self.arguments:
            each.add_to(group)


@dataclass(frozen=True)
class Command:
    """`run` takes the parsed options and returns the exit status. `about`: what it does, for the help."""

    name: str
    about: str
    run: Callable[[argparse.Namespace], int]
    arguments: tuple[Argument | OneOf, ...] = ()
    epilog: str | None = None


@dataclass(frozen=True)
class Program:
    """A program's whole command line. `default`: the command that is meant when none is named."""

    name: str
    about: str
    version: str
    commands: tuple[Command, ...]
    common: tuple[Argument, ...] = ()
    default: str | None = None

    def parser(self) -> argparse.ArgumentParser:
        """The parser; `command` and `run` are set in what it returns."""
        whole = argparse.ArgumentParser(self.name, description=self.about)
        for each in self.common:
            each.add_to(whole)
        whole.add_argument("--version", action="version", version=f"{self.name} {self.version}")
        chosen = whole.add_subparsers(dest="command", required=True,
                                      metavar=" | ".join(command.name for command in self.commands))
        for command in self.commands:
            about = command.about + (" (the default command)" if command.name == self.default else "")
            own = chosen.add_parser(command.name, help=about, description=about, epilog=command.epilog,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
            for each in self.common:
                each.add_to(own, default=argparse.SUPPRESS)     # so that the one given before the command counts
            for own_argument in command.arguments:
                own_argument.add_to(own)
            own.set_defaults(run=command.run)
        return whole

    def parse(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """The options. Ends the process with status 2 and the usage where they are wrong."""
        given = list(sys.argv[1:] if arguments is None else arguments)
        if self.default and (not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version"))):
            given.insert(0, self.default)
        return self.parser().parse_args(given)


def call(options: argparse.Namespace) -> int:
    """Runs the command that `Program.parse` found; returns the exit status."""
    try:
        status: int = options.run(options)
        if sys.stdout is not None:      # it is None where the process was started without one
            sys.stdout.flush()
        return status
    except BrokenPipeError:     # the reader of a pipe closed it
        discard_output()
        return 0
    except OutputError as error:
        discard_output()
        print(f"standard output cannot be written: {error.strerror}", file=sys.stderr)
        return UNWRITABLE
    except KeyboardInterrupt:
        return INTERRUPTED
