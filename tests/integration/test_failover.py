"""Two endpoints: which one is dialed when, and the way back."""
import pytest
from black_hole import BlackHole

STAY = 1.0
"""Seconds in which what must not happen would have had three occasions."""
EAGER = {"reconnect.primary_retry": "300ms"}


@pytest.fixture
def black_hole():
    with BlackHole() as hole:
        yield hole


def at(cloud, port):
    return f"127.0.0.1:{getattr(cloud, port)}"


def registrations(cloud, terminal, since=0):
    return [event["port"] for event in cloud.events(since, kind="registered", terminal=terminal.id)]


def test_the_primary_is_preferred_and_the_secondary_not_even_dialed(make_terminal, cloud):
    start = cloud.mark()
    terminal = make_terminal({"reconnect.secondary_after": "5s"})
    terminal.start()
    assert terminal.wait_online()["endpoint"] == at(cloud, "primary")
    assert [event["port"] for event in cloud.events(start, kind="connected")] == ["primary"]


def test_a_refused_primary_leaves_its_head_start_to_the_secondary(make_terminal, cloud):
    cloud.misbehave("stop-listening", port="primary")
    terminal = make_terminal({"reconnect.secondary_after": "1min"})
    terminal.start()
    assert terminal.wait_online()["endpoint"] == at(cloud, "secondary")


def test_a_silent_primary_is_raced_after_its_head_start(make_terminal, cloud, black_hole):
    terminal = make_terminal({"cloud.primary": f"127.0.0.1:{black_hole.port}", "reconnect.secondary_after": "1s",
                              "reconnect.connect_timeout": "60s"})
    terminal.start()
    dialing = terminal.wait_status(lambda status: status["phase"] == "dialing", since=0)
    online = terminal.wait_online()
    assert online["endpoint"] == at(cloud, "secondary")
    assert 0.5 < online["at"] - dialing["at"] < 10     # it was dialing for a moment when it could be asked


def test_both_silent_then_one_answers(make_terminal, cloud, black_hole):
    terminal = make_terminal({"cloud.primary": f"127.0.0.1:{black_hole.port}", "cloud.secondary": "",
                              "reconnect.connect_timeout": "400ms"})
    terminal.start()
    terminal.wait_offline(f"no answer from 127.0.0.1:{black_hole.port}")
    terminal.reload({"cloud.secondary": at(cloud, "secondary")})
    terminal.wait_online()


def test_the_secondary_takes_over_when_the_primary_goes(online, cloud):
    terminal = online()
    mark = terminal.mark()
    cloud.misbehave("stop-listening", port="primary", drop=True)
    lost = terminal.wait_offline("closed by the cloud", mark)
    assert terminal.wait_online(lost["mark"])["endpoint"] == at(cloud, "secondary")


def test_back_to_the_primary_while_idle_and_never_registered_twice(make_terminal, cloud):
    cloud.misbehave("stop-listening", port="primary")
    cloud.misbehave("keep-old")             # a cloud that would take offline whom it sees twice
    terminal = make_terminal(EAGER)
    terminal.start()
    terminal.wait_online(endpoint=at(cloud, "secondary"))
    terminal.wait_log("the primary endpoint is not back: refused by")
    assert cloud.registered(terminal.id)
    mark = terminal.mark()
    cloud.misbehave("listen", port="primary")
    terminal.wait_online(mark, endpoint=at(cloud, "primary"))
    assert any(status["reason"] == "back to the primary endpoint" for status in terminal.history[mark:])
    assert registrations(cloud, terminal) == ["secondary", "primary"]
    assert not cloud.registered_twice(terminal.id)
    assert cloud.run_transaction(terminal.id)["ResultCode"] == "Approved"
    assert cloud.terminals()[terminal.id]["port"] == "primary"


def test_no_return_to_the_primary_during_a_transaction(make_terminal, cloud, payment_app):
    cloud.misbehave("stop-listening", port="primary")
    terminal = make_terminal(EAGER)
    terminal.start()
    terminal.wait_online(endpoint=at(cloud, "secondary"))
    with payment_app.held():
        answer = cloud.start_transaction(terminal.id, "8.88", ref=terminal.id)
        payment_app.wait_run(terminal.id)
        terminal.wait_status(lambda status: not status["idle"])
        back = cloud.mark()
        cloud.misbehave("listen", port="primary")
        assert cloud.events(back, wait=STAY, kind="registered", terminal=terminal.id) == []
        assert terminal.status()["endpoint"] == at(cloud, "secondary")
    assert answer()["ResultCode"] == "Approved"
    terminal.wait_online(endpoint=at(cloud, "primary"))
    response = cloud.wait_event("response", terminal=terminal.id)
    moved = cloud.wait_event("registered", back, terminal=terminal.id)
    assert response["port"] == "secondary" and response["n"] < moved["n"]
    assert not cloud.registered_twice(terminal.id)


def test_a_primary_that_opens_but_does_not_register_costs_the_secondary_once_each_time(make_terminal, cloud):
    """It is tried every `primary_retry`; after each disappointment the secondary serves again."""
    cloud.misbehave("stop-listening", port="primary")
    terminal = make_terminal(EAGER | {"registration.timeout": "200ms"})
    terminal.start()
    terminal.wait_online(endpoint=at(cloud, "secondary"))
    cloud.misbehave("break", on="register", how="dead", port="primary", times=1)
    mark = terminal.mark()
    cloud.misbehave("listen", port="primary")
    lost = terminal.wait_offline("no answer to the registration", mark)
    terminal.wait_online(lost["mark"], endpoint=at(cloud, "secondary"))
    terminal.wait_online(endpoint=at(cloud, "primary"))
    assert not cloud.registered_twice(terminal.id)
