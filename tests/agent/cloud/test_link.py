"""The connection's whole life against a cloud of a few lines, over real sockets."""
import time
from dataclasses import replace

import gevent
import pytest
from gevent import socket
from gevent.queue import Queue

from econduit_terminal.agent.cloud.connection import Connection
from econduit_terminal.agent.cloud.conversation import Conversation
from econduit_terminal.agent.cloud.dialed import Dialed
from econduit_terminal.agent.cloud.ended import Ended
from econduit_terminal.agent.cloud.link import Link
from econduit_terminal.agent.cloud.policy import Finding, Policy
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

REGISTRATION = b"HELLO\x04\x04"


def reported(**said):
    """A network report: nothing against the network but what is said."""
    return NetworkReport.from_json({"verdict": "online", **said})


HEARTBEAT = b'{"Command":"TerminalHeartbeat"}\x04\x04'
ACK = b'{"Status":"OK"}'
VOID = b'{"Command":"Void"}'


@pytest.fixture
def start(settings, store, transactions):
    """A function that starts a link, with other settings if wanted; it is stopped after the test."""
    running = []

    def start(settings=settings):
        link = Link(settings, REGISTRATION, store, transactions, Policy(settings.reconnect, lambda: 0.5))
        running.append((link, gevent.spawn(link.run)))
        return link
    yield start
    for link, greenlet in running:
        link.stop()
        greenlet.join(timeout=5)
        assert greenlet.successful(), greenlet.exception


@pytest.fixture
def online(start, clouds, store):
    """A link that is registered with the primary: the link and the cloud's end."""
    link = start()
    peer = clouds[0].accept()
    peer.register()
    store.wait("online", str(clouds[0].endpoint))
    return link, peer


def test_registered(online, store, transactions, clouds):
    assert store.entries == [("phase", "dialing"), ("phase", "registering"), ("observe", "register"),
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
def test_the_cloud_ends_it_and_it_comes_back(online, clouds, store, transactions, end, reason):
    _, peer = online
    end(peer)
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint), count=2)
    assert any(entry[0] == "offline" and entry[1].startswith(reason) for entry in store.entries)
    assert [entry[0] for entry in transactions.entries] == ["attach", "detach", "attach"]


def test_red_comes_before_everything_else(online, store, transactions, monkeypatch):
    _, peer = online
    shown = Queue()
    monkeypatch.setattr(transactions, "detach", lambda connection: shown.put(store.entries[-1]))
    peer.close()
    assert shown.get(timeout=5) == ("offline", "closed by the cloud")


ELSE = "is answered by something else"


def alone(settings, cloud=None, **reconnect):
    """The settings with the primary alone."""
    primary = cloud.endpoint if cloud else settings.cloud.primary
    return replace(settings, cloud=replace(settings.cloud, primary=primary, secondary=None),
                   reconnect=replace(settings.reconnect, **reconnect))


def refuse(cloud, answer=b"FAILED-REGISTRATION\x04\x04"):
    peer = cloud.accept()
    peer.expect(REGISTRATION)
    peer.send(answer)
    return peer


@pytest.mark.parametrize("answer, shown", [
    (b"FAILED-REGISTRATION", "registration refused: FAILED-REGISTRATION"),
    (b"FAILED-INVALID-TERMINAL-TYPE", "registration refused: FAILED-INVALID-TERMINAL-TYPE"),
    (b"BUSY\x04\x04", ELSE + ", not the eConduit Cloud: BUSY"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n\x04\x04",
     ELSE + ", HTTP 302: a proxy or login page of this network")])
def test_o2_refusals_are_shown_with_their_text(start, clouds, store, settings, answer, shown):
    start(alone(settings))
    refuse(clouds[0], answer)
    store.wait("phase", "waiting")
    assert store.reasons[-1].endswith(shown)


def test_a_refusal_that_the_watchdog_repeats_does_not_hide_the_next(start, clouds, store, settings):
    link = start(alone(settings))
    refuse(clouds[0])
    store.wait("offline", "registration refused: FAILED-REGISTRATION")
    link.network(reported(verdict="registration refused: FAILED-REGISTRATION", path="works", dial=True))
    refuse(clouds[0], b"BUSY\x04\x04")
    store.wait("offline", f"{clouds[0].endpoint} {ELSE}, not the eConduit Cloud: BUSY")


