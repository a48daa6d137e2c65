"""TLS against a server with a certificate of the test's own making."""
import contextlib
import subprocess
from dataclasses import replace

import gevent
import pytest
from gevent import ssl
from gevent.server import StreamServer

from econduit_terminal.agent.cloud.connection import Connection
from econduit_terminal.agent.cloud.dialed import DialFailed, Target
from econduit_terminal.agent.cloud.dialer import Dialer
from econduit_terminal.agent.cloud.findings import of_error
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.wire.dialect import response
from econduit_terminal.conf.values import Endpoint


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with `cert.pem` (for localhost) and `key.pem`."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def server(authority):
    def echo(sock, _):
        with contextlib.suppress(OSError):
            sock.sendall(sock.recv(100))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    it = StreamServer(("127.0.0.1", 0), echo, ssl_context=context)
    it.get_environ = None
    it.context = context
    hub_errors = gevent.get_hub().handle_error
    gevent.get_hub().handle_error = lambda *_: None     # the server's side of refused handshakes is not our subject
    it.start()
    yield it
    it.stop()
    gevent.get_hub().handle_error = hub_errors


def dial(settings, host, port, ca_file):
    settings = replace(settings, cloud=replace(settings.cloud, tls=True, ca_file=ca_file))
    return Dialer(settings).dial([Target(Endpoint(host, port))])


def test_a_verified_connection(settings, server, authority):
    dialed = dial(settings, "localhost", server.server_port, str(authority / "cert.pem"))
    dialed.socket.sendall(b"hello")
    assert dialed.socket.recv(100) == b"hello"
    dialed.socket.close()


def test_an_orderly_end_hears_of_the_clouds(settings, server, authority):
    settings = replace(settings, cloud=replace(settings.cloud, tls=True, ca_file=str(authority / "cert.pem")))
    connection = Connection(Dialer(settings).dial([Target(Endpoint("localhost", server.server_port))]), response)
    reading = gevent.spawn(connection.receive)
    gevent.idle()
    connection.shutdown()
    assert reading.get(timeout=5) == b""
    connection.close()


def test_a_peer_that_ends_tls_after_the_handshake_is_not_silent(settings, server, authority):
    """TLS 1.3: the client's handshake is over before the server finds that a certificate of its own is missing."""
    server.context.load_verify_locations(authority / "cert.pem")
    server.context.verify_mode = ssl.CERT_REQUIRED
    connection = Connection(dial(settings, "localhost", server.server_port, str(authority / "cert.pem")), response)
    with pytest.raises(OSError, match="TLS: .*CERTIFICATE_REQUIRED") as caught:
        connection.receive()
    assert of_error(caught.value) is Finding.CLOSED
    connection.close()


@pytest.mark.parametrize("host, trusted, text", [
    ("localhost", False, "certificate not accepted .*self.signed"),
    ("127.0.0.1", True, "certificate not accepted .*IP address mismatch")])
def test_a_certificate_that_does_not_fit(settings, server, authority, host, trusted, text):
    with pytest.raises(DialFailed, match=text) as caught:
        dial(settings, host, server.server_port, str(authority / "cert.pem") if trusted else None)
    found = caught.value.results.failures[Endpoint(host, server.server_port)]
    assert found.finding is Finding.TLS and found.address[1][1] == server.server_port


def test_a_peer_that_does_not_speak_tls(settings, clouds, authority):
    answering = gevent.spawn(lambda: clouds[0].accept().send(b"OK-REGISTRATION"))
    with pytest.raises(DialFailed, match="does not speak TLS as expected .*; check cloud.tls and the port"):
        dial(settings, *clouds[0].endpoint, str(authority / "cert.pem"))
    answering.join()


def test_a_peer_that_says_nothing(settings, clouds, authority):
    with pytest.raises(DialFailed, match="no answer in time"):
        dial(settings, *clouds[0].endpoint, str(authority / "cert.pem"))


def test_a_handshake_that_is_given_up_leaves_no_connection_open(settings, clouds, authority):
    with pytest.raises(DialFailed, match="no answer in time") as failed:
        dial(settings, *clouds[0].endpoint, str(authority / "cert.pem"))
    clouds[0].accept().ended()          # while the failure is still at hand, as during the wait that follows
    assert failed.value.results.failures


def test_a_broken_ca_file_is_not_the_peers_fault(settings, clouds, tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nbroken off\n")
    with pytest.raises(DialFailed, match=r"TLS not possible \(cloud.ca_file: .+\)"):
        dial(settings, *clouds[0].endpoint, str(file))
    with pytest.raises(DialFailed, match=r"TLS not possible \(cloud.ca_file: No such file"):
        dial(settings, *clouds[0].endpoint, str(tmp_path / "none.pem"))


def test_o4_a_mute_proxy_gets_no_more_time_for_tls_than_for_an_answer(settings, clouds, authority):
    slow = replace(settings, reconnect=replace(settings.reconnect, connect_timeout=60.0),
                   cloud=replace(settings.cloud, tls=True, ca_file=str(authority / "cert.pem")))
    with pytest.raises(DialFailed, match="no answer in time"), gevent.Timeout(5):
        Dialer(slow).dial([Target(clouds[0].endpoint, answer=0.2)])
