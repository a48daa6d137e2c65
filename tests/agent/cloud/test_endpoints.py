import socket

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.cloud.endpoints import (
    FIRST_ANSWER,
    FLOOR,
    MOST_DOUBTED,
    MOVE_ANSWER,
    Endpoints,
    PastRegistration,
    Record,
)
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome

A, B = Endpoint("primary.test", 80), Endpoint("secondary.test", 9001)
ADDRESSES = [(socket.AF_INET, (f"192.0.2.{number}", 80)) for number in range(1, 40)]
ONE, TWO, THREE = ADDRESSES[:3]
STABLE = 30.0


@pytest.fixture
def records():
    return Endpoints([A, B])


def in_vain(records, endpoint, address=ONE, finding=Finding.MUTE, **more):
    records.not_registered(endpoint, address, finding, f"{finding.name} at {endpoint.host}", **more)


def test_only_a_registration_gives_the_head_start_back(records):
    assert records.order() == [A, B]
    in_vain(records, A)
    assert records.order() == [B, A]
    records.not_opened(A, Finding.REFUSED, "refused")       # no evidence for it either
    assert records.order() == [B, A]
    records.registered(B, TWO, 1.0)
    assert records.order() == [B, A]
    records.registered(A, ONE, 2.0)
    assert records.order() == [A, B]


def test_an_endpoint_that_registers_and_drops_the_terminal_loses_its_head_start(records):
    records.registered(A, ONE, 1.0)
    records.crowded(A)
    assert records.order() == [B, A]


def test_of_two_that_open_in_vain_the_one_that_did_so_less_often_is_first(records):
    in_vain(records, A)
    in_vain(records, B)
    assert records.order() == [A, B]
    in_vain(records, A)
    assert records.order() == [B, A]
    assert records.order([A]) == [A]


def test_what_only_refuses_a_dial_keeps_its_head_start(records):
    for finding in (Finding.REFUSED, Finding.SILENT, Finding.ROUTER, Finding.NO_NAME, Finding.NO_WAY):
        records.not_opened(A, finding, "x")
    assert records.order() == [A, B]


@pytest.mark.parametrize("finding, outcome", [
    (Finding.CLOSED, Outcome.OPEN), (Finding.MUTE, Outcome.OPEN), (Finding.LOST, Outcome.OPEN),
    (Finding.TLS, Outcome.OPEN), (Finding.OTHER, Outcome.NOT_THE_CLOUD), (Finding.FAILED, Outcome.REFUSED_REGISTRATION),
    (Finding.INVALID_TYPE, Outcome.REFUSED_REGISTRATION), (Finding.REFUSED, Outcome.REFUSED),
    (Finding.ROUTER, Outcome.REJECTED), (Finding.SILENT, Outcome.SILENT), (Finding.NO_NAME, Outcome.NO_NAME),
    (Finding.NO_WAY, Outcome.NO_WAY)])
def test_outcomes(records, finding, outcome):
    records.not_opened(B, finding, "x")
    records[B].addresses = ("192.0.2.1", "2001:db8::1")
    assert [entry.to_json() for entry in records.status()] == [
        {"endpoint": "primary.test:80", "outcome": "untried", "addresses": []},
        {"endpoint": "secondary.test:9001", "outcome": outcome.value, "addresses": ["192.0.2.1", "2001:db8::1"]}]


def test_the_contract_s_words():
    assert [outcome.value for outcome in Outcome] == [
        "untried", "registered", "open", "not the cloud", "refused registration", "refused", "rejected by a router",
        "silent", "no name", "no way"]


# -- time for the answer -----------------------------------------------------------------------------------------------

def test_o4_little_time_until_the_other_was_tried_and_all_of_it_then(records):
    assert records.answer_time(A, 10) == FIRST_ANSWER
    assert records.answer_time(A, 0.5) == 0.5
    in_vain(records, A)
    assert records.answer_time(B, 10) == 10
    assert records.answer_time(A, 10) == FIRST_ANSWER, "the secondary has not been tried yet"
    records.not_opened(B, Finding.SILENT, "x")
    assert records.answer_time(A, 10) == 10, "a slow line gets the whole time at the second try"
    records.registered(A, ONE, 1.0)
    assert records.answer_time(A, 10) == FIRST_ANSWER


def test_an_endpoint_whose_cloud_cut_the_terminal_has_the_whole_time_once(records):
    """It cut others, too: who hangs up in that queue leaves work behind that helps nobody."""
    records.registered(A, ONE, 1.0)
    records.ended(A, PastRegistration(100.0, 1.0), by_the_cloud=True, stable_after=30)
    assert (records.answer_time(A, 10), records.answer_time(B, 10)) == (10, FIRST_ANSWER)
    in_vain(records, A)
    records.registered(B, TWO, 1.0)
    assert records.answer_time(A, 10) == FIRST_ANSWER


def test_an_endpoint_where_the_line_ended_the_connection_has_no_more_time_than_any(records):
    records.registered(A, ONE, 1.0)
    records.ended(A, PastRegistration(100.0, 1.0), by_the_cloud=False, stable_after=30)
    assert records.answer_time(A, 10) == FIRST_ANSWER
    records.ended(A, PastRegistration(100.0, 1.0), by_the_cloud=True, stable_after=30)
    records.registered(A, ONE, 2.0)
    assert records.answer_time(A, 10) == FIRST_ANSWER