@pytest.mark.parametrize("sick", [
    lambda cloud: refuse(cloud), lambda cloud: refuse(cloud, b"FAILED-INVALID-TERMINAL-TYPE\x04\x04"),
    lambda cloud: refuse(cloud, b"HTTP/1.1 400 Bad Request\r\n\r\n\x04\x04"), lambda cloud: cloud.accept().close(),
    lambda cloud: refuse(cloud, b"OK-REGISTRATION-X\x04\x04"),
    lambda cloud: refuse(cloud, b"HTTP/1.0 503\r\n").close()])
def test_o2_o3_an_end_without_a_registration_leads_to_the_other_endpoint_at_once(start, clouds, store, settings, sick):
    slow = replace(settings.reconnect, base_delay=60.0, max_delay=60.0, secondary_after=60.0)
    start(replace(settings, reconnect=slow))
    sick(clouds[0])
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))
    assert ("phase", "waiting") not in store.entries and clouds[0].dialed == 1


def test_o3_both_are_asked_once_and_then_it_waits(start, clouds, store):
    start()
    for cloud in clouds:
        refuse(cloud)
    store.wait("phase", "waiting")
    assert [cloud.dialed for cloud in clouds] == [1, 1]
    assert store.reasons[-1] == "registration refused: FAILED-REGISTRATION"


def test_o3_two_sick_endpoints_are_both_named(start, clouds, store):
    start()
    refuse(clouds[0], b"HTTP/1.1 400 Bad Request\r\n\r\n\x04\x04")
    refuse(clouds[1])
    store.wait("offline", "registration refused: FAILED-REGISTRATION; "
                          f"{clouds[0].endpoint} {ELSE}, HTTP 400: a proxy or login page of this network")
    outcomes = [store.found[str(cloud.endpoint)]["outcome"] for cloud in clouds]
    assert outcomes == ["not the cloud", "refused registration"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_o3_a_login_page_that_goes_away_is_found_though_the_other_endpoint_refuses(start, clouds, store, order):
    """The refusal waits 5 s at least, the login page not: `max_delay` is 0.1 s here."""
    page, refusing = (clouds[number] for number in order)
    start()
    for cloud in clouds:
        refuse(cloud, b"HTTP/1.1 302 Found\r\n\r\n\x04\x04" if cloud is page else b"FAILED-REGISTRATION\x04\x04")
    page.accept().register()
    store.wait("online", str(page.endpoint))
    assert refusing.dialed == 1


def test_o4_a_mute_proxy_costs_its_time_once_and_the_next_loss_nothing(start, clouds, store, settings, monkeypatch):
    monkeypatch.setattr("econduit_terminal.agent.cloud.endpoints.FIRST_ANSWER", 0.2)
    start(replace(settings, registration=replace(settings.registration, timeout=60.0),
                  reconnect=replace(settings.reconnect, primary_retry=60.0, secondary_after=60.0)))
    clouds[0].accept().expect(REGISTRATION)
    peer = clouds[1].accept()
    peer.register()
    store.wait("online", str(clouds[1].endpoint))
    peer.close()
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint), count=2)
    assert clouds[0].dialed == 1


def test_o4_a_move_to_a_mute_primary_is_given_up_soon_and_comes_after_twice_the_time(start, clouds, store, settings,
                                                                                     monkeypatch):
    monkeypatch.setattr("econduit_terminal.agent.cloud.endpoints.MOVE_ANSWER", 0.2)
    start(replace(settings, registration=replace(settings.registration, timeout=60.0)))
    clouds[0].close()
    moves = []
    for number in range(3):
        peer = clouds[1].accept()
        if number == 0:
            clouds[0].reopen()
        peer.register()
        store.wait("online", str(clouds[1].endpoint), count=number + 1)
        registered = time.monotonic()
        mute = clouds[0].accept()
        moves.append(time.monotonic() - registered)
        peer.ended()
        peer.close()
        mute.expect(REGISTRATION)
    clouds[1].accept()
    # The word on the end before comes a few ms late; 2.1 s in all, and 4.2 s where already the first were doubled.
    assert all(move >= least for move, least in zip(moves, (0.28, 0.58, 1.15), strict=True)) and sum(moves) < 4.1


