"""The connection's whole life against a cloud of a few lines, over real sockets."""
from dataclasses import replace

import gevent
import pytest
from econduit_terminal.agent.cloud.dialer import Fault
from econduit_terminal.agent.cloud.link import Link
from econduit_terminal.agent.cloud.policy import Cause, Policy
from econduit_terminal.conf.values import Endpoint
from gevent import socket

HELLO = b"HELLO\x04\x04"
REPORT = {"verdict": "online", "usable": True, "path": "unknown", "bind": None, "lost": {}, "dial": False,
          "verify": False}
HEARTBEAT = b'{"Command":"TerminalHeartbeat"}\x04\x04'
ACK = b'{"Status":"OK"}'
VOID = b'{"Command":"Void"}'


@pytest.fixture
def start(settings, board, transactions):
    """A function that starts a link, with other settings if wanted; it is stopped after the test."""
    running = []

    def start(settings=settings):
        link = Link(settings, HELLO, board, transactions, Policy(settings.reconnect, lambda: 0.5))
        running.append((link, gevent.spawn(link.run)))
        return link
    yield start
    for link, greenlet in running:
        link.stop()
        greenlet.join(timeout=5)
        assert greenlet.successful(), greenlet.exception


@pytest.fixture
def online(start, clouds, board):
    """A link that is registered with the primary: the link and the cloud's end."""
    link = start()
    peer = clouds[0].accept()
    peer.register()
    board.wait("online", str(clouds[0].endpoint))
    return link, peer


def test_registered(online, board, transactions, clouds):
    assert board.entries == [("phase", "dialing"), ("phase", "registering"), ("observe", "register"),
                             ("online", str(clouds[0].endpoint))]
    assert [entry[0] for entry in transactions.entries] == ["attach"]


def test_requests_go_to_the_transactions_exactly_as_they_came(online, transactions):
    _, peer = online
    peer.send(b'{"Command" : "Sale"}\x04\x04' + b'{"Command":"Void"}')
    transactions.wait("receive", b'{"Command" : "Sale"}')
    transactions.wait("receive", b'{"Command":"Void"}')


def test_an_unterminated_request_ends_with_a_gap(online, transactions):
    _, peer = online
    peer.send(b"SALE ")
    peer.send(b"2.50")
    transactions.wait("receive", b"SALE 2.50")


@pytest.mark.parametrize("end, reason", [
    (lambda peer: peer.close(), "closed by the cloud"),
    (lambda peer: peer.send(b"x" * (2 << 20)), "a message of more than 1048576 bytes")])
def test_the_cloud_ends_it_and_it_comes_back(online, clouds, board, transactions, end, reason):
    _, peer = online
    end(peer)
    clouds[0].accept().register()
    board.wait("online", str(clouds[0].endpoint), count=2)
    assert any(entry[0] == "offline" and entry[1].startswith(reason) for entry in board.entries)
    assert [entry[0] for entry in transactions.entries] == ["attach", "detach", "attach"]


def test_red_comes_before_everything_else(online, board, transactions, monkeypatch):
    _, peer = online
    shown = []
    monkeypatch.setattr(transactions, "detach", lambda connection: shown.extend(board.entries))
    peer.close()
    board.wait("phase", "waiting")
    assert shown[-1] == ("offline", "closed by the cloud")


@pytest.mark.parametrize("cause, registered, report, meant", [
    (Cause.PATH, True, {}, Cause.PATH),
    (Cause.PATH, True, {**REPORT, "path": "works"}, Cause.PATH),        # known from the very connection that died
    (Cause.PATH, False, {**REPORT, "path": "works"}, Cause.CLOUD),      # known from probes: somebody took the call only
    (Cause.PATH, False, REPORT, Cause.PATH),
    (Cause.PATH, True, {**REPORT, "usable": False}, Cause.LOCAL),
    (Cause.LOCAL, True, {**REPORT, "usable": False}, Cause.LOCAL),
    (Cause.LOCAL, True, REPORT, Cause.ASKED),
    (Cause.CLOUD, True, {**REPORT, "path": "works"}, Cause.CLOUD),
])
def test_what_the_end_of_a_connection_means(settings, board, transactions, cause, registered, report, meant):
    link = Link(settings, HELLO, board, transactions, Policy(settings.reconnect, lambda: 0.5))
    link.network(report)
    assert link._cause_of_end(cause, registered) is meant