def test_patience_grows_with_each_connection_that_every_endpoint_took_in_vain(records):
    found = []
    for _ in range(4):
        for endpoint in (A, B):
            found.append(records.answer_time(endpoint, 10))
            in_vain(records, endpoint)
    assert found == [FIRST_ANSWER, 10, 20, 20, 40, 40, 40, 40]
    records.registered(A, ONE, 1.0)
    assert records.answer_time(B, 10) == FIRST_ANSWER
    in_vain(records, B)
    assert records.answer_time(A, 10) == 10


def test_an_endpoint_that_refuses_is_none_that_took_a_connection_in_vain(records):
    for _ in range(3):
        in_vain(records, A)
    records.not_opened(B, Finding.REFUSED, "refused")
    assert records.answer_time(A, 10) == 10


def test_a_single_endpoint_has_the_whole_time():
    assert Endpoints([A]).answer_time(A, 10) == 10


def test_a_dial_beside_a_connection_is_no_try_of_the_next_loss(records):
    records.registered(B, TWO, 1.0)
    records.not_opened(A, Finding.REFUSED, "refused", background=True)
    assert records.answer_time(B, 10) == FIRST_ANSWER and records.reasons() == []
    assert records[A].outcome is Outcome.REFUSED


def test_o4_a_move_waits_two_seconds_and_doubles_with_each_that_failed(records):
    assert records.answer_time(A, 10, moved=True) == MOVE_ANSWER
    assert records.answer_time(A, 0.5, moved=True) == 0.5
    assert records.move_after(A, 300) == 300
    in_vain(records, A)
    assert records.move_after(A, 300) == 300, "that was no move"
    for doubled in (600, 1200, 2400):
        in_vain(records, A, moved=True)
        assert records.move_after(A, 300) == doubled
    records.registered(B, TWO, 1.0)
    assert records.move_after(A, 300) == 2400
    records.registered(A, ONE, 2.0)
    assert records.move_after(A, 300) == 2400, "that it registers does not say that it keeps the terminal"
    records.ended(A, PastRegistration(4.0, 0.0), by_the_cloud=True, stable_after=30, moved=True)
    assert records.move_after(A, 300) == 4800
    for by_the_cloud, moved in ((True, False), (False, True)):
        records.ended(A, PastRegistration(4.0, 0.0), by_the_cloud=by_the_cloud, stable_after=30, moved=moved)
    assert records.move_after(A, 300) == 4800
    records.ended(A, PastRegistration(30.0, 0.0), by_the_cloud=True, stable_after=30)
    assert records.move_after(A, 300) == 300
    for _ in range(2000):
        in_vain(records, A, moved=True)
    assert records.move_after(A, 300) < 7 * 86400


# -- addresses ---------------------------------------------------------------------------------------------------------

def test_o1_an_address_is_remembered_by_a_registration_alone(records):
    in_vain(records, A, ONE)
    assert records[A].address is None
    records.registered(A, TWO, 1.0)
    assert records[A].address == TWO
    in_vain(records, A, ONE)
    assert records[A].address == TWO
    in_vain(records, A, TWO)
    assert records[A].address is None


def test_the_addresses_in_the_status_are_those_that_gave_the_outcome(records):
    records[A].addresses = ("192.0.2.1", "192.0.2.2")
    records.not_opened(A, Finding.SILENT, "x")
    assert records[A].addresses == ("192.0.2.1", "192.0.2.2")
    in_vain(records, A, ONE)
    assert records[A].addresses == ("192.0.2.1",)
    records.registered(A, TWO, 1.0)
    assert records[A].addresses == ("192.0.2.2",)


def test_o5_an_address_that_the_name_no_longer_holds_is_forgotten(records):
    records.registered(A, ONE, 1.0)
    records.named(A, [TWO, ONE])
    assert records[A].address == ONE
    records.named(A, [TWO, THREE])
    assert records[A].address is None


def test_addresses_that_open_in_vain_go_behind_the_others_the_latest_last(records):
    for address in (ONE, TWO, ONE):
        in_vain(records, A, address)
    assert records[A].doubted == (TWO, ONE)
    for address in ADDRESSES:
        in_vain(records, A, address)
    assert len(records[A].doubted) == MOST_DOUBTED
    records.registered(A, THREE, 1.0)
    assert records[A].doubted == ()


# -- what is forgotten -------------------------------------------------------------------------------------------------

def test_another_network_and_the_same_one(records):
    assert not records.on_network(None) and not records.on_network("one")
    records.registered(A, ONE, 1.0)
    in_vain(records, B, TWO)
    records[A].terminates = True
    for identity in ("one", None, "one", None):
        assert not records.on_network(identity)
    assert records[B].unregistered == 1 and records[A].terminates
    assert records.on_network("two")
    assert records[B] == Record() and records[A] == Record(address=ONE)
    assert records.on_network("one")


