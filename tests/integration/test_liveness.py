"""Heartbeats, and every way in which a cloud can be lost or talk nonsense."""
import signal

import pytest
from sandbox_client import body

FAST = {"heartbeat.interval": "200ms", "heartbeat.ack_timeout": "300ms"}


def beats(cloud, terminal, since, count):
    """The times of `count` heartbeats after a mark."""
    times = []
    while len(times) < count:
        event = cloud.wait_event("heartbeat", since, terminal=terminal.id)
        assert body(event) == b'{"Command":"TerminalHeartbeat"}'
        times.append(event["time"])
        since = event["n"]
    return times


def test_heartbeats_come_at_their_interval_and_their_acks_are_seen(online, cloud):
    terminal = online(FAST)
    times = beats(cloud, terminal, 0, 6)
    # The cloud's times: a beat that it met late makes the gap before it longer and the one behind it shorter.
    assert 5 * 0.1 < times[-1] - times[0] < 10, times
    first = terminal.wait_status(lambda status: status["last_ack"])["last_ack"]
    terminal.wait_status(lambda status: status["last_ack"] > first)
    assert terminal.status()["connects"] == 1


def test_without_acks_nothing_is_expected(online, cloud):
    terminal = online(FAST | {"registration.ack_heartbeat": "no"})
    beats(cloud, terminal, 0, 4)        # three more after the first, each later than ack_timeout would allow
    status = terminal.status()
    assert status["online"] and status["connects"] == 1 and status["last_ack"] is None


def test_no_heartbeat_during_a_transaction(online, cloud, payment_app):
    terminal = online(FAST)
    beats(cloud, terminal, 0, 1)
    with payment_app.held():
        answer = cloud.start_transaction(terminal.id, "8.88", ref=terminal.id)
        payment_app.wait_run(terminal.id)
        terminal.wait_status(lambda status: not status["idle"])
        assert cloud.events(cloud.mark(), wait=0.8, kind="heartbeat", terminal=terminal.id) == []
    assert answer()["ResultCode"] == "Approved"
    beats(cloud, terminal, cloud.mark(), 1)
    assert terminal.status()["connects"] == 1


@pytest.mark.parametrize("fault", ["dead", "ignore-heartbeats"])
def test_a_dead_application_behind_a_living_kernel(online, cloud, fault):
    terminal = online(FAST)
    mark = terminal.mark()
    cloud.misbehave(fault, port="primary")
    lost = terminal.wait_offline("heartbeat not acknowledged within 0.3 s", mark)
    assert lost["display"] == "POS Offline" and lost["endpoint"] is None
    cloud.behave()
    terminal.wait_online(lost["mark"])
    assert terminal.status()["disconnects"] == {"heartbeat not acknowledged within 0.3 s": 1}


@pytest.mark.parametrize("how, reason", [("drop", "closed by the cloud"), ("rst", "reset by the cloud")])
def test_the_cloud_ends_the_connection(online, cloud, how, reason):
    terminal = online()
    mark = terminal.mark()
    cloud.misbehave(how, terminal=terminal.id)
    lost = terminal.wait_offline(reason, mark)
    back = terminal.wait_online(lost["mark"])
    assert back["at"] - lost["at"] < 2 and back["connects"] == 2 and back["disconnects"] == {reason: 1}
    assert "next dial in 0.0" in terminal.wait_log(f"s: {reason} (cut by the cloud, failures in a row: 0)")
    assert not cloud.registered_twice(terminal.id)


def test_the_cloud_is_killed_and_started_again(make_terminal, start_cloud):
    own = start_cloud()
    terminal = make_terminal({"cloud.primary": f"127.0.0.1:{own.primary}",
                              "cloud.secondary": f"127.0.0.1:{own.secondary}"})
    terminal.start()
    terminal.wait_online(connects=1)
    for connects in (2, 3):
        mark = terminal.mark()
        own.kill()
        terminal.wait_offline("refused by", mark)
        own.start()
        terminal.wait_online(mark, connects=connects)
        assert own.registered(terminal.id)


def test_verify_sends_a_heartbeat_now(online, cloud):
    terminal = online()
    terminal.client.verify()
    beats(cloud, terminal, 0, 1)
    terminal.wait_status(lambda status: status["last_ack"])


def test_a_request_glued_to_an_ack(online, cloud):
    terminal = online(FAST)
    cloud.misbehave("glue", on="ack", amounts=["2.50"], refIDs=[terminal.id], times=1)
    response = cloud.wait_event("response", terminal=terminal.id, ref=terminal.id)
    assert b'"Approved"' in body(response)
    assert terminal.wait_counted(received=1)["connects"] == 1