@pytest.mark.parametrize("fault, report, meant", [
    (Fault.SILENT, {}, Cause.PATH),
    (Fault.SILENT, {**REPORT, "path": "works"}, Cause.CLOUD),   # known from probes
    (Fault.SILENT, {**REPORT, "usable": False}, Cause.LOCAL),
    (Fault.LOCAL, {**REPORT, "path": "works"}, Cause.LOCAL),
    (Fault.REFUSED, {**REPORT, "path": "dead"}, Cause.CLOUD),
])
def test_what_a_failed_dial_means(settings, board, transactions, fault, report, meant):
    link = Link(settings, HELLO, board, transactions, Policy(settings.reconnect, lambda: 0.5))
    link.network(report)
    assert link._cause_of_failure({fault}) is meant


@pytest.mark.parametrize("answer, phase", [(b"FAILED-REGISTRATION", "waiting"), (b"FAILED-INVALID-TERMINAL-TYPE", "waiting"),
                                           (b"BUSY\x04\x04", "waiting")])
def test_refusals_are_shown_with_their_text(start, clouds, board, answer, phase):
    start()
    peer = clouds[0].accept()
    peer.expect(HELLO)
    peer.send(answer)
    board.wait("offline", f"registration refused: {answer.decode().strip(chr(4))}")
    board.wait("phase", phase)


def test_a_refusal_that_the_watchdog_repeats_does_not_hide_the_next(start, clouds, board):
    link = start()
    for answer, before in ((b"FAILED-REGISTRATION", None), (b"BUSY\x04\x04", "registration refused: FAILED-REGISTRATION")):
        if before:
            link.network({**REPORT, "verdict": before, "path": "works", "dial": True})
        peer = clouds[0].accept()
        peer.expect(HELLO)
        peer.send(answer)
        board.wait("offline", f"registration refused: {answer.decode().strip(chr(4))}")


def test_a_long_outage_is_told_once_and_not_at_every_dial(start, clouds, board, settings, caplog):
    caplog.set_level("INFO")
    for cloud in clouds:
        cloud.close()
    quick = replace(settings.reconnect, local_retry=0.05, first_retry=0.05, base_delay=0.05, max_delay=0.05)
    start(replace(settings, reconnect=quick))
    board.wait("phase", "dialing", count=6)
    assert caplog.text.count("next dial in") == 1
    clouds[0].reopen()
    peer = clouds[0].accept()
    peer.register()
    board.wait("online", str(clouds[0].endpoint))
    peer.close()
    clouds[0].accept().register()
    board.wait("online", str(clouds[0].endpoint), count=2)
    assert [line for line in caplog.text.splitlines() if "next dial in" in line][-1].count("closed by the cloud") == 1


def test_a_rejection_waits_for_other_settings(start, clouds, board, settings, caplog):
    link = start()
    peer = clouds[0].accept()
    peer.expect(HELLO)
    peer.send(b"FAILED-INVALID-TERMINAL-TYPE")
    board.wait("phase", "waiting")
    assert "correct terminal.type" in caplog.text
    link.reconfigure(settings, b"OTHER\x04\x04")
    peer = clouds[0].accept()
    peer.expect(b"OTHER\x04\x04")


def test_an_unanswered_registration_gives_the_other_endpoint_the_head_start(start, clouds, board):
    start()
    clouds[0].accept().expect(HELLO)
    board.wait("offline", "no answer to the registration within 0.5 s")
    clouds[1].accept().register()
    board.wait("online", str(clouds[1].endpoint))