def test_t11_when_the_network_is_back_it_connects(start, clouds, store, blackhole, settings):
    link = start(alone(settings))
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint))
    clouds[0].close()
    lost = {"127.0.0.1": "Wi-Fi lost"}
    link.network(reported(verdict="Wi-Fi lost", usable=False, lost=lost))
    store.wait("offline", "Wi-Fi lost")
    link.network(reported(dial=True))
    store.wait("offline", "connecting")
    store.wait("offline", f"refused by {clouds[0].endpoint}")
    assert store.entries[store.entries.index(("offline", "connecting")):].count(("offline", "Wi-Fi lost")) == 0


def test_a_dial_goes_on_while_another_interface_comes_and_goes_and_ends_with_its_own(start, store, blackhole, settings):
    link = start(alone(replace(settings, cloud=replace(settings.cloud, primary=blackhole))))
    store.wait("phase", "dialing")
    for _ in range(3):
        link.network(reported(lost={"192.0.2.9": "Wi-Fi lost"}))
        gevent.sleep(0.02)
        link.network(reported())
        gevent.sleep(0.02)
    assert store.entries.count(("phase", "dialing")) == 1
    link.network(reported(lost={"127.0.0.1": "cable unplugged"}))
    store.wait("phase", "dialing", count=2)


def test_o16_no_reason_that_the_next_moment_disproves(start, clouds, store, settings, monkeypatch):
    answers = []

    def look_up(host, port, *_):
        if not answers:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", tuple(clouds[0].endpoint))]
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", look_up)
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver._meant", lambda *_: True)
    named = replace(settings, cloud=replace(settings.cloud, primary=Endpoint("cloud.example", 9001), secondary=None))
    start(replace(named, reconnect=replace(settings.reconnect, local_retry=1.0)))
    store.wait("phase", "dialing", count=2)
    assert not [entry for entry in store.entries if entry[0] == "offline"], "the first dial alone says nothing"
    store.wait("offline", "name cloud.example not found (Temporary failure in name resolution)")
    answers.append(True)
    clouds[0].accept().register()
    store.wait("online", "cloud.example:9001")


def test_o15_the_watchdogs_addresses_when_names_fail(start, clouds, store, settings, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", unknown)
    port = clouds[0].endpoint.port
    cloud = replace(settings.cloud, primary=Endpoint("cloud.example", port), secondary=None)
    link = start(replace(settings, cloud=cloud))
    link.network(reported(addresses={"cloud.example": ["::1", "127.0.0.1"], "other.example": ["192.0.2.1"]}))
    clouds[0].accept().register()
    store.wait("online", f"cloud.example:{port}")
    assert store.found[f"cloud.example:{port}"]["outcome"] == "registered"


def test_o14_an_endpoint_that_is_found_open_is_dialed_soon(start, clouds, store, settings, blackhole, monkeypatch):
    monkeypatch.setattr("econduit_terminal.agent.cloud.policy.OPENED_WITHIN", 0.1)
    late = replace(settings.reconnect, local_retry=60.0, base_delay=60.0, max_delay=60.0, connect_timeout=0.2)
    link = start(replace(settings, cloud=replace(settings.cloud, primary=blackhole, secondary=clouds[1].endpoint),
                         reconnect=late))
    clouds[1].close()
    store.wait("phase", "waiting")
    clouds[1].reopen()
    link.network(reported(open=[str(clouds[1].endpoint)]))
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.4):
        clouds[1].accept()          # it had answered the agent itself, which is not asked for it again
    link.network(reported(open=[]))
    link.network(reported(open=[str(blackhole)]))
    store.wait("phase", "dialing", count=2)


def test_a_primary_that_takes_the_terminal_and_drops_it_again_and_again_is_left(start, clouds, store, settings):
    start(replace(settings, reconnect=replace(settings.reconnect, quick_returns=2, primary_retry=60.0,
                                              secondary_after=60.0, crowded_delay=0.05)))
    for _ in range(3):
        peer = clouds[0].accept()
        peer.register()
        peer.close()
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))


def test_o10_two_terminals_with_one_terminal_id(start, clouds, store, settings, monkeypatch):
    monkeypatch.setattr("econduit_terminal.agent.cloud.conversation.SETTLED", 0.3)
    start(replace(settings, heartbeat=replace(settings.heartbeat, interval=0.2)))
    for number in range(5):
        peer = clouds[0].accept()
        peer.register()
        store.wait("online", str(clouds[0].endpoint), count=number + 1)
        gevent.sleep(0.05 * (number % 3))       # what another terminal's random waits look like
        if number < 4:
            peer.close()
    assert store.problems["TerminalID"].startswith("another terminal may use this TerminalID")
    for _ in range(3):
        peer.expect(HEARTBEAT)
        peer.send(ACK + b"\x04\x04")
    store.wait("problem", "TerminalID", None)


