"""The command line of econduit-sandbox: what may be asked of it. Whoever only reads it is not patched by gevent."""
import argparse
import urllib.parse
from argparse import Namespace

from econduit_terminal.conf.version import VERSION
from econduit_terminal.process.commands import Command, OneOf, Program, argument
from econduit_terminal.sandbox.cloud import faults
from econduit_terminal.sandbox.cloud.events import KINDS
from econduit_terminal.sandbox.fleet.quantities import rate
from econduit_terminal.sandbox.payment_app import outcomes


def controls() -> str:
    """The controls, for people."""
    lines = ["misbehave on demand: POST /sandbox/<control>?name=value (or a JSON body); GET /sandbox lists it too",
             "scope of each, left out means all: terminal=TerminalID port=primary|secondary", ""]
    for name, control in faults.CONTROLS.items():
        lines.append(f"  {name}: {control.help}" + (" (stays: times=N or until reset)" if control.stays else ""))
        lines += [f"      {key}: {parameter.help}" for key, parameter in control.parameters.items()]
    lines += ["", "GET /: the desk, a page for people with all of this",
              "GET /sandbox/terminals: who is registered, and how many at once at the most",
              "GET /sandbox/counts: how many are connected and registered, and how many registrations wait",
              "GET /sandbox/events?since=N&wait=SECONDS[&kind=…][&terminal=…]: what happened after event N; kinds:"]
    lines += [f"  {kind}: {meaning}" for kind, meaning in KINDS.items()]
    return "\n".join(lines)


def port(text: str) -> int:
    """A port number. Raises ArgumentTypeError, ValueError."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port, 0 to 65535")
    return number


def url(text: str) -> str:
    """An address of the HTTP side. Raises ArgumentTypeError."""
    if not urllib.parse.urlsplit(text).hostname:
        raise argparse.ArgumentTypeError("a URL, such as http://127.0.0.1:9080")
    return text


def _cloud(options: Namespace) -> int:
    from econduit_terminal.sandbox import run
    return run.cloud(options)


def _payment_app(options: Namespace) -> int:
    from econduit_terminal.sandbox import run
    return run.payment_app(options)


def _sale(options: Namespace) -> int:
    from econduit_terminal.sandbox.sale import sell
    return sell(options.http, options.terminal, options.amount, options.ref, options.kind, options.timeout)


BOTH = (
    argument("--until-stdin-closes", action="store_true", help="stop when stdin is closed as well"),
    argument("--log-level", default="info", choices=("debug", "info", "warning", "error"), help="(%(default)s)"),
)
CLOUD = (
    argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)"),
    argument("--primary-port", type=port, default=9000, metavar="N", help="0: any free one (%(default)s)"),
    argument("--secondary-port", type=port, default=9001, metavar="N", help="(%(default)s)"),
    argument("--http-port", type=port, default=9080, metavar="N", help="(%(default)s)"),
    argument("--timeout", type=float, default=180.0, metavar="S",
             help="seconds that runTransaction waits for an answer; one call: wait=S (%(default)s)"),
    argument("--check-interval", type=float, default=5.0, metavar="S",
             help="seconds between two checkStatus of a RefID; 0: no limit (%(default)s)"),
    argument("--idle-timeout", type=float, default=300.0, metavar="S",
             help="seconds without a sign of life that end a connection (%(default)s)"),
    argument("--send-timeout", type=float, default=10.0, metavar="S",
             help="seconds that a terminal may take to read what it is sent (%(default)s)"),
    argument("--budget", type=rate, metavar="RATE",
             help="registrations a second that the cloud takes, such as 2000/s; the others wait (as many as come)"),
    argument("--terminal-type", action="append", default=[], metavar="TYPE",
             help="accept only this TerminalType (may be given several times)"),
    argument("--tls-cert", metavar="FILE", help="speak TLS to terminals with this certificate"),
    argument("--tls-key", metavar="FILE", help="its key, when that is in another file"),
)
PAYMENT_APP = (
    OneOf((argument("--listen", default="tcp://127.0.0.1:9100", metavar="ADDRESS",
                    help="tcp://host:port or unix:///path (%(default)s)"),
           argument("--exec", action="store_true", help="one request on stdin, its answer on stdout"))),
    argument("--ledger", metavar="FILE", help="append a line for each request that is run"),
    argument("--hold", metavar="FILE", help="amount 8.88 waits while another process holds an flock on FILE"),
    argument("--gap", type=float, default=0.1, metavar="S",
             help="seconds of quiet that end a request that is not JSON (%(default)s)"),
    argument("--echo", action="store_true", help="answers tell what the application was handed, in JSON, XML and STX, "
             "whatever the amount; a request may ask for AnswerBytes and Delay (for econduit-certify)"),
    argument("--announce", action="store_true", help="a JSON line on stdout for each request; read them"),
)
SALE = (
    argument("--http", type=url, default="http://127.0.0.1:9080", metavar="URL", help="(%(default)s)"),
    argument("--terminal", required=True, metavar="ID", help="the TerminalID on the terminal's display"),
    argument("--amount", default="2.50", help="(%(default)s)"),
    argument("--ref", metavar="REFID", help="RefID; left out: a new one"),
    argument("--command", dest="kind", default="Sale", help="Sale, Void, … (%(default)s)"),
    argument("--timeout", type=float, default=200.0, metavar="S", help="seconds to wait (%(default)s)"),
)
PROGRAM = Program("econduit-sandbox", "An eConduit cloud and a payment application for your desk.", VERSION, (
    Command("cloud", "a cloud on two ports, and its HTTP side", _cloud, (*CLOUD, *BOTH), controls()),
    Command("payment-app", "a payment application that answers by amount", _payment_app, (*PAYMENT_APP, *BOTH),
            "what happens, by amount:\n" + outcomes.table()),
    Command("sale", "one transaction through the cloud; prints the answer, 0 when approved", _sale, SALE),
), default="cloud")