def test_other_settings(records):
    in_vain(records, A)
    records.configure([A])
    assert records[A] == Record() and records.order() == [A]
    assert records[B] == Record()
    in_vain(records, B)         # of a connection that the settings do not name any more
    assert [entry.endpoint for entry in records.status()] == [str(A)]


# -- reasons -----------------------------------------------------------------------------------------------------------

def test_the_reasons_are_those_since_the_last_registration_and_each_stands_once(records):
    assert records.reasons() == []
    records.not_opened(B, Finding.REFUSED, "refused by B")
    records.not_opened(A, Finding.SILENT, "no answer from A")
    assert records.reasons() == ["no answer from A", "refused by B"]
    records.not_registered(B, ONE, Finding.FAILED, "registration refused")
    assert records.reasons() == ["registration refused"], "what is silent would change nothing"
    records.not_registered(A, ONE, Finding.OTHER, "answered by something else")
    assert records.reasons() == ["registration refused", "answered by something else"]
    records.not_registered(A, ONE, Finding.FAILED, "registration refused")
    assert records.reasons() == ["registration refused"]
    records.registered(A, ONE, 1.0)
    assert records.reasons() == []


def test_who_answers(records):
    assert not records.others_answer(A)
    for finding in Finding:
        if finding in (Finding.ASKED, Finding.ABORTED, Finding.DEREGISTERED):
            continue
        proves = finding not in (Finding.OTHER, Finding.ROUTER, Finding.SILENT, Finding.NO_NAME, Finding.NO_WAY)
        records.not_opened(B, finding, "x")
        assert records.others_answer(A) is proves and not records.others_answer(B)
        assert records.answers(B) is (proves or finding is Finding.OTHER)


# -- O9: idle connections are ended ------------------------------------------------------------------------------------

def registrations(records, *ages, registered=1000.0, endpoint=A, by_the_cloud=True):
    for age in ages:
        records.ended(endpoint, PastRegistration(registered, age), by_the_cloud=by_the_cloud, stable_after=STABLE)


@pytest.mark.parametrize("ages, interval", [
    ((30.0,) * 2, 60), ((30.0, 30.2, 29.9), 14.95), ((5.0, 40.0, 30.0, 30.5, 31.0), 15), ((30.0, 31.0, 45.0), 60),
    ((30.0, 45.0, 30.0, 45.0), 60), ((15.0,) * 3, FLOOR), ((12.0, 13.0, 12.5), FLOOR), ((9.0,) * 3, 60),
    ((3.0,) * 8, 60), ((300.0, 305.0, 310.0), 60), ((110.0,) * 3, 55)])
def test_o9_ends_at_one_idle_age_call_for_heartbeats_at_half_of_it(records, ages, interval):
    registrations(records, *ages)
    assert records.interval(A, 60) == pytest.approx(interval)
    assert records.interval(B, 60) == 60 and records.interval(A, 5) == 5


def test_o9_a_shorter_age_counts_later_a_longer_one_not(records):
    registrations(records, 40.0, 40.0, 40.0)
    assert records.interval(A, 60) == 20
    registrations(records, 24.0, 24.0, 24.0)
    assert records.interval(A, 60) == 12
    registrations(records, 50.0, 50.0, 50.0)
    assert records.interval(A, 60) == 12
    records.registered(A, ONE, 1.0)
    assert records.interval(A, 60) == 12, "a registration does not disprove it"
    records.configure([A, B])
    assert records.interval(A, 60) == 60


@given(st.lists(st.floats(0, 1e5), max_size=30), st.floats(0.05, 3600))
def test_o9_no_heartbeat_more_often_than_the_floor_nor_seldomer_than_configured(ages, configured):
    records = Endpoints([A, B])
    registrations(records, *ages)
    assert min(FLOOR, configured) <= records.interval(A, configured) <= configured


# -- O10: two terminals with one TerminalID ----------------------------------------------------------------------------

@pytest.mark.parametrize("registered, shared", [
    ((0.1, 0.25, 0.02), False), ((0.1, 0.25, 0.02, 0.18), True), ((0.1, 9.0, 0.3, 20.0), True),
    ((900.0, 0.25, 0.02, 0.18), False), ((0.1, 0.25, 31.0, 0.02, 0.18, 0.1), False),
    ((4.0, 4.01, 4.0, 4.02), False), ((2.8, 2.6, 2.9, 2.95, 2.7), False)])
def test_o10_short_registrations_that_no_timer_explains(records, registered, shared):
    for seconds in registered:
        registrations(records, 0.0, registered=seconds)
    assert records.shared_id is shared


def test_o10_lines_that_die_are_no_second_terminal(records):
    for seconds in (0.1, 3.0, 7.0, 12.0, 1.0):
        registrations(records, 0.0, registered=seconds, by_the_cloud=False)
    assert not records.shared_id


def test_o10_a_registration_that_lasts_ends_it(records):
    for seconds in (0.1, 0.25, 0.02, 0.18):
        registrations(records, 0.0, registered=seconds, endpoint=A if seconds < 0.1 else B)
    assert records.shared_id
    records.settled()
    assert not records.shared_id