def test_o9_heartbeats_at_half_of_the_age_at_which_connections_are_ended(start, clouds, store, settings, monkeypatch):
    monkeypatch.setattr("econduit_terminal.agent.cloud.endpoints.FLOOR", 0.05)
    start(replace(settings, heartbeat=replace(settings.heartbeat, interval=60.0)))
    for number in range(3):
        peer = clouds[0].accept()
        peer.register()
        store.wait("online", str(clouds[0].endpoint), count=number + 1)
        gevent.sleep(0.4)
        peer.close()
    peer = clouds[0].accept()
    peer.register()
    peer.expect(HEARTBEAT)
    begins = f"something on the way to {clouds[0].endpoint} ends connections without data after"
    assert store.problems["heartbeat"].startswith(begins)


@pytest.mark.parametrize("network, head_start", [("one", 1), (None, 1), ("two", 0)])
def test_what_is_known_of_an_endpoint_is_forgotten_on_another_network_and_not_on_the_same(
        start, clouds, store, settings, network, head_start):
    link = start(replace(settings, reconnect=replace(settings.reconnect, primary_retry=60.0, secondary_after=60.0)))
    link.network(reported(network="one"))
    clouds[0].accept().close()
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))
    link.network(reported(verdict="Wi-Fi lost", usable=False, lost={"127.0.0.1": "Wi-Fi lost"}))
    store.wait("offline", "Wi-Fi lost")
    link.network(reported(network=network, dial=True))
    clouds[head_start].accept().register()
    store.wait("online", str(clouds[head_start].endpoint), count=1 + head_start)


def test_a_long_outage_is_told_once_and_not_at_every_dial(start, clouds, store, settings, caplog):
    caplog.set_level("INFO")
    for cloud in clouds:
        cloud.close()
    quick = replace(settings.reconnect, local_retry=0.05, first_retry=0.05, base_delay=0.05, max_delay=0.05)
    start(replace(settings, reconnect=quick))
    store.wait("phase", "dialing", count=6)
    assert caplog.text.count("next dial in") == 1
    clouds[0].reopen()
    peer = clouds[0].accept()
    peer.register()
    store.wait("online", str(clouds[0].endpoint))
    peer.close()
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint), count=2)
    assert [line for line in caplog.text.splitlines() if "next dial in" in line][-1].count("closed by the cloud") == 1


def test_a_rejection_waits_for_other_settings(start, clouds, store, settings, caplog):
    link = start()
    peer = clouds[0].accept()
    peer.expect(REGISTRATION)
    peer.send(b"FAILED-INVALID-TERMINAL-TYPE")
    store.wait("phase", "waiting")
    assert "correct terminal.type" in caplog.text
    link.reconfigure(settings, b"OTHER\x04\x04")
    peer = clouds[0].accept()
    peer.expect(b"OTHER\x04\x04")


def test_an_unanswered_registration_gives_the_other_endpoint_the_head_start(start, clouds, store):
    start()
    clouds[0].accept().expect(REGISTRATION)
    store.wait("offline", "no answer to the registration within 0.5 s")
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))


@pytest.fixture
def named(settings, clouds, monkeypatch):
    """Settings with a name for the cloud, and what it holds, as a list that may change."""
    held = [clouds[0]]
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", lambda *_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", tuple(cloud.endpoint)) for cloud in held])
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver._meant", lambda *_: True)
    cloud = replace(settings.cloud, primary=Endpoint("cloud.example", 9001), secondary=None)
    return replace(settings, cloud=cloud), held


def test_o5_after_an_end_by_the_cloud_the_name_is_asked_first(start, clouds, store, named):
    """The name moved; the old server is still there, takes the terminal and drops it."""
    settings, held = named
    start(settings)
    for number in range(3):
        peer = clouds[0].accept()
        peer.register()
        store.wait("online", "cloud.example:9001", count=number + 1)
        if number == 2:
            held[:] = [clouds[1]]
        peer.close()
    clouds[1].accept().register()
    store.wait("online", "cloud.example:9001", count=4)
    assert clouds[0].dialed == 3


