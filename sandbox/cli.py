"""The command line of econduit-sandbox: what may be asked of it. Whoever only reads it is not patched by gevent."""
import argparse

from econduit_terminal.conf.version import VERSION
from econduit_terminal.sandbox.cloud import faults
from econduit_terminal.sandbox.cloud.events import KINDS
from econduit_terminal.sandbox.payment_app import outcomes

DESCRIPTION = "An eConduit cloud and a payment application for your desk."


def controls() -> str:
    """The controls, for people."""
    lines = ["misbehave on demand: POST /sandbox/<control>?name=value (or a JSON body); GET /sandbox lists it too",
             "scope of each, left out means all: terminal=TerminalID port=primary|secondary", ""]
    for name, control in faults.CONTROLS.items():
        lines.append(f"  {name}: {control.help}" + (" (stays: times=N or until reset)" if control.stays else ""))
        lines += [f"      {key}: {parameter.help}" for key, parameter in control.parameters.items()]
    lines += ["", "GET /sandbox/terminals: who is registered, and how many at once at the most",
              "GET /sandbox/events?since=N&wait=SECONDS[&kind=…][&terminal=…]: what happened after event N; kinds:"]
    lines += [f"  {kind}: {meaning}" for kind, meaning in KINDS.items()]
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(prog="econduit-sandbox", description=DESCRIPTION)
    whole.add_argument("--version", action="version", version=VERSION)
    commands = whole.add_subparsers(dest="command", metavar="cloud (default) | payment-app | sale")
    raw = argparse.RawDescriptionHelpFormatter

    cloud = commands.add_parser("cloud", help="a cloud on two ports, and its HTTP side", epilog=controls(),
                                formatter_class=raw)
    cloud.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    cloud.add_argument("--primary-port", type=_port, default=9000, metavar="N", help="0: any free one (%(default)s)")
    cloud.add_argument("--secondary-port", type=_port, default=9001, metavar="N", help="(%(default)s)")
    cloud.add_argument("--http-port", type=_port, default=9080, metavar="N", help="(%(default)s)")
    cloud.add_argument("--timeout", type=float, default=180.0, metavar="S",
                       help="seconds that runTransaction waits for an answer; one call: wait=S (%(default)s)")
    cloud.add_argument("--check-interval", type=float, default=5.0, metavar="S",
                       help="seconds between two checkStatus of a RefID; 0: no limit (%(default)s)")
    cloud.add_argument("--idle-timeout", type=float, default=300.0, metavar="S",
                       help="seconds without a sign of life that end a connection (%(default)s)")
    cloud.add_argument("--send-timeout", type=float, default=10.0, metavar="S",
                       help="seconds that a terminal may take to read what it is sent (%(default)s)")
    cloud.add_argument("--terminal-type", action="append", default=[], metavar="TYPE",
                       help="accept only this TerminalType (may be given several times)")
    cloud.add_argument("--tls-cert", metavar="FILE", help="speak TLS to terminals with this certificate")
    cloud.add_argument("--tls-key", metavar="FILE", help="its key, when that is in another file")

    app = commands.add_parser("payment-app", help="a payment application that answers by amount", formatter_class=raw,
                              epilog="what happens, by amount:\n" + outcomes.table())
    where = app.add_mutually_exclusive_group()
    where.add_argument("--listen", default="tcp://127.0.0.1:9100", metavar="ADDRESS",
                       help="tcp://host:port or unix:///path (%(default)s)")
    where.add_argument("--exec", action="store_true", help="one request on stdin, its answer on stdout")
    app.add_argument("--ledger", metavar="FILE", help="append a line for each request that is run")
    app.add_argument("--hold", metavar="FILE", help="amount 8.88 waits while another process holds an flock on FILE")
    app.add_argument("--gap", type=float, default=0.1, metavar="S",
                     help="seconds of quiet that end a request that is not JSON (%(default)s)")
    app.add_argument("--announce", action="store_true", help="a JSON line on stdout for each request; read them")

    for command in (cloud, app):
        command.add_argument("--until-stdin-closes", action="store_true", help="stop when stdin is closed as well")
        command.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))

    sale = commands.add_parser("sale", help="one transaction through the cloud; prints the answer, 0 when approved")
    sale.add_argument("--http", default="http://127.0.0.1:9080", metavar="URL", help="(%(default)s)")
    sale.add_argument("--terminal", required=True, metavar="ID", help="the TerminalID on the terminal's display")
    sale.add_argument("--amount", default="2.50", help="(%(default)s)")
    sale.add_argument("--ref", metavar="REFID", help="RefID; left out: a new one")
    sale.add_argument("--command", dest="kind", default="Sale", help="Sale, Void, … (%(default)s)")
    sale.add_argument("--timeout", type=float, default=200.0, metavar="S", help="seconds to wait (%(default)s)")
    return whole


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port, 0 to 65535")
    return number
