"""The life of the sandbox cloud's process: start, restart, signals, ports, TLS."""
import signal
import socket
import ssl
import subprocess

import pytest


def test_a_restart_takes_the_same_ports(cloud, dial):
    dial(cloud.primary).online("T1")
    ports = cloud.primary, cloud.secondary, cloud.http
    assert cloud.stop() == 0
    cloud.start()
    assert (cloud.primary, cloud.secondary, cloud.http) == ports
    dial(cloud.primary).online("T1")
    cloud.kill()
    cloud.start()
    dial(cloud.secondary).online("T1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_by_signal_with_terminals_connected(cloud, dial, number):
    terminal = dial(cloud.primary).online("T1")
    assert cloud.stop(number) == 0
    assert terminal.ended()
    assert "Traceback" not in cloud.log()


def test_ends_with_whoever_started_it(cloud):
    cloud.process.stdin.close()
    assert cloud.process.wait(10) == 0


def test_speaks_tls_when_given_a_certificate(start_cloud, tmp_path):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "key"), "-out",
         str(tmp_path / "cert"), "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        capture_output=True, timeout=60)
    assert made.returncode == 0, made.stderr
    cloud = start_cloud("--tls-cert", str(tmp_path / "cert"), "--tls-key", str(tmp_path / "key"))
    context = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    with (socket.create_connection(("127.0.0.1", cloud.primary), timeout=10) as plain,
          context.wrap_socket(plain, server_hostname="localhost") as sock):
        sock.sendall(b'{"Command":"Register","TerminalType":"T","TerminalModel":"M","TerminalID":"T1",'
                     b'"SoftwareVersion":"1","AckHeartbeat":"true"}\x04\x04')
        assert sock.recv(100) == b"OK-REGISTRATION"
    with socket.create_connection(("127.0.0.1", cloud.primary), timeout=10) as plain:
        plain.sendall(b"no TLS at all" * 50)
        cloud.wait_event("handshake-failed")
    assert "Traceback" not in cloud.log()