# -- what the cloud may send ---------------------------------------------------------------------------------------

def sale(cloud, terminal, **more):
    answer = cloud.run_transaction(terminal.id, wait=10, **more)
    assert answer["ResultCode"] == "Approved", answer
    return answer


@pytest.mark.parametrize("fault", [
    ("eot", {"with": True}), ("eot", {"with": False}), ("segments", {"size": 1}),
    ("segments", {"size": [3, 1, 10], "delay": 0.02}), ("delay", {"seconds": 0.3})])
def test_messages_terminated_bare_or_cut(make_terminal, cloud, fault):
    name, parameters = fault
    cloud.misbehave(name, **parameters)
    terminal = make_terminal(FAST | {"heartbeat.ack_timeout": "3s"})
    terminal.start()
    terminal.wait_online()
    sale(cloud, terminal)
    terminal.wait_status(lambda status: status["last_ack"])
    sale(cloud, terminal)
    assert terminal.wait_counted(received=2)["connects"] == 1


def test_transactions_glued_to_the_registration_answer_and_to_each_other(make_terminal, cloud, payment_app):
    terminal = make_terminal({"transactions.queue": "5"})
    refs = [f"{terminal.id}-{number}" for number in range(4)]
    cloud.misbehave("glue", on="registration", amounts=["1.00", "2.00"], refIDs=refs[:2], times=1)
    terminal.start()
    for ref in refs[:2]:
        cloud.wait_event("response", terminal=terminal.id, ref=ref)
    cloud.misbehave("transactions", terminal=terminal.id, amounts=["3.00", "4.00"], refIDs=refs[2:])
    for ref in refs[2:]:
        cloud.wait_event("response", terminal=terminal.id, ref=ref)
    assert [len(payment_app.runs(ref)) for ref in refs] == [1, 1, 1, 1]


def test_an_oversized_message_costs_the_connection(online, cloud):
    terminal = online({"transactions.max_message": "64KiB"})
    pid, mark = terminal.agent_pid(), terminal.mark()
    cloud.misbehave("oversized", terminal=terminal.id, size=100_000)
    lost = terminal.wait_offline("a message of more than 65536 bytes (max_message)", mark)
    terminal.wait_online(lost["mark"])
    sale(cloud, terminal)
    assert terminal.agent_pid() == pid


def test_a_message_that_breaks_off_costs_the_connection(online, cloud):
    terminal = online({"transactions.patience": "400ms"})
    mark = terminal.mark()
    cloud.misbehave("raw", terminal=terminal.id, text='{"Command":"Sale","Amo')
    lost = terminal.wait_offline("a message broke off after 22 bytes", mark)
    terminal.wait_online(lost["mark"])


@pytest.mark.parametrize("seed", range(3))
def test_garbage_from_the_cloud_does_no_harm(online, cloud, payment_app, seed):
    """It is opaque bytes like any other request: the application has to say what it is.

    The registration answer is terminated here: bytes right behind a bare one would make it another answer.
    """
    cloud.misbehave("eot", on="registration", **{"with": True})
    terminal = online()
    pid = terminal.agent_pid()
    cloud.misbehave("garbage", terminal=terminal.id, size=500, seed=seed)
    cloud.wait_event("unsolicited", terminal=terminal.id)
    sale(cloud, terminal)
    assert terminal.agent_pid() == pid
    assert all(line.isprintable() for line in terminal.log().splitlines())


def test_o2_garbage_before_the_registration_is_answered(make_terminal, cloud):
    cloud.misbehave("greet", text="220 mail.example ESMTP\r\n", times=2)
    terminal = make_terminal({"reconnect.base_delay": "9s", "reconnect.max_delay": "9s"})
    terminal.start()
    refused = terminal.wait_status(lambda status: status["phase"] == "waiting")
    assert "is answered by something else, not the eConduit Cloud: 220 mail.example ESMTP" in refused["reason"]
    terminal.client.reconnect("try again")
    terminal.wait_online(timeout=4)


def test_a_cloud_that_drops_at_once_is_not_hammered(make_terminal, cloud):
    cloud.misbehave("break", on="registered", how="close")
    terminal = make_terminal({"reconnect.quick_returns": "2", "reconnect.crowded_delay": "1500ms"})
    terminal.start()
    terminal.wait_log("failures in a row: 4)")
    terminal.supervisor.rpc.signalProcess("econduit:agent", str(int(signal.SIGHUP)))
    terminal.wait_log("nothing changed")
    cloud.behave()
    well = cloud.mark()
    terminal.client.reconnect("the cloud is well again")
    cloud.wait_event("registered", well, terminal=terminal.id)
    terminal.wait_online()
