"""TLS, verified, with an error that tells support what to correct.

The library is loaded by the first connection that needs it: a terminal with `tls = no` does not carry it in memory.
"""
import socket as std

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason
from econduit_terminal.process.logs import clean


class TlsFailed(Exception):
    """The peer answered, but not as the eConduit Cloud must; the text says what to check."""


def secure(sock: std.socket, endpoint: Endpoint, ca_file: str | None) -> std.socket:
    """The socket under TLS, its certificate verified against `ca_file` (None: the system's). Raises TlsFailed. Where
    nothing is returned the connection is closed, also by a deadline or a kill during the handshake."""
    from gevent import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)       # gevent's own: it verifies, and does not block
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
        else:
            context.load_default_certs()
    except OSError as error:        # an SSLError, too, is about the file here and not about the peer
        why = clean(getattr(error, "reason", None) or error.strerror or error)
        raise TlsFailed(Reason.TLS_FAILED.text(endpoint, f"cloud.ca_file: {why}")) from None
    try:
        secured = context.wrap_socket(sock, server_hostname=endpoint.host, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise TlsFailed(Reason.NO_CERTIFICATE.text(endpoint, error.verify_message)) from None
    except ssl.SSLError as error:
        raise TlsFailed(Reason.NO_TLS.text(endpoint, clean(error.reason or error))) from None
    except OSError as error:
        raise TlsFailed(Reason.TLS_FAILED.text(endpoint, error.strerror or error)) from None
    return secured
