"""econduit-sandbox: an eConduit cloud and a payment application for your desk."""
from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import os  # noqa: E402
import ssl  # noqa: E402
import sys  # noqa: E402
import urllib.parse  # noqa: E402

from econduit_terminal.conf import logs  # noqa: E402
from econduit_terminal.conf.output import survive_any_locale  # noqa: E402
from econduit_terminal.sandbox.cli import parser  # noqa: E402
from econduit_terminal.sandbox.cloud.server import Cloud  # noqa: E402
from econduit_terminal.sandbox.payment_app import server as payment  # noqa: E402
from econduit_terminal.sandbox.payment_app.ledger import Ledger  # noqa: E402
from econduit_terminal.sandbox.program import announce, until_stopped  # noqa: E402
from econduit_terminal.sandbox.sale import sell  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status: 2 for what cannot work as asked."""
    survive_any_locale()
    given = sys.argv[1:] if arguments is None else arguments
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given = ["cloud", *given]
    options = parser().parse_args(given)
    if options.command == "sale":
        if not urllib.parse.urlsplit(options.http).hostname:
            parser().error(f"--http {options.http}: a URL, such as http://127.0.0.1:9080")
        return sell(options.http, options.terminal, options.amount, options.ref, options.kind, options.timeout)
    logs.set_up(options.log_level)
    try:
        return run_cloud(options) if options.command == "cloud" else run_payment_app(options)
    except (OSError, ValueError) as error:
        print(f"econduit-sandbox: {_words(error)}; econduit-sandbox {options.command} --help lists what may be chosen",
              file=sys.stderr)
        return 2


def _words(error: OSError | ValueError) -> str:
    """Without the number that Python puts before what the system says, and with the file that it is about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def run_cloud(options: argparse.Namespace) -> int:
    """The cloud, until it is told to stop. Raises OSError when a port or a file cannot be had."""
    tls = None
    if options.tls_cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(options.tls_cert, options.tls_key)
        except OSError as error:
            files = " with --tls-key ".join(filter(None, (options.tls_cert, options.tls_key)))
            raise OSError(error.errno, f"--tls-cert {files} cannot be used ({error.strerror or error})") from None
    cloud = Cloud(options.host, options.primary_port, options.secondary_port, options.http_port,
                  timeout=options.timeout, check_interval=options.check_interval, idle_timeout=options.idle_timeout,
                  send_timeout=options.send_timeout, terminal_types=tuple(options.terminal_type), tls=tls)
    cloud.start()
    announce({**cloud.ports, "pid": os.getpid()})
    until_stopped(options.until_stdin_closes)
    cloud.stop()
    return 0


def run_payment_app(options: argparse.Namespace) -> int:
    """The payment application, until it is told to stop. Raises OSError, ValueError."""
    app = payment.PaymentApp(Ledger(options.ledger), options.hold,
                             payment.announce_on_stdout if options.announce and not options.exec else None)
    if options.exec:
        return payment.run_once(app)
    sock, address = payment.listen_on(options.listen)
    server = payment.serve(app, sock, options.gap)
    announce({"listen": address, "pid": os.getpid()})
    until_stopped(options.until_stdin_closes)
    server.stop(timeout=0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
