"""What econduit-fleet load takes on its command line. What Locust takes beside it, and this does not name, stands
behind `--`."""
import argparse
import ipaddress

from econduit_terminal.conf.values import Endpoint, parse_endpoint
from econduit_terminal.process.commands import Argument, argument
from econduit_terminal.sandbox.cli import url
from econduit_terminal.sandbox.fleet import quantities
from econduit_terminal.sandbox.fleet.scenes import SCENES

SANDBOX = (Endpoint("127.0.0.1", 9000), Endpoint("127.0.0.1", 9001))
SANDBOX_URL = "http://127.0.0.1:9080"
MOST_SOURCES = 4096


def endpoints(text: str) -> tuple[Endpoint, ...]:
    """"cloud:9000,cloud:9001": the primary first. Raises ArgumentTypeError."""
    try:
        found = tuple(parse_endpoint(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if len(found) > 2 or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text!r}: one or two different endpoints, such as cloud:9000,cloud:9001")
    return found


def sources(text: str) -> tuple[str, ...]:
    """"10.0.0.5,10.0.0.6" or "127.0.1.0/28". Raises ArgumentTypeError."""
    found: list[str] = []
    try:
        for part in text.split(","):
            network = ipaddress.ip_network(part.strip())
            if network.num_addresses > MOST_SOURCES:
                raise argparse.ArgumentTypeError(f"{part}: at most {MOST_SOURCES} addresses")
            found += [str(address) for address in network.hosts()]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: addresses of this machine, or networks of them, such as "
                                         "10.0.0.5,10.0.0.6 or 127.0.1.0/28") from None
    return tuple(found)


def prefix(text: str) -> str:
    """Of the TerminalIDs. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isalnum() and len(text) <= 20):
        raise argparse.ArgumentTypeError(f"{text!r}: letters and digits, 20 at most")
    return text


CLOUD: tuple[Argument, ...] = (
    argument("--cloud", type=endpoints, metavar="HOST:PORT,…",
             help="the endpoints, the primary first (those of econduit-sandbox cloud on this machine)"),
    argument("--url", type=url, metavar="URL",
             help="the cloud's HTTP side, for sales and, where it is a sandbox cloud, for scenes (the sandbox's)"),
    argument("--key", default="sandbox", metavar="KEY", help="the ApiKey of the sales (%(default)s)"),
    argument("--password", default="sandbox", metavar="WORD", help="its ApiPassword (%(default)s)"),
)
FLEET: tuple[Argument, ...] = (
    argument("--ramp", type=quantities.rate, default=100.0, metavar="R",
             help="terminals that are started at a time, such as 100/s (100/s)"),
    argument("--scene", choices=[scene.name for scene in SCENES],
             help="what happens to the cloud once all are registered; none: they stay"),
    argument("--outage", type=quantities.duration, metavar="T", help="how long it lasts (each scene has its own time)"),
    argument("--settle", type=quantities.duration, default=5.0, metavar="T",
             help="how long all are registered before that (5s)"),
    argument("--patience", type=quantities.duration, default=600.0, metavar="T",
             help="how long their registration may take, once all are started and after the scene (10min)"),
    argument("--stay", type=quantities.duration, metavar="T",
             help="without a scene: how long all stay registered (until the load is stopped)"),
    argument("--sales", type=quantities.rate, default=0.0, metavar="R",
             help="sales through the cloud's public call, such as 200/s (none)"),
    argument("--latency", type=quantities.duration, default=1.0, metavar="T",
             help="the payment application's time for a transaction (1s)"),
    argument("--prefix", type=prefix, default="L", metavar="TEXT",
             help="of the TerminalIDs, before the worker's number and the terminal's own (%(default)s)"),
    argument("--source", type=sources, default=(), metavar="ADDRESS,…",
             help="local addresses to dial from, where one has not enough ports (towards 127.0.0.1 as many as needed)"),
    argument("--save", metavar="FILE", help="when each terminal was back, as JSON"),
)
LOCUST: tuple[Argument, ...] = (
    argument("--headless", action="store_true", help="Locust: begin at once, without its web page"),
    argument("--web-port", type=int, metavar="N", help="Locust: the port of its web page (8089)"),
    argument("--csv", metavar="PREFIX", help="Locust: write its statistics to PREFIX_stats.csv and others"),
    argument("--processes", type=int, metavar="N", help="Locust: so many workers on this machine; -1: one a processor"),
    argument("--master", action="store_true", help="Locust: lead workers, here or on other machines"),
    argument("--expect-workers", type=int, metavar="N", help="Locust: how many the master waits for (1)"),
    argument("--worker", action="store_true", help="Locust: work for a master, which says what is to be done"),
    argument("--master-host", metavar="HOST", help="Locust: where the worker's master is (127.0.0.1)"),
    argument("--master-port", type=int, metavar="N", help="Locust: its port (5557)"),
    argument("--master-bind-port", type=int, metavar="N", help="Locust: the master's own port (5557)"),
    argument("further", nargs="*", metavar="-- LOCUST OPTION", help="whatever else Locust takes: locust --help"),
)
EPILOG = """exit status: 0 all terminals were registered (again), 1 not all in time, 2 it cannot work as asked

  econduit-sandbox cloud --budget 200/s --log-level warning &
  econduit-fleet load --terminals 2k --scene cut --headless
  econduit-fleet load --terminals 20k --processes 2 --sales 200/s       http://127.0.0.1:8089 starts and shows it"""


def locust_words(options: argparse.Namespace) -> list[str]:
    """The words for Locust's own command line."""
    words: list[str] = []
    for flag in ("headless", "master", "worker"):
        words += [f"--{flag}"] if getattr(options, flag) else []
    for name in ("web_port", "csv", "processes", "expect_workers", "master_host", "master_port",
                 "master_bind_port"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return [*words, *options.further]