def test_an_address_where_nobody_registers_is_forgotten(start, clouds, board, settings, monkeypatch):
    """A cloud that moved, and at its old address something that takes connections and says nothing."""
    moved = []
    monkeypatch.setattr("econduit_terminal.agent.cloud.names.getaddrinfo", lambda *_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", tuple(clouds[bool(moved)].endpoint))])
    start(replace(settings, cloud=replace(settings.cloud, primary=Endpoint("cloud.example", 9001), secondary=None)))
    first = clouds[0].accept()
    first.register()
    board.wait("online", "cloud.example:9001")
    moved.append(True)
    first.close()
    clouds[0].accept().expect(HELLO)            # the last good address once more, and no answer there
    clouds[1].accept().register()
    board.wait("online", "cloud.example:9001", count=2)


def test_heartbeats_are_sent_and_acknowledged(start, clouds, board, settings):
    start(replace(settings, heartbeat=replace(settings.heartbeat, interval=0.05)))
    peer = clouds[0].accept()
    peer.register()
    for _ in range(3):
        peer.expect(HEARTBEAT)
        peer.send(ACK + b"\x04\x04")
    board.wait("acked", count=3)


def test_a_dead_application_behind_a_live_kernel(online, clouds, board):
    link, peer = online
    link.verify()
    peer.expect(HEARTBEAT)
    board.wait("offline", "heartbeat not acknowledged within 0.3 s")
    clouds[0].accept().register()


def test_no_heartbeat_and_no_farewell_during_a_transaction(online, transactions, clouds, board):
    link, peer = online
    transactions.busy = True
    link.verify()
    link.reconnect("maintenance")
    peer.send(VOID)                     # proves that the link had its turn
    transactions.wait("receive", VOID)
    assert board.online_now
    transactions.busy = False
    link.idle()
    peer.expect(HEARTBEAT)
    peer.ended()
    peer.close()
    board.wait("offline", "maintenance")
    clouds[0].accept().register()
    board.wait("online", str(clouds[0].endpoint), count=2)


def test_the_watchdog_names_the_address_that_died(online, clouds, board):
    link, peer = online
    link.network({**REPORT, "lost": {"192.0.2.9": "cable unplugged"}})
    peer.send(b"x")
    assert board.online_now
    link.network({**REPORT, "lost": {"127.0.0.1": "cable unplugged"}})
    board.wait("offline", "cable unplugged")
    link.network({**REPORT, "bind": "lo", "lost": {"127.0.0.1": "cable unplugged"}})
    clouds[0].accept().register()       # over the interface that is usable, at once
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.1):
        peer.socket.recv(10)            # nothing is sent from an address that is lost …
    link.network(REPORT)
    with pytest.raises(ConnectionResetError):
        peer.socket.recv(10)            # … and the cloud hears of the old connection's end when it works again


def test_without_a_network_the_watchdogs_word_ends_the_wait(start, clouds, board, settings):
    for cloud in clouds:
        cloud.close()
    slow = replace(settings, reconnect=replace(settings.reconnect, local_retry=60.0, first_retry=60.0, base_delay=60.0,
                                               max_delay=60.0))
    link = start(slow)
    board.wait("phase", "waiting")
    link.network({**REPORT, "verdict": "cable unplugged", "usable": False})
    board.wait("offline", "cable unplugged")
    for cloud in clouds:
        cloud.reopen()
    link.network({**REPORT, "dial": True})
    clouds[0].accept().register()
    board.wait("online", str(clouds[0].endpoint))


def test_back_to_the_primary_while_idle_and_never_two_at_once(start, clouds, board):
    clouds[0].close()
    start()
    old = clouds[1].accept()
    old.register()
    board.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    new = clouds[0].accept()
    old.ended()                         # the terminal's end of the old one …
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.1):
        new.expect(HELLO)               # … comes before it says anything on the new one
    old.close()
    new.register()
    board.wait("online", str(clouds[0].endpoint))
    assert ("offline", "back to the primary endpoint") in board.entries