def test_o5_after_a_local_loss_the_address_that_registered_is_dialed_at_once(start, clouds, store, named, monkeypatch):
    settings, _ = named
    link = start(settings)
    clouds[0].accept().register()
    store.wait("online", "cloud.example:9001")
    monkeypatch.setattr("econduit_terminal.agent.cloud.resolver.getaddrinfo", lambda *_: gevent.sleep(60))
    link.network(reported(usable=False, lost={"127.0.0.1": "cable unplugged"}))
    store.wait("offline", "cable unplugged")
    began = time.monotonic()
    link.network(reported(dial=True))
    clouds[0].accept().register()
    assert time.monotonic() - began < 0.3


def test_o1_an_address_where_nobody_registered_is_not_remembered(start, clouds, store, named):
    """The router answered with its own address, and its page stayed silent; then DNS is right again."""
    settings, held = named
    start(settings)
    clouds[0].accept().expect(REGISTRATION)
    held[:] = [clouds[1]]
    clouds[1].accept().register()
    store.wait("online", "cloud.example:9001")
    assert clouds[0].dialed == 1


def test_a_sick_address_does_not_keep_the_others_of_its_name_from_being_tried(start, clouds, store, named):
    settings, held = named
    held.append(clouds[1])
    start(settings)
    clouds[0].accept().close()
    clouds[1].accept().register()
    store.wait("online", "cloud.example:9001")


def test_heartbeats_are_sent_and_acknowledged(start, clouds, store, settings):
    start(replace(settings, heartbeat=replace(settings.heartbeat, interval=0.05)))
    peer = clouds[0].accept()
    peer.register()
    for _ in range(3):
        peer.expect(HEARTBEAT)
        peer.send(ACK + b"\x04\x04")
    store.wait("acked", count=3)


def test_a_dead_application_behind_a_live_kernel(online, clouds, store):
    link, peer = online
    link.verify()
    peer.expect(HEARTBEAT)
    store.wait("offline", "heartbeat not acknowledged within 0.3 s")
    clouds[0].accept().register()


def test_no_heartbeat_and_no_end_during_a_transaction(online, transactions, clouds, store):
    link, peer = online
    transactions.busy = True
    link.verify()
    link.reconnect("maintenance")
    peer.send(VOID)                     # proves that the link had its turn
    transactions.wait("receive", VOID)
    assert store.online_now
    transactions.busy = False
    link.idle()
    peer.expect(HEARTBEAT)
    peer.ended()
    peer.close()
    store.wait("offline", "maintenance")
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint), count=2)


def test_the_watchdog_names_the_address_that_died(online, clouds, store):
    link, peer = online
    link.network(reported(lost={"192.0.2.9": "cable unplugged"}))
    peer.send(b"x")
    assert store.online_now
    link.network(reported(lost={"127.0.0.1": "cable unplugged"}))
    store.wait("offline", "cable unplugged")
    link.network(reported(bind="lo", lost={"127.0.0.1": "cable unplugged"}))
    clouds[0].accept().register()       # over the interface that is usable, at once
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.1):
        peer.socket.recv(10)            # nothing is sent from an address that is lost …
    link.network(reported())
    with pytest.raises(ConnectionResetError):
        peer.socket.recv(10)            # … and the cloud hears of the old connection's end when it works again


def test_without_a_network_the_watchdogs_word_ends_the_wait(start, clouds, store, settings):
    for cloud in clouds:
        cloud.close()
    slow = replace(settings, reconnect=replace(settings.reconnect, local_retry=60.0, first_retry=60.0, base_delay=60.0,
                                               max_delay=60.0))
    link = start(slow)
    store.wait("phase", "waiting")
    link.network(reported(verdict="cable unplugged", usable=False))
    store.wait("offline", "cable unplugged")
    for cloud in clouds:
        cloud.reopen()
    link.network(reported(dial=True))
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint))


def test_back_to_the_primary_while_idle_and_never_two_at_once(start, clouds, store):
    clouds[0].close()
    start()
    old = clouds[1].accept()
    old.register()
    store.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    new = clouds[0].accept()
    old.ended()                         # the terminal's end of the old one …
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.1):
        new.expect(REGISTRATION)               # … comes before it says anything on the new one
    old.close()
    new.register()
    store.wait("online", str(clouds[0].endpoint))
    assert ("offline", "back to the primary endpoint") in store.entries


