"""The sandbox's programs, started as the command line says."""
import os
import ssl
import sys
from argparse import Namespace
from collections.abc import Callable

from econduit_terminal.process import logs
from econduit_terminal.sandbox.cloud.server import Cloud
from econduit_terminal.sandbox.payment_app import server as payment
from econduit_terminal.sandbox.payment_app.ledger import Ledger
from econduit_terminal.sandbox.program import announce, until_stopped

CANNOT = 2


def cloud(options: Namespace) -> int:
    """The cloud, until it is told to stop. Returns the exit status."""
    return _serving(_cloud, options)


def payment_app(options: Namespace) -> int:
    """The payment application, until it is told to stop, or for one request. Returns the exit status."""
    return _serving(_payment_app, options)


def _serving(serve: Callable[[Namespace], int], options: Namespace) -> int:
    logs.set_up(options.log_level)
    try:
        return serve(options)
    except (OSError, ValueError) as error:
        print(f"econduit-sandbox: {_words(error)}; econduit-sandbox {options.command} --help lists what may be chosen",
              file=sys.stderr)
        return CANNOT


def _words(error: OSError | ValueError) -> str:
    """Without the number that Python puts before what the system says, and with the file that it is about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _cloud(options: Namespace) -> int:
    tls = None
    if options.tls_cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(options.tls_cert, options.tls_key)
        except OSError as error:
            files = " with --tls-key ".join(filter(None, (options.tls_cert, options.tls_key)))
            raise OSError(error.errno, f"--tls-cert {files} cannot be used ({error.strerror or error})") from None
    served = Cloud(options.host, options.primary_port, options.secondary_port, options.http_port,
                   timeout=options.timeout, check_interval=options.check_interval, idle_timeout=options.idle_timeout,
                   send_timeout=options.send_timeout, terminal_types=tuple(options.terminal_type), tls=tls,
                   budget=options.budget)
    served.start()
    announce({**served.ports, "terminals": served.room.terminals, "pid": os.getpid()})
    until_stopped(options.until_stdin_closes)
    served.stop()
    return 0


def _payment_app(options: Namespace) -> int:
    heard = payment.announce_on_stdout if options.announce and not options.exec else None
    app = payment.PaymentApp(Ledger(options.ledger), options.hold, heard, options.echo)
    if options.exec:
        return payment.run_once(app)
    sock, address = payment.listen_on(options.listen)
    server = payment.serve(app, sock, options.gap)
    announce({"listen": address, "pid": os.getpid()})
    until_stopped(options.until_stdin_closes)
    server.stop(timeout=0.5)
    return 0