def test_no_return_during_a_transaction(start, clouds, board, transactions):
    clouds[0].close()
    link = start()
    old = clouds[1].accept()
    old.register()
    board.wait("online", str(clouds[1].endpoint))
    transactions.busy = True
    clouds[0].reopen()
    old.send(VOID)
    transactions.wait("receive", VOID)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.5):
        clouds[0].accept()
    assert board.online_now
    transactions.busy = False
    link.idle()
    new = clouds[0].accept()
    old.ended()
    old.close()
    new.register()
    board.wait("online", str(clouds[0].endpoint))


def test_a_shorter_primary_retry_counts_at_once(start, clouds, board, settings):
    slow = replace(settings, reconnect=replace(settings.reconnect, primary_retry=3600.0))
    clouds[0].close()
    link = start(slow)
    old = clouds[1].accept()
    old.register()
    board.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    link.reconfigure(replace(slow, reconnect=settings.reconnect), HELLO)
    clouds[0].accept()
    old.ended()
    old.close()


@pytest.mark.parametrize("meanwhile, next_cloud", [
    (lambda link, settings, clouds: link.network({**REPORT, "lost": {"127.0.0.1": "cable unplugged"}}), None),
    (lambda link, settings, clouds: link.reconfigure(replace(settings, cloud=replace(
        settings.cloud, primary=clouds[1].endpoint, secondary=None)), HELLO), 1)])
def test_a_return_to_the_primary_that_became_wrong_is_given_up(start, clouds, board, settings, meanwhile, next_cloud):
    clouds[0].close()
    link = start()
    old = clouds[1].accept()
    old.register()
    board.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    new = clouds[0].accept()
    board.wait("offline", "back to the primary endpoint")   # the end of the old one is awaited
    meanwhile(link, settings, clouds)
    old.close()
    with gevent.Timeout(5):
        assert new.socket.recv(100) == b""      # closed unused
    if next_cloud is not None:
        clouds[next_cloud].accept().register()
        board.wait("online", str(clouds[next_cloud].endpoint), count=2)


def test_the_primary_is_not_hammered_while_a_message_is_on_its_way(start, clouds, board, settings):
    clouds[0].close()
    start(replace(settings, reconnect=replace(settings.reconnect, primary_retry=0.05)))
    old = clouds[1].accept()
    old.register()
    board.wait("online", str(clouds[1].endpoint))
    old.send(b'{"half":')
    clouds[0].reopen()
    clouds[0].accept().ended()
    gevent.sleep(0.3)                   # time in which nothing may happen
    assert clouds[0].dialed == 1


def test_new_settings_that_do_not_concern_the_connection_leave_it_alone(online, settings, board):
    link, peer = online
    link.reconfigure(replace(settings, heartbeat=replace(settings.heartbeat, interval=0.05)), HELLO)
    peer.expect(HEARTBEAT)
    assert board.online_now


def test_another_primary_is_dialed_when_the_settings_name_it(online, clouds, settings, board):
    link, peer = online
    link.reconfigure(replace(settings, cloud=replace(settings.cloud, primary=clouds[1].endpoint, secondary=None)), HELLO)
    peer.ended()
    peer.close()
    clouds[1].accept().register()
    board.wait("online", str(clouds[1].endpoint))


def test_a_cloud_that_never_stops_sending_does_not_stop_the_rest(online, board, transactions):
    link, peer = online
    flood = gevent.spawn(lambda: [peer.send(b"{}" * 1000) for _ in range(10_000)])
    transactions.wait("receive", b"{}", count=100)
    link.network({**REPORT, "lost": {"127.0.0.1": "cable unplugged"}})
    board.wait("offline", "cable unplugged")
    flood.kill()
