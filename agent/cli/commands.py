"""The commands of econduit-agent: one table, from which parser, manual page and completion are made.

    0  done; for status: online          2  wrong usage or wrong settings
    1  for status: offline               4  the agent is not running, or does not answer

Each function imports its command when it is called: `run` must be patched before that, and no command pays for another.
"""
from argparse import Namespace

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import CONFIG_DIR, Command, Program, argument

SOCKET = argument("--socket", metavar="PATH", help="the agent's socket, instead of local.socket in the settings")


def _run(options: Namespace) -> int:
    from ..app import run
    from .settings import config_dir
    return run(config_dir(options))


def _status(options: Namespace) -> int:
    from .local import status
    return status(options)


def _watch(options: Namespace) -> int:
    from .local import watch
    return watch(options)


def _reconnect(options: Namespace) -> int:
    from .local import reconnect
    return reconnect(options)


def _transactions(options: Namespace) -> int:
    from ..journal import listing
    from .settings import usable
    return listing.main(usable(options, "the journal's place"), options)


def _check_config(options: Namespace) -> int:
    from .check import check_config
    return check_config(options)


def _bugreport(options: Namespace) -> int:
    from .bugreport import bugreport
    return bugreport(options)


PROGRAM = Program("econduit-agent", "Keeps a payment terminal connected to the eConduit Cloud.", VERSION, (
    Command("run", "keep this terminal connected to the eConduit Cloud", _run),
    Command("status", "say whether the terminal is online, and why not", _status, (
        SOCKET, argument("--json", action="store_true", help="the status as one line of JSON"))),
    Command("watch", "a line for every change, until Ctrl-C", _watch, (SOCKET,)),
    Command("reconnect", "close the connection and dial again now", _reconnect, (
        SOCKET, argument("--reason", metavar="TEXT", default="asked for by econduit-agent reconnect",
                         help="why, for the log"))),
    Command("transactions", "say what became of the last transactions, without their contents", _transactions, (
        argument("--json", action="store_true", help="each as one line of JSON"),
        argument("--follow", action="store_true", help="and every change from now on, until Ctrl-C"))),
    Command("check-config", "say whether the settings are right, or every mistake in them", _check_config),
    Command("bugreport", "put everything that support asks for into one file, without secrets", _bugreport, (
        SOCKET, argument("--output", metavar="FILE", help="(default: econduit-bugreport-….tar.gz in this directory)"))),
), common=(CONFIG_DIR,))