def test_no_return_during_a_transaction(start, clouds, store, transactions):
    clouds[0].close()
    link = start()
    old = clouds[1].accept()
    old.register()
    store.wait("online", str(clouds[1].endpoint))
    transactions.busy = True
    clouds[0].reopen()
    old.send(VOID)
    transactions.wait("receive", VOID)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.5):
        clouds[0].accept()
    assert store.online_now
    transactions.busy = False
    link.idle()
    new = clouds[0].accept()
    old.ended()
    old.close()
    new.register()
    store.wait("online", str(clouds[0].endpoint))


def test_a_shorter_primary_retry_counts_at_once(start, clouds, store, settings):
    slow = replace(settings, reconnect=replace(settings.reconnect, primary_retry=3600.0))
    clouds[0].close()
    link = start(slow)
    old = clouds[1].accept()
    old.register()
    store.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    link.reconfigure(replace(slow, reconnect=settings.reconnect), REGISTRATION)
    clouds[0].accept()
    old.ended()
    old.close()


@pytest.mark.parametrize("meanwhile, next_cloud", [
    (lambda link, settings, clouds: link.network(reported(lost={"127.0.0.1": "cable unplugged"})), None),
    (lambda link, settings, clouds: link.reconfigure(replace(settings, cloud=replace(
        settings.cloud, primary=clouds[1].endpoint, secondary=None)), REGISTRATION), 1)])
def test_a_return_to_the_primary_that_became_wrong_is_given_up(start, clouds, store, settings, meanwhile, next_cloud):
    clouds[0].close()
    link = start()
    old = clouds[1].accept()
    old.register()
    store.wait("online", str(clouds[1].endpoint))
    clouds[0].reopen()
    new = clouds[0].accept()
    store.wait("offline", "back to the primary endpoint")   # the end of the old one is awaited
    meanwhile(link, settings, clouds)
    old.close()
    with gevent.Timeout(5):
        assert new.socket.recv(100) == b""      # closed unused
    if next_cloud is not None:
        clouds[next_cloud].accept().register()
        store.wait("online", str(clouds[next_cloud].endpoint), count=2)


def test_the_primary_is_not_hammered_while_a_message_is_on_its_way(start, clouds, store, settings):
    clouds[0].close()
    start(replace(settings, reconnect=replace(settings.reconnect, primary_retry=0.05)))
    old = clouds[1].accept()
    old.register()
    store.wait("online", str(clouds[1].endpoint))
    old.send(b'{"half":')
    clouds[0].reopen()
    clouds[0].accept().ended()
    gevent.sleep(0.3)                   # time in which nothing may happen
    assert clouds[0].dialed == 1


def test_new_settings_that_do_not_concern_the_connection_leave_it_alone(online, settings, store):
    link, peer = online
    link.reconfigure(replace(settings, heartbeat=replace(settings.heartbeat, interval=0.05)), REGISTRATION)
    peer.expect(HEARTBEAT)
    assert store.online_now


def test_another_primary_is_dialed_when_the_settings_name_it(online, clouds, settings, store):
    link, peer = online
    link.reconfigure(alone(settings, clouds[1]), REGISTRATION)
    peer.ended()
    peer.close()
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))


def test_a_cloud_that_never_stops_sending_does_not_stop_the_rest(online, store, transactions):
    link, peer = online
    flood = gevent.spawn(lambda: [peer.send(b"{}" * 1000) for _ in range(10_000)])
    transactions.wait("receive", b"{}", count=100)
    link.network(reported(lost={"127.0.0.1": "cable unplugged"}))
    store.wait("offline", "cable unplugged")
    flood.kill()


def test_new_settings_do_not_wait_for_an_answer_to_the_registration(start, clouds, settings, store):
    patient = replace(settings, registration=replace(settings.registration, timeout=60.0))
    link = start(alone(patient, clouds[0]))
    mute = clouds[0].accept()
    mute.expect(REGISTRATION)
    link.reconfigure(alone(patient, clouds[1]), REGISTRATION)
    mute.ended()
    mute.close()
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))


# -- the liveness check -----------------------------------------------------------------------------------------------


@pytest.fixture
def silence(monkeypatch):
    """A function: from now on the kernel says of the connections that are open now that nothing is answered."""
    deaf, opened = set(), []
    make, info = Connection.__init__, Connection.info

    def init(self, *arguments):
        make(self, *arguments)
        opened.append(self)

    def says(self):
        if self not in deaf:
            return info(self)
        return replace(info(self), segs_in=1, probes=1, last_ack_recv=9.0, last_data_recv=9.0, **changes)

    changes = {}
    monkeypatch.setattr(Connection, "__init__", init)
    monkeypatch.setattr(Connection, "info", says)

    def begin(**more):
        changes.update(more)
        deaf.update(opened)
    return begin


