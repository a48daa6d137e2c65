"""Register and what the cloud may answer."""
import contextlib
import json
import random
import signal
import socket
import threading
import time

import pytest
from sandbox_client import Cloud, body
from waiting import PATIENCE

from econduit_terminal.contract.network_report import NetworkReport


@pytest.fixture
def bare_cloud():
    """A listening socket in the place of a cloud."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


def register(terminal, ack="true"):
    return (f'{{"Command":"Register","TerminalType":"SandboxMaker","TerminalModel":"Model1",'
            f'"TerminalID":"{terminal.id}","SoftwareVersion":"SomeProcessor v1.2","AckHeartbeat":"{ack}"}}'
            ).encode() + b"\x04\x04"


def read(connection, size):
    connection.settimeout(PATIENCE)
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def test_exactly_these_bytes_go_out_and_online_is_what_the_answer_makes_it(make_terminal, bare_cloud):
    host, port = bare_cloud.getsockname()
    terminal = make_terminal({"cloud.primary": f"{host}:{port}", "cloud.secondary": "", "heartbeat.interval": "200ms"})
    terminal.start()
    connection, _ = bare_cloud.accept()
    with connection:
        assert read(connection, len(register(terminal))) == register(terminal)
        terminal.wait_status(lambda status: status["phase"] == "registering" and not status["online"])
        connection.sendall(b"OK-REGISTRATION")
        online = terminal.wait_online()
        assert (online["display"], online["terminal_id"], online["local_address"], online["interface"]) == (
            "POS Online", terminal.id, "127.0.0.1", "lo")
        assert online["endpoint"] == f"{host}:{port}"
        heartbeat = b'{"Command":"TerminalHeartbeat"}\x04\x04'
        assert read(connection, len(heartbeat)) == heartbeat
        request = b'\xff not JSON, RefID=7'
        connection.sendall(b'{"Status":"OK"}\x04\x04' + request)
        # The sandbox's application repeats a request that it does not understand behind nine letters and an AuthCode.
        answer = read(connection, 16 + len(request) + 2)
        assert answer.startswith(b"APPROVED ") and answer.endswith(b" " + request + b"\x04\x04")
    terminal.wait_offline("closed by the cloud")


@pytest.mark.parametrize("asked, said", [("yes", "true"), ("no", "false")])
def test_ack_heartbeat_as_asked_for(online, cloud, asked, said):
    terminal = online({"registration.ack_heartbeat": asked})
    registered = cloud.wait_event("registered", terminal=terminal.id)
    assert json.loads(body(registered))["AckHeartbeat"] == said


@pytest.mark.parametrize("answer", ["FAILED-REGISTRATION", "Sorry, we are closed.", '{"Status":"OK"}',
                                    "NOT-OK-REGISTRATION", "FAILED-SOMETHING-NEW\x1b[31m", "HTTP/1.1 400 Bad Request"])
def test_o2_o3_any_answer_but_ok_is_shown_and_waited_out_when_both_endpoints_gave_it(make_terminal, cloud, answer):
    cloud.misbehave("refuse", answer=answer)
    terminal = make_terminal({"reconnect.base_delay": "9s", "reconnect.max_delay": "9s"})
    terminal.start()
    # The waits are random from 0 on: now and then the first is too short to be seen, but they become longer.
    refused = terminal.wait_status(lambda status: status["phase"] == "waiting", timeout=60)
    assert refused["display"] == "POS Offline" and "\x1b" not in refused["reason"]
    asked = [event["port"] for event in cloud.events(kind="refused", terminal=terminal.id)]
    assert asked[:2] == ["primary", "secondary"]
    if answer == "FAILED-REGISTRATION":
        assert refused["reason"] == f"registration refused: {answer}" and refused["retry_in"] > 4   # the floor is 5 s
        assert [found["outcome"] for found in refused["endpoints"]] == ["refused registration"] * 2
    else:
        shown = ["HTTP 400: a proxy or login page of this network"] if "HTTP" in answer else [answer.split("\x1b")[0]]
        for part in (*shown, str(cloud.primary), str(cloud.secondary), "is answered by something else"):
            assert part in refused["reason"]
        assert [found["outcome"] for found in refused["endpoints"]] == ["not the cloud"] * 2
    assert refused["reason"][:40] in terminal.wait_log("next dial in")
    cloud.behave()
    terminal.client.report(NetworkReport(dial=True))        # the watchdog ends the wait
    terminal.wait_online(timeout=4)


@pytest.mark.parametrize("answer", ["FAILED-REGISTRATION", "FAILED-INVALID-TERMINAL-TYPE", "HTTP/1.1 302 Found",
                                    "OK-REGISTRATION-X", "OK-REGISTRATION welcome"])
def test_o2_o3_m5_a_sick_primary_leads_to_the_secondary_at_once(make_terminal, cloud, answer):
    cloud.misbehave("refuse", answer=answer, port="primary")
    terminal = make_terminal({"reconnect.secondary_after": "10s"})
    terminal.start()
    online = terminal.wait_online()
    assert online["endpoint"] == f"127.0.0.1:{cloud.secondary}"
    assert len(cloud.events(kind="refused", terminal=terminal.id)) == 1
    assert [found["outcome"] for found in online["endpoints"]][1] == "registered"


def test_a_rejected_type_waits_its_time(make_terminal, cloud):
    cloud.misbehave("refuse", answer="FAILED-INVALID-TERMINAL-TYPE", times=3)
    terminal = make_terminal({"reconnect.rejected_retry": "300ms"})
    terminal.start()
    terminal.wait_offline("registration refused: FAILED-INVALID-TERMINAL-TYPE")
    terminal.wait_online()
    refused = [event["time"] for event in cloud.events(kind="refused", terminal=terminal.id)]
    assert len(refused) == 3 and refused[2] - refused[0] >= 0.3     # the first two at both endpoints


def test_a_rejected_type_is_tried_at_once_with_other_settings(make_terminal, start_cloud, tmp_path):
    own = start_cloud("--terminal-type", "KnownMaker")
    terminal = make_terminal({"cloud.primary": f"127.0.0.1:{own.primary}", "cloud.secondary": "",
                              "reconnect.rejected_retry": "24h"})
    terminal.start()
    waiting = terminal.wait_status(lambda status: status["phase"] == "waiting")
    assert waiting["reason"] == "registration refused: FAILED-INVALID-TERMINAL-TYPE" and waiting["retry_in"] > 86000
    terminal.reload({"terminal.type": "KnownMaker"})
    terminal.wait_online()
    assert own.terminals()[terminal.id]["registrations"] == 1


def twin(cloud, identity, stopped):
    """Another terminal with the same TerminalID, which comes back as fast as ours, again and again."""
    fields = {"Command": "Register", "TerminalType": "SandboxMaker", "TerminalModel": "Model1", "TerminalID": identity,
              "SoftwareVersion": "Another", "AckHeartbeat": "true"}
    while not stopped.wait(random.uniform(0, 0.25)):
        with socket.create_connection(("127.0.0.1", cloud.primary), timeout=PATIENCE) as other:
            other.sendall(json.dumps(fields).encode() + b"\x04\x04")
            other.settimeout(0.5)
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while other.recv(100) and not stopped.is_set():
                    pass


def test_o10_another_terminal_with_the_same_terminal_id_is_named(online, cloud):
    terminal = online()
    stopped = threading.Event()
    other = threading.Thread(target=twin, args=(cloud, terminal.id, stopped))
    other.start()
    try:
        named = terminal.wait_status(lambda status: "TerminalID" in status["problems"], timeout=20)
    finally:
        stopped.set()
        other.join()
    assert named["problems"]["TerminalID"].startswith("another terminal may use this TerminalID")


def test_o11_a_cloud_that_cuts_the_connection_sees_the_terminal_back_at_once_each_time(online, cloud):
    terminal = online()
    for _ in range(8):
        mark, began = terminal.mark(), time.monotonic()
        cloud.misbehave("drop", terminal=terminal.id)
        lost = terminal.wait_offline("closed by the cloud", mark)
        back = terminal.wait_online(lost["mark"])
        assert back["at"] - began < 5       # 0.25 s; the rest is a loaded machine's
    assert terminal.status()["disconnects"] == {"closed by the cloud": 8}


def test_an_endpoint_that_never_answers_loses_its_head_start(make_terminal, cloud):
    cloud.misbehave("break", on="register", how="dead", port="primary")
    start = cloud.mark()
    terminal = make_terminal({"registration.timeout": "300ms", "reconnect.secondary_after": "10s"})
    terminal.start()
    terminal.wait_offline("no answer to the registration within 0.3 s")
    registered = cloud.wait_event("registered", start, terminal=terminal.id)
    assert registered["port"] == "secondary"
    assert [event["port"] for event in cloud.events(start, kind="connected")] == ["primary", "secondary"]


def test_an_endpoint_that_closes_at_once_loses_its_head_start(make_terminal, cloud):
    cloud.misbehave("break", on="register", how="close", port="primary")
    terminal = make_terminal({"reconnect.secondary_after": "10s"})
    terminal.start()
    terminal.wait_log("ended without a registration: closed by the cloud before it answered the registration")
    assert cloud.wait_event("registered", terminal=terminal.id)["port"] == "secondary"


def test_a_name_with_an_address_where_nobody_listens(make_terminal, cloud):
    """localhost has ::1 too on most machines; the cloud listens on 127.0.0.1 alone."""
    terminal = make_terminal({"cloud.primary": f"localhost:{cloud.primary}", "cloud.secondary": ""})
    terminal.start()
    assert terminal.wait_online()["endpoint"] == f"localhost:{cloud.primary}"


def test_a_name_that_does_not_exist_costs_no_more_than_its_endpoint(make_terminal, cloud):
    terminal = make_terminal({"cloud.primary": "no-such-host.invalid:9000", "reconnect.resolve_timeout": "500ms",
                              "reconnect.secondary_after": "60s", "reconnect.connect_timeout": "60s"})
    terminal.start()
    assert terminal.wait_online()["endpoint"] == f"127.0.0.1:{cloud.secondary}"


def test_ipv6(make_terminal, tmp_path):
    try:
        own = Cloud(tmp_path / "cloud6.log", host="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback on this machine: {error}")
    try:
        own.start()
        terminal = make_terminal({"cloud.primary": f"[::1]:{own.primary}", "cloud.secondary": ""})
        terminal.start()
        status = terminal.wait_online()
        assert (status["endpoint"], status["local_address"]) == (f"[::1]:{own.primary}", "::1")
    finally:
        own.close()


def test_nothing_listens_anywhere(make_terminal, cloud):
    cloud.misbehave("stop-listening")
    terminal = make_terminal()
    terminal.start()
    shown = terminal.wait_offline("refused by ")
    assert str(cloud.primary) in shown["reason"] and str(cloud.secondary) in shown["reason"]
    cloud.misbehave("listen")
    terminal.wait_online()
    assert terminal.supervisor.info()["statename"] in ("RUNNING", "STARTING")


def test_a_signal_that_means_nothing_to_it_changes_nothing(online):
    terminal = online()
    pid = terminal.agent_pid()
    terminal.supervisor.rpc.signalProcess("econduit:agent", str(int(signal.SIGUSR1)))   # stacks into the log
    terminal.wait_log("Current thread")
    assert terminal.status()["online"] and terminal.agent_pid() == pid
