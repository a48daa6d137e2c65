"""The life of the sandbox cloud's process: start, restart, signals, ports, TLS."""
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack

import pytest
from waiting import until

REGISTER = (b'{"Command":"Register","TerminalType":"T","TerminalModel":"M","TerminalID":"T1","SoftwareVersion":"1",'
            b'"AckHeartbeat":"true"}')


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


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_it_says_where_its_desk_is(start_cloud, host):
    cloud = start_cloud(host=host)
    until(lambda: "for a browser" in cloud.log(), "it is logged")
    link, = re.findall(r"the desk, for a browser: (http://\S+/)", cloud.log())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(link, timeout=10) as page:
        assert b"eConduit sandbox: the desk" in page.read()


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
        sock.sendall(REGISTER + b"\x04\x04")
        assert sock.recv(100) == b"OK-REGISTRATION"
    with socket.create_connection(("127.0.0.1", cloud.primary), timeout=10) as plain:
        plain.sendall(b"no TLS at all" * 50)
        cloud.wait_event("handshake-failed")
    assert "Traceback" not in cloud.log()


def test_a_budget_is_kept_and_who_gave_up_in_the_queue_costs_his_turn(start_cloud, dial):
    cloud = start_cloud("--budget", "10/s")
    waiting = [dial(cloud.primary) for _ in range(12)]
    mark = cloud.mark()
    for number, terminal in enumerate(waiting):
        terminal.send(REGISTER.replace(b"T1", b"T%d" % number))
    waiting[5].close()
    patient = waiting[:5] + waiting[6:]
    assert [terminal.read(15) for terminal in patient] == [b"OK-REGISTRATION"] * 11
    events = cloud.events(mark, kind="registered")
    assert {event["terminal"] for event in events} == {f"T{number}" for number in range(12) if number != 5}
    assert events[-1]["time"] - events[0]["time"] >= 0.95      # twelve turns, one of them in vain
    assert cloud.wait_event("closed", mark)["detail"] == "closed by the terminal before its registration had its turn"
    counts = cloud.call("GET", "/sandbox/counts")[1]
    assert counts == {"connections": 11, "room": cloud.ready["terminals"], "registered": 11, "waiting": 0,
                      "registrations": 12, "wasted": 1}


@pytest.fixture
def small_cloud(tmp_path):
    """A function that starts a cloud with room for one terminal; returns its readiness line. Its log is in `log`."""
    with (tmp_path / "log").open("w") as log, ExitStack() as stack:
        def start(*options):
            few = subprocess.Popen(
                ["bash", "-c", 'ulimit -n 66 && exec "$@"', "-", sys.executable, "-m", "econduit_terminal.sandbox",
                 "cloud", "--primary-port", "0", "--secondary-port", "0", "--http-port", "0", *options],
                stdout=subprocess.PIPE, stderr=log)
            stack.callback(few.communicate)
            stack.callback(few.terminate)
            return json.loads(few.stdout.readline())
        yield start


def test_it_says_what_it_cannot_carry_and_how_to_carry_more(small_cloud, tmp_path, dial):
    ready = small_cloud()
    assert ready["terminals"] == 1
    dial(ready["primary"]).online("T1")
    assert dial(ready["secondary"]).ended()
    deadline = time.monotonic() + 10
    while "no room for more" not in (said := (tmp_path / "log").read_text()):      # the log is not waited for
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
    assert "limit on open files (66) leaves no room for more" in said and "ulimit -n" in said


def test_a_connection_that_was_ended_takes_no_room(small_cloud, dial):
    ready = small_cloud("--budget", "1/min")
    base = f"http://127.0.0.1:{ready['http']}/sandbox"
    dial(ready["primary"]).send(REGISTER)           # its turn is a minute away
    counted(base, connections=1, waiting=1)
    urllib.request.urlopen(f"{base}/drop", b"", timeout=10).close()
    dial(ready["primary"]).send(REGISTER)
    counted(base, connections=1, waiting=2)


def counted(base, **wanted):
    """Waits for these counts."""
    deadline = time.monotonic() + 10
    while True:
        with urllib.request.urlopen(f"{base}/counts", timeout=10) as response:
            counts = json.load(response)
        if wanted.items() <= counts.items():
            return
        assert time.monotonic() < deadline, counts
        time.sleep(0.02)