@pytest.fixture
def doubtful(settings):
    """Settings with a short doubt and a long keepalive: the looks are ours alone."""
    return replace(settings, reconnect=replace(settings.reconnect, keepalive_idle=1.0, doubt_after=0.05),
                   heartbeat=replace(settings.heartbeat, ack_timeout=5.0))


def test_a_connection_that_is_dead_on_a_line_that_works(silence, start, doubtful, clouds, store, transactions):
    start(doubtful)
    old = clouds[0].accept()
    old.register()
    store.wait("online", str(clouds[0].endpoint))
    silence(unacked=1, outq=33)
    new = clouds[0].accept()
    new.register()
    store.wait("online", str(clouds[0].endpoint), count=2)
    assert set(store.reasons) == {"connection lost on the way"}
    with pytest.raises(ConnectionResetError):       # the cloud hears of it before it hears of the new one
        while old.socket.recv(100):
            pass
    assert [entry[0] for entry in transactions.entries] == ["attach", "detach", "attach"]
    assert ("phase", "waiting") not in store.entries and clouds[0].dialed == 2
    assert not store.problems.get("packet size")


def test_new_settings_count_also_where_the_old_connection_dies_before_it_can_be_left(
        silence, start, doubtful, clouds, store, transactions):
    link = start(alone(doubtful, clouds[0]))
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint))
    transactions.busy = True
    link.reconfigure(alone(doubtful, clouds[1]), REGISTRATION)
    silence(unacked=1, outq=33)
    beside = clouds[0].accept()
    with gevent.Timeout(5):
        assert beside.socket.recv(100) == b""       # closed unused
    clouds[1].accept().register()
    store.wait("online", str(clouds[1].endpoint))


def test_a_connection_is_not_given_up_while_it_answers(silence, start, doubtful, clouds, store):
    start(doubtful)
    peer = clouds[0].accept()
    peer.register()
    store.wait("online", str(clouds[0].endpoint))
    gevent.sleep(1.5)       # the looks themselves
    assert store.reasons == [] and clouds[0].dialed == 1


def test_a_dead_line_is_shown_and_dialed_again(silence, start, doubtful, clouds, store):
    start(doubtful)
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint))
    clouds[0].close()
    clouds[1].close()
    silence()
    store.wait("offline", "connection timed out")
    clouds[0].reopen()
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint), count=2)


def test_m8_the_next_connections_to_this_endpoint_have_smaller_segments(silence, start, doubtful, clouds, store):
    link = start(doubtful)
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint))

    def segment():
        return link._connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)

    assert segment() > 1200
    for size, count in ((1200, 2), (536, 3)):
        link._connection.on_write()
        silence(unacked=2, sacked=1, outq=100_000)
        clouds[0].accept().register()
        store.wait("online", str(clouds[0].endpoint), count=count)
        assert segment() <= size
        assert store.reasons[-1] == "large packets lost on the way"
        assert store.problems["packet size"].endswith(f"segments of {size} bytes at most are sent")
    link.reconnect("the record stays")
    clouds[0].accept().register()
    store.wait("online", str(clouds[0].endpoint), count=4)
    assert segment() <= 536
    link.network(reported(network="a"))
    link.network(reported(network="b"))
    store.wait("problem", "packet size", None)


def test_an_endpoint_that_registers_and_falls_silent_again_and_again_is_left_in_the_end(
        start, settings, clouds, store, monkeypatch):
    """Each life ends with another connection open; `quick_returns` of them are answered at once."""
    lives = []

    def silent(conversation):
        conversation.registered_at = time.monotonic()
        lives.append(conversation)
        opened = gevent.socket.create_connection(tuple(clouds[0].endpoint), timeout=5)
        return Ended(Finding.LOST, "connection lost on the way", Dialed(opened, clouds[0].endpoint, 0.0))

    monkeypatch.setattr(Conversation, "run", silent)
    start(replace(settings, reconnect=replace(settings.reconnect, quick_returns=2, stable_after=30.0)))
    store.wait("phase", "waiting")
    assert len(lives) == 3
