"""The command line of econduit-certify. Mistakes on it exit with 4: 2 means INCONCLUSIVE."""
import argparse
from argparse import Namespace

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import Argument, Command, Program, argument

WRONG = 4
DEVICE = "device.toml"
EPILOG = """exit status: 0 nothing failed, 1 FAIL, 2 INCONCLUSIVE (and nothing failed), 3 no device came,
4 wrong command line or device.toml"""


class Wrong(Exception):
    """The command line or a file on it cannot be used; the text says why, a line for each mistake."""


def ports(text: str) -> tuple[int, int | None]:
    """"9000,9001" or "9000"."""
    found = [_port(part.strip()) for part in text.split(",")]
    if len(found) > 2 or (len(found) == 2 and found[0] == found[1] != 0):
        raise argparse.ArgumentTypeError(f"{text!r}: one or two different ports, such as 9000,9001")
    return found[0], found[1] if len(found) > 1 else None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return int(text)


def address(text: str) -> tuple[str, int]:
    """"127.0.0.1:9010", "[::1]:9010"."""
    host, colon, port = text.rpartition(":")
    host = host.strip("[]")
    if not colon or not host:
        raise argparse.ArgumentTypeError(f"{text!r}: ADDRESS:PORT is wanted")
    return host, _port(port)


def endpoints(text: str) -> list[tuple[str, int]]:
    """"cloud:9000,cloud:9001"."""
    found = [address(part.strip()) for part in text.split(",")]
    if len(found) > 2:
        raise argparse.ArgumentTypeError(f"{text!r}: one or two endpoints")
    return found


def seconds(text: str) -> float:
    """A positive number."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return number


def count(text: str) -> int:
    """1 to 1000."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to 1000")
    return int(text)


def _terminal(options: Namespace) -> int:
    from econduit_terminal.sandbox.certify import run_terminal
    return run_terminal.main(options)


def _cloud(options: Namespace) -> int:
    from econduit_terminal.sandbox.certify import run_cloud
    return run_cloud.main(options)


def _self(options: Namespace) -> int:
    from econduit_terminal.sandbox.certify import run_self
    return run_self.main(options)


def _init(options: Namespace) -> int:
    from econduit_terminal.sandbox.certify import init
    return init.main(options)


def _reports(options: Namespace) -> int:
    from econduit_terminal.sandbox.certify import judge_reports
    return judge_reports.main(options)


RUN: tuple[Argument, ...] = (
    argument("--out", metavar="DIR", default="certification",
             help="for result.json, report.html, junit.xml, archive.zip (%(default)s)"),
    argument("--profile", choices=("quick", "full", "long"), default="full", help="(%(default)s)"),
    argument("--hours", metavar="N", type=seconds, default=4.0, help="of the long profile's long cases (%(default)s)"),
    argument("--only", metavar="CASE", action="append", default=[],
             help="these cases or sections: 3.6, 3, 3.6,4 (may be given several times)"),
    argument("--from-failed", metavar="DIR", help="only the cases that did not pass in an earlier run's report"),
    argument("--repeat", metavar="N", type=count, default=1, help="times; the worst verdict of each case counts"),
    argument("--strict", action="store_true", help="NON-STRICT fails"),
    argument("--key", metavar="FILE", help="signs the archive with this Ed25519 key (PEM)"),
    argument("--list", action="store_true", help="lists the cases, and which apply"),
)
TERMINAL: tuple[Argument, ...] = (
    argument("--device", metavar="FILE", default=DEVICE, help="what is declared of the device (%(default)s)"),
    argument("--ports", metavar="PRIMARY,SECONDARY", type=ports, default=(9000, 9001), help="(9000,9001)"),
    argument("--host", metavar="ADDRESS", default="0.0.0.0", help="address to listen on (%(default)s)"),
    argument("--page", metavar="ADDRESS:PORT", default="127.0.0.1:9010", type=address,
             help="where the page for the person is (%(default)s)"),
    argument("--no-person", action="store_true",
             help="nobody is asked: what only a person can answer is INCONCLUSIVE"),
    argument("--wait", metavar="S", type=seconds,
             help="seconds to wait for the device at first (600, or 60 with --no-person)"),
)
CLOUD: tuple[Argument, ...] = (
    argument("endpoint", metavar="HOST:PORT[,HOST:PORT]", type=endpoints, nargs="?",
             help="primary and perhaps secondary endpoint"),
    argument("--url", metavar="URL", default="",
             help="sends test transactions: the address of runTransaction, or of its host"),
    argument("--terminal-id", metavar="ID", default="29531204", help="(%(default)s)"),
    argument("--terminal-type", metavar="TYPE", default="TerminalManufacturer", help="one that is valid (%(default)s)"),
    argument("--invalid-type", metavar="TYPE", default="NoSuchTerminalType",
             help="one that is not; empty: this cloud takes every type (%(default)s)"),
)
SELF = (argument("--part", choices=("terminal", "cloud", "both"), default="both", help="(%(default)s)"),)
INIT = (argument("file", nargs="?", default="device.toml", help="(%(default)s)"),
        argument("--force", action="store_true", help="replaces a file that is there"),
        argument("--defaults", action="store_true", help="asks nothing"))
VERIFY = (argument("archive", metavar="ARCHIVE", help="archive.zip, or the directory that holds it"),
          argument("--public", metavar="FILE", help="the signer's public key (PEM), had another way"))
COMPARE = (argument("first", metavar="A", help="a directory, an archive or a result.json"),
           argument("second", metavar="B"))
ABOUT = "Certifies a payment terminal of any make, or a cloud, against the eConduit Direct document."
PROGRAM = Program("econduit-certify", ABOUT, VERSION, (
    Command("terminal", "is the cloud, and examines the terminal that dials it", _terminal, (*TERMINAL, *RUN), EPILOG),
    Command("cloud", "is the terminal, and examines the cloud", _cloud, (*CLOUD, *RUN), EPILOG),
    Command("self", "our own terminal and sandbox cloud, in a network of namespaces", _self, (*SELF, *RUN), EPILOG),
    Command("init", "writes a device.toml; asks, when there is a terminal to ask", _init, INIT),
    Command("verify", "whether an archive is intact, and who signed it", _reports, VERIFY,
            "exit status: 0 intact (and signed by --public), 1 not, 4 cannot be read"),
    Command("compare", "what changed between two runs", _reports, COMPARE,
            "exit status: 0 nothing became worse, 1 something did, 4 cannot be read"),
))
