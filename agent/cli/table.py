"""The commands of econduit-agent: one table, from which the parser is made.

A command is a function that takes the parsed options and returns the exit code:

    0  done; for status: online          2  wrong usage or wrong settings
    1  for status: offline               4  the agent is not running, or does not answer

It is named as `module:function` and imported when it is called, so that no command pays for another one's imports and
`run` can be patched before any.
"""
import argparse
import os
import sys
from functools import partial
from importlib import import_module
from typing import Callable, NamedTuple

from econduit_terminal.conf.version import VERSION

PROGRAM = "econduit-agent"


class Command(NamedTuple):
    name: str
    about: str
    function: str
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None


def _socket(parser) -> None:
    parser.add_argument("--socket", metavar="PATH", help="the agent's socket, instead of local.socket in the settings")


def _status(parser) -> None:
    _socket(parser)
    parser.add_argument("--json", action="store_true", help="the status as one line of JSON")


def _reconnect(parser) -> None:
    _socket(parser)
    parser.add_argument("--reason", metavar="TEXT", default="asked for by econduit-agent reconnect",
                        help="why, for the log")


def _transactions(parser) -> None:
    parser.add_argument("--json", action="store_true", help="each as one line of JSON")
    parser.add_argument("--follow", action="store_true", help="and every change from now on, until Ctrl-C")


def _bugreport(parser) -> None:
    _socket(parser)
    parser.add_argument("--output", metavar="FILE", help="(default: econduit-bugreport-….tar.gz in this directory)")


COMMANDS = (
    Command("run", "keep this terminal connected to the eConduit Cloud", "econduit_terminal.agent.cli.run:run"),
    Command("status", "say whether the terminal is online, and why not", "econduit_terminal.agent.cli.local:status",
            _status),
    Command("watch", "a line for every change, until Ctrl-C", "econduit_terminal.agent.cli.local:watch", _socket),
    Command("reconnect", "close the connection and dial again now", "econduit_terminal.agent.cli.local:reconnect",
            _reconnect),
    Command("transactions", "say what became of the last transactions, without their contents",
            "econduit_terminal.agent.cli.transactions:transactions", _transactions),
    Command("check-config", "say whether the settings are right, or every mistake in them",
            "econduit_terminal.agent.cli.check:check_config"),
    Command("bugreport", "put everything that support asks for into one file, without secrets",
            "econduit_terminal.agent.cli.bugreport:bugreport", _bugreport),
)


def parse(arguments: list[str] | None = None, commands: tuple[Command, ...] = COMMANDS) -> argparse.Namespace:
    """The options, with `command`, `function` (ready to call) and `config_dir` (None: the default one)."""
    return parser(commands).parse_args(arguments)


def parser(commands: tuple[Command, ...] = COMMANDS) -> argparse.ArgumentParser:
    """The whole command line; the man page and the completion are made from it."""
    whole = argparse.ArgumentParser(PROGRAM, description="Keeps a payment terminal connected to the eConduit Cloud.")
    _config_dir(whole, None)
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    chosen = whole.add_subparsers(dest="command", required=True, metavar="command")
    for command in commands:
        own = chosen.add_parser(command.name, help=command.about, description=command.about)
        # Left unset here, so that the one given before the command stands.
        _config_dir(own, argparse.SUPPRESS)
        command.add_arguments(own)
        own.set_defaults(function=partial(_call, command.function))
    return whole


def _config_dir(parser, default) -> None:
    parser.add_argument("--config-dir", metavar="DIR", default=default,
                        help="the settings (default: $ECONDUIT_CONFIG_DIR, else /etc/econduit-terminal)")


def _call(function: str, options) -> int:
    module, _, name = function.partition(":")
    try:
        code = getattr(import_module(module), name)(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of a pipe closed it; Python must not complain about that at its end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
