"""Misbehaviour on demand, each kind seen from the terminal's end of a real connection."""
import base64
import json
import socket
import time
from contextlib import suppress

import pytest


def heartbeat(terminal) -> None:
    terminal.send(b'{"Command":"TerminalHeartbeat"}')


ACK = b'{"Status":"OK"}\x04\x04'
REGISTER = (b'{"Command":"Register","TerminalType":"T","TerminalModel":"M","TerminalID":"T2",'
            b'"SoftwareVersion":"1","AckHeartbeat":"true"}')


def test_drop_is_in_scope_only(cloud, dial):
    first, second = dial(cloud.primary).online("T1"), dial(cloud.secondary).online("T2")
    assert cloud.misbehave("drop", terminal="T1")["connections"] == 1
    assert first.ended()
    heartbeat(second)
    assert second.read(17) == ACK
    assert cloud.misbehave("drop", port="secondary")["connections"] == 1
    assert second.ended()


def test_rst_is_a_reset(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("rst", terminal="T1")
    with pytest.raises(ConnectionResetError):
        terminal.ended()
    assert cloud.wait_event("closed")["detail"] == "reset on demand"


def test_dead_reads_and_answers_nothing_until_reset(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    mark = cloud.mark()
    cloud.misbehave("dead")
    heartbeat(terminal)
    unheard = dial(cloud.secondary)
    unheard.send(b"x")
    assert cloud.events(mark, 0.2, "heartbeat") == []
    cloud.behave()
    assert terminal.read(17) == ACK
    assert cloud.wait_event("refused")["port"] == "secondary"


def test_the_end_of_a_dead_connection_is_seen_at_once(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("dead", terminal="T1")
    heartbeat(terminal)
    before = time.monotonic()
    terminal.close()
    closed = cloud.wait_event("closed", terminal="T1")
    assert "while the cloud was dead" in closed["detail"] and before <= closed["time"] < before + 5
    dial(cloud.primary).online("T2")


def test_ignore_heartbeats_a_number_of_times(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("ignore-heartbeats", times=2)
    for _ in range(3):
        heartbeat(terminal)
    terminal.shut()
    assert terminal.read(100) == ACK
    assert len(cloud.events(kind="heartbeat")) == 3


@pytest.mark.parametrize("answer", ["FAILED-REGISTRATION", "FAILED-INVALID-TERMINAL-TYPE", "come back \u00e4 later"])
def test_refuse_with_each_answer(cloud, dial, answer):
    cloud.misbehave("refuse", answer=answer, times=1)
    assert dial(cloud.primary).register("T1") == answer.encode()
    assert not cloud.registered()
    assert dial(cloud.primary).register("T1") == b"OK-REGISTRATION"


def test_refuse_and_close(cloud, dial):
    cloud.misbehave("refuse", close=True)
    terminal = dial(cloud.primary)
    assert terminal.register("T1") == b"FAILED-REGISTRATION"
    assert terminal.ended()


def test_everything_with_and_without_eot(cloud, dial):
    cloud.misbehave("eot", on="registration", **{"with": True})
    cloud.misbehave("eot", on="ack", **{"with": "no"})
    cloud.misbehave("eot", on="transaction", **{"with": True})
    terminal = dial(cloud.primary)
    assert terminal.register("T1") == b"OK-REGISTRATION\x04\x04"
    heartbeat(terminal)
    assert terminal.read(15) == b'{"Status":"OK"}'
    cloud.wait_event("registered")
    cloud.misbehave("transactions", terminal="T1", amounts=["1.00"], refIDs=["A"])
    sent = b'{"Command":"Sale","Amount":"1.00","RefID":"A","TerminalID":"T1"}\x04\x04'
    assert terminal.read(len(sent)) == sent


def test_segments_are_cut_and_spaced(cloud, dial):
    cloud.misbehave("segments", on="ack", size=[3, 5], delay=0.3)
    terminal = dial(cloud.primary).online("T1")
    heartbeat(terminal)
    parts, start = [], time.monotonic()
    while sum(map(len, parts)) < 17:
        parts.append(terminal.read_some())
    assert parts == [ACK[:3], ACK[3:8], ACK[8:13], ACK[13:]]
    assert time.monotonic() - start > 0.3 * 2


def test_delay_before_the_registration_answer(cloud, dial):
    cloud.misbehave("delay", on="registration", seconds=0.3, times=1)
    start = time.monotonic()
    dial(cloud.primary).online("T1")
    assert time.monotonic() - start >= 0.3
    cloud.misbehave("delay", seconds=60)
    impatient = dial(cloud.primary)
    impatient.send(REGISTER)
    impatient.close()
    assert "while the cloud was slow" in cloud.wait_event("closed", terminal="T2")["detail"]


def test_glued_behind_an_ack_and_behind_a_registration(cloud, dial):
    sale = b'{"Command":"Sale","Amount":"1.00","RefID":"%s","TerminalID":"T1"}'
    cloud.misbehave("glue", on="registration", amounts="1.00", refIDs="A", times=1)
    cloud.misbehave("glue", on="ack", amounts="1.00,1.00", refIDs="B,C", times=1)
    terminal = dial(cloud.primary)
    assert terminal.register("T1") == b"OK-REGISTRATION" + sale % b"A"
    heartbeat(terminal)
    assert terminal.read_some() == ACK + sale % b"B" + sale % b"C"
    terminal.send(b'{"RefID":"C","ResultCode":"Approved"}')
    cloud.wait_event("response", ref="C")
    assert cloud.check_status("C")["ResultCode"] == "Approved"
    assert cloud.check_status("B")["ResultFinal"] is False


def test_raw_garbage_and_oversized(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("raw", terminal="T1", data=base64.b64encode(b"\x00\xff").decode(), times=2)
    assert terminal.read(4) == b"\x00\xff\x00\xff"
    cloud.misbehave("garbage", size=100, seed=7)
    first = terminal.read(100)
    cloud.misbehave("garbage", size=100, seed=7)
    assert terminal.read(100) == first
    cloud.misbehave("oversized", size=100_000)
    assert terminal.read(100_000).startswith(b'{"Command":"Sale"')


def test_replace_and_greet(cloud, dial):
    cloud.misbehave("greet", text="HELLO", port="secondary")
    cloud.misbehave("replace", on="ack", text='{"Status":"NO"}')
    terminal = dial(cloud.secondary)
    assert terminal.read(5) == b"HELLO"
    terminal.online("T1")
    heartbeat(terminal)
    assert terminal.read(15) == b'{"Status":"NO"}'


def test_duplicate_is_the_same_bytes_and_shares_the_answer(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    answer = cloud.start_transaction("T1", "1.00", "R1")
    first = terminal.request()
    cloud.misbehave("duplicate", terminal="T1", times=2)
    assert [terminal.request(), terminal.request()] == [first, first]
    for _ in range(2):
        terminal.send(b'{"RefID":"R1","ResultCode":"Approved"}')
    assert answer()["ResultCode"] == "Approved"
    assert cloud.wait_event("response", where=lambda event: event.get("detail") == "again")["ref"] == "R1"
    assert len({event["sha256"] for event in cloud.events(kind="request")}) == 1


def test_two_callers_of_one_ref_id_share_one_answer(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    answers = [cloud.start_transaction("T1", "1.00", "R1") for _ in range(2)]
    assert terminal.request() == terminal.request()
    terminal.send(b'{"RefID":"R1","ResultCode":"Approved"}')
    assert [answer()["ResultCode"] for answer in answers] == ["Approved", "Approved"]


def test_stop_listening_refuses_and_listen_opens_the_same_port(cloud, dial):
    open_one = dial(cloud.primary).online("T1")
    cloud.misbehave("stop-listening", port="primary")
    with pytest.raises(ConnectionRefusedError):
        dial(cloud.primary)
    heartbeat(open_one)
    assert open_one.read(17) == ACK
    dial(cloud.secondary).online("T2")
    cloud.misbehave("listen", port="primary")
    dial(cloud.primary).online("T3")
    cloud.misbehave("stop-listening", drop=True)
    assert open_one.ended()
    cloud.behave()
    dial(cloud.primary).online("T1")


def test_stall_lets_the_backlog_fill_and_listen_takes_what_waits(cloud, dial):
    open_one = dial(cloud.primary).online("T1")
    cloud.misbehave("stall", port="primary", backlog=1)
    waiting = [dial(cloud.primary), dial(cloud.primary)]        # the kernel holds one more than the backlog
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", cloud.primary), timeout=0.5)
    dial(cloud.secondary).online("T2")
    heartbeat(open_one)
    assert open_one.read(17) == ACK
    mark = cloud.mark()
    cloud.misbehave("listen", port="primary")
    for number, terminal in enumerate(waiting):
        terminal.online(f"T{number + 3}")
    assert cloud.events(mark, kind="listening") == []           # it never stopped


def test_hang_takes_registrations_and_works_them_off_when_it_ends(cloud, dial):
    open_one = dial(cloud.primary).online("T1")
    cloud.misbehave("hang", port="secondary")
    patient, hasty = dial(cloud.secondary), dial(cloud.secondary)
    for terminal in (patient, hasty):
        terminal.send(REGISTER.replace(b"T2", b"T3") if terminal is hasty else REGISTER)
    hasty.close()
    mark = cloud.mark()
    heartbeat(open_one)
    assert open_one.read(17) == ACK
    assert cloud.events(mark, 0.3, "registered") == []
    cloud.behave()
    assert patient.read(15) == b"OK-REGISTRATION"
    assert "before its registration had its turn" in cloud.wait_event("closed", mark)["detail"]


def test_drop_of_a_part_takes_each_terminal_in_one_part(cloud, dial):
    terminals = [dial(cloud.primary).online(f"T{number}") for number in range(8)]
    assert sum(cloud.misbehave("drop", part=f"{number}/3")["connections"] for number in (1, 2, 3)) == 8
    assert all(terminal.ended() for terminal in terminals)


@pytest.mark.parametrize("step", ["connect", "register", "registered", "heartbeat", "response"])
@pytest.mark.parametrize("how", ["close", "rst"])
def test_break_at_each_step(cloud, dial, step, how):
    cloud.misbehave("break", on=step, how=how, times=1)
    with suppress(ConnectionResetError):  # a reset at once may be seen while connecting
        terminal = dial(cloud.primary)
        for message in (REGISTER, b'{"Command":"TerminalHeartbeat"}', b'{"RefID":"R1"}'):
            terminal.send(message)
    assert cloud.wait_event("closed")["detail"] == f"{how} on demand at {step}"
    dial(cloud.primary).online("T1")


def test_break_some_time_after_a_step(cloud, dial):
    cloud.misbehave("break", on="registered", later=1.0, times=1)
    terminal = dial(cloud.primary).online("T1")
    heartbeat(terminal)
    assert terminal.read(17) == ACK
    assert terminal.ended()
    closed = cloud.wait_event("closed")
    assert closed["detail"] == "close on demand after registered"
    assert closed["time"] - cloud.wait_event("registered")["time"] >= 0.99


def test_break_amid_a_transaction(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("break", on="request", after=10, times=1)
    answer = cloud.run_transaction("T1", ref="R1", wait=0.1)
    assert answer["ResultFinal"] is False
    assert terminal.read(1000) == b'{"Command"'
    assert cloud.wait_event("request-lost")["ref"] == "R1"


def test_break_after_a_transaction_was_sent(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.misbehave("break", on="sent", times=1)
    cloud.run_transaction("T1", ref="R1", wait=0.1)
    assert json.loads(terminal.read(1000))["RefID"] == "R1"


def test_break_dead_silences_that_connection_only(cloud, dial):
    terminal, other = dial(cloud.primary).online("T1"), dial(cloud.primary).online("T2")
    cloud.misbehave("break", on="sent", how="dead", terminal="T1")
    cloud.run_transaction("T1", ref="R1", wait=0.05)
    assert terminal.request()["RefID"] == "R1"
    mark = cloud.mark()
    terminal.send(b'{"RefID":"R1","ResultCode":"Approved"}')
    heartbeat(other)
    assert other.read(17) == ACK
    assert cloud.events(mark, kind="response") == []
    terminal.close()
    cloud.wait_event("closed", terminal="T1")


def test_a_terminal_that_reads_nothing_costs_only_its_connection(start_cloud, dial):
    cloud = start_cloud("--send-timeout", "0.5")
    dial(cloud.primary).online("T1")
    deaf = dial(cloud.secondary, receive_buffer=4096).online("T2")
    status, _ = cloud.call("POST", "/sandbox/oversized", {"terminal": "T2", "size": 4 << 20})
    assert status == 200
    assert cloud.wait_event("closed", terminal="T2")["detail"] == "the terminal reads nothing"
    assert cloud.registered("T1")
    assert len(deaf.read(4 << 20)) < 4 << 20
