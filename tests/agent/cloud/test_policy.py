import statistics
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.cloud.policy import (
    REFUSED_FLOOR,
    UNEXPLAINED,
    Cause,
    Evidence,
    Finding,
    Policy,
    classify,
    most_telling,
)
from econduit_terminal.conf.settings import load
from econduit_terminal.contract.network_report import NetworkReport

RULES = load(None).reconnect
HIGH, LOW = (lambda: 0.999999999), (lambda: 0.0)
A, B = "primary", "secondary"
BEYOND, DEAD, UNUSABLE = NetworkReport(beyond=True), NetworkReport(beyond=False), NetworkReport(usable=False)


def waits(random, *findings, network=None):
    """The wait after each finding in a row at one endpoint."""
    policy = Policy(RULES, random, [A])
    return [policy.ended({A: Evidence(finding)}, network or NetworkReport(), 0.0).seconds for finding in findings]


# -- classify ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("finding, registered, network, cause", [
    (Finding.ASKED, True, UNUSABLE, Cause.ASKED),
    (Finding.ABORTED, True, UNUSABLE, Cause.LOCAL),
    (Finding.ABORTED, True, NetworkReport(), Cause.ASKED),
    # a registered connection
    (Finding.CLOSED, True, BEYOND, Cause.CUT),
    (Finding.CLOSED, True, DEAD, Cause.CUT),
    (Finding.DEREGISTERED, True, NetworkReport(), Cause.CUT),
    (Finding.MUTE, True, DEAD, Cause.CUT),
    (Finding.LOST, True, NetworkReport(), Cause.PATH),
    (Finding.LOST, True, BEYOND, Cause.PATH),       # which was known from that very connection
    (Finding.LOST, True, UNUSABLE, Cause.LOCAL),
    # one that opened
    (Finding.CLOSED, False, NetworkReport(), Cause.CROWDED),
    (Finding.MUTE, False, UNUSABLE, Cause.CROWDED),
    (Finding.TLS, False, NetworkReport(), Cause.CROWDED),
    (Finding.LOST, False, NetworkReport(), Cause.PATH),
    (Finding.LOST, False, BEYOND, Cause.SILENT),
    (Finding.FAILED, False, UNUSABLE, Cause.REFUSED),
    (Finding.INVALID_TYPE, False, NetworkReport(), Cause.REJECTED),
    (Finding.OTHER, False, DEAD, Cause.NOT_THE_CLOUD),
    # a dial
    (Finding.REFUSED, False, UNUSABLE, Cause.DOWN),
    (Finding.ROUTER, False, BEYOND, Cause.PATH),
    (Finding.ROUTER, False, UNUSABLE, Cause.LOCAL),
    (Finding.NO_NAME, False, BEYOND, Cause.PATH),
    (Finding.NO_NAME, False, UNUSABLE, Cause.LOCAL),
    (Finding.NO_WAY, False, BEYOND, Cause.LOCAL),
    (Finding.SILENT, False, BEYOND, Cause.SILENT),
    (Finding.SILENT, False, DEAD, Cause.PATH),
    (Finding.SILENT, False, NetworkReport(), Cause.PATH),
    (Finding.SILENT, False, UNUSABLE, Cause.LOCAL),
])
def test_what_is_met_becomes_a_cause(finding, registered, network, cause):
    assert classify(Evidence(finding, registered), network) is cause


@pytest.mark.parametrize("finding", [Finding.SILENT, Finding.LOST])
def test_silence_beside_an_endpoint_that_answers_is_that_endpoint_s(finding):
    assert classify(Evidence(finding, others_answer=True), NetworkReport()) is Cause.DOWN
    assert classify(Evidence(finding, registered=True, others_answer=True), NetworkReport()) is not Cause.DOWN


@pytest.mark.parametrize("finding, cause", [
    (Finding.NO_NAME, Cause.PATH), (Finding.ROUTER, Cause.PATH), (Finding.NO_WAY, Cause.LOCAL)])
def test_what_the_network_says_itself_is_never_the_cloud_s_fault(finding, cause):
    assert classify(Evidence(finding, others_answer=True), NetworkReport()) is cause


@pytest.mark.parametrize("seconds, cause", [
    (0, Cause.PATH), (UNEXPLAINED - 1, Cause.PATH), (UNEXPLAINED, Cause.SILENT)])
def test_silence_that_nothing_explains_is_the_line_s_for_a_while(seconds, cause):
    assert classify(Evidence(Finding.SILENT, silent_for=seconds), NetworkReport()) is cause
    assert classify(Evidence(Finding.SILENT, silent_for=seconds), DEAD) is Cause.PATH


@given(st.sampled_from(Finding), st.booleans(), st.booleans(), st.floats(0, 1e6),
       st.builds(NetworkReport, usable=st.booleans(), beyond=st.none() | st.booleans()))
def test_o15_names_and_routers_are_never_the_clouds_fault_unless_the_line_is_known_to_work(
        finding, registered, others, silent, network):
    cause = classify(Evidence(finding, registered, others, silent_for=silent), network)
    if finding in (Finding.NO_NAME, Finding.ROUTER, Finding.NO_WAY) and not others:
        assert cause in (Cause.LOCAL, Cause.PATH)
    if cause is Cause.CUT:
        assert registered


# -- the table of waits ------------------------------------------------------------------------------------------------

DOWN = [0.5, 1, 2, 4, 8, 10, 10]
CROWDED = [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("finding, more, upper", [
    (Finding.REFUSED, {}, DOWN),
    (Finding.OTHER, {}, DOWN),
    (Finding.SILENT, {"network": BEYOND}, DOWN),
    (Finding.CLOSED, {}, CROWDED),
    (Finding.MUTE, {}, CROWDED),
    (Finding.TLS, {}, CROWDED),
    (Finding.SILENT, {"network": DEAD}, [1.5] * 7),
    (Finding.SILENT, {"network": UNUSABLE}, [1.5] * 7),
    (Finding.ROUTER, {}, [1.5] * 7),
    (Finding.NO_NAME, {"network": BEYOND}, [1.5] * 7),
    (Finding.FAILED, {}, [6, 7, 9, 13, 21, 37, 60]),
    (Finding.INVALID_TYPE, {}, [300] * 3),
    (Finding.ASKED, {}, [0] * 3),
])
def test_the_longest_waits(finding, more, upper):
    assert waits(HIGH, *[finding] * len(upper), **more) == pytest.approx(upper)


@pytest.mark.parametrize("finding, more, lower", [
    (Finding.REFUSED, {}, 0), (Finding.OTHER, {}, 0), (Finding.CLOSED, {}, 0), (Finding.SILENT, {"network": BEYOND}, 0),
    (Finding.SILENT, {"network": DEAD}, 0.5), (Finding.NO_WAY, {}, 0.5), (Finding.FAILED, {}, REFUSED_FLOOR),
    (Finding.INVALID_TYPE, {}, 300)])
def test_the_shortest_waits(finding, more, lower):
    assert waits(LOW, *[finding] * 9, **more) == [lower] * 9


def test_o12_full_jitter_is_spread_over_the_whole_time():
    seeded = Random(7)
    ninth = [waits(seeded.random, *[Finding.REFUSED] * 9)[-1] for _ in range(2000)]
    assert 0 <= min(ninth) < 0.1 and 9.9 < max(ninth) < 10
    assert statistics.mean(ninth) == pytest.approx(5, abs=0.25)


def test_refused_terminals_do_not_come_back_at_one_moment():
    seeded = Random(7)
    first = [waits(seeded.random, Finding.FAILED)[0] for _ in range(100)]
    assert max(first) - min(first) > 0.8


def test_the_time_of_a_dial_without_an_answer_counts_as_waited():
    for dialed_for, seconds in ((1.2, 0.3), (5.0, 0.0)):
        wait = Policy(RULES, HIGH, [A]).ended({A: Evidence(Finding.SILENT)}, DEAD, 0.0, dialed_for=dialed_for)
        assert wait.seconds == pytest.approx(seconds)
    wait = Policy(RULES, HIGH, [A]).ended({A: Evidence(Finding.REFUSED)}, DEAD, 0.0, dialed_for=5.0)
    assert wait.seconds == pytest.approx(0.5)


def test_o12_the_wait_of_an_endpoint_that_refused_runs_from_the_refusal_though_the_other_was_silent():
    policy = Policy(RULES, HIGH, [A, B])
    wait = policy.ended({A: Evidence(Finding.REFUSED, ago=0.3), B: Evidence(Finding.SILENT, others_answer=True)},
                        NetworkReport(), 0.0, dialed_for=0.4)
    assert wait.causes == {A: Cause.DOWN, B: Cause.DOWN}
    assert (policy.delay(A, 0.0), policy.delay(B, 0.0)) == (pytest.approx(0.2), pytest.approx(0.5))


def test_an_hour_without_a_cable_does_not_slow_the_first_dial():
    policy = Policy(RULES, HIGH, [A])
    for second in range(3600):
        policy.ended({A: Evidence(Finding.NO_WAY)}, UNUSABLE, second)
    wait = policy.ended({A: Evidence(Finding.REFUSED)}, NetworkReport(), 3600)
    assert (wait.seconds, wait.attempt) == (pytest.approx(0.5), 1)


def test_five_minutes_of_unexplained_silence_then_like_down():
    policy = Policy(RULES, HIGH, [A, B])
    silent = {A: Evidence(Finding.SILENT), B: Evidence(Finding.SILENT)}
    causes = [policy.ended(silent, NetworkReport(), second).cause for second in range(0, 330, 6)]
    assert causes == [Cause.PATH] * 50 + [Cause.SILENT] * 5
    assert policy.ended(silent, DEAD, 400).cause is Cause.PATH      # somebody can tell: it is the line
    assert policy.ended(silent, NetworkReport(), 401).cause is Cause.PATH


@pytest.mark.parametrize("meanwhile, network", [
    ({A: Evidence(Finding.REFUSED), B: Evidence(Finding.SILENT, others_answer=True)}, NetworkReport()),
    ({A: Evidence(Finding.LOST, registered=True)}, NetworkReport()), ({A: Evidence(Finding.SILENT)}, UNUSABLE)])
def test_an_answer_or_an_explanation_begins_the_silence_anew(meanwhile, network):
    policy = Policy(RULES, HIGH, [A, B])
    policy.ended({A: Evidence(Finding.SILENT)}, NetworkReport(), 0.0)
    policy.ended(meanwhile, network, 299.0)
    assert policy.ended({A: Evidence(Finding.SILENT)}, NetworkReport(), 302.0).cause is Cause.PATH


# -- cuts: the token bucket --------------------------------------------------------------------------------------------

CUT = {A: Evidence(Finding.CLOSED, registered=True)}


def test_o11_cut_again_and_again_and_back_at_once_each_time():
    policy = Policy(RULES, HIGH, [A, B])
    cuts = [policy.ended(CUT, NetworkReport(), 3.0 * number, registered_for=2.8) for number in range(8)]
    assert [wait.seconds for wait in cuts] == pytest.approx([0.25] * 8)
    assert {wait.attempt for wait in cuts} == {0} and {wait.cause for wait in cuts} == {Cause.CUT}


def test_an_empty_bucket_is_a_crowded_cloud_and_counts():
    policy = Policy(RULES, HIGH, [A, B])
    cuts = [policy.ended(CUT, NetworkReport(), 1.0, registered_for=0.1) for _ in range(14)]
    assert [wait.seconds for wait in cuts] == pytest.approx([0.25] * 10 + [1, 2, 4, 8])
    assert [wait.attempt for wait in cuts] == [0] * 10 + [1, 2, 3, 4]
    assert [wait.cause for wait in cuts] == [Cause.CUT] * 10 + [Cause.CROWDED] * 4
    refilled = policy.ended(CUT, NetworkReport(), 31.0, registered_for=0.1)
    assert refilled.seconds == pytest.approx(0.25)
    assert policy.ended(CUT, NetworkReport(), 31.0, registered_for=0.1).seconds == pytest.approx(16)


def test_the_bucket_holds_no_more_than_it_may():
    policy = Policy(RULES, HIGH, [A])
    policy.ended(CUT, NetworkReport(), 0.0)
    quick = [policy.ended(CUT, NetworkReport(), 86400.0).seconds < 0.3 for _ in range(12)]
    assert quick == [True] * 10 + [False] * 2


@pytest.mark.parametrize("changed, quick", [
    ({"quick_returns": 0}, 0), ({"quick_returns": 2}, 2), ({"stable_after": 0.0}, 5)])
def test_buckets_of_other_sizes(changed, quick):
    policy = Policy(replace(RULES, **changed), HIGH, [A])
    assert sum(policy.ended(CUT, NetworkReport(), 0.0).seconds < 0.3 for _ in range(5)) == quick


@pytest.mark.parametrize("registered_for, attempt", [(None, 4), (0.0, 4), (29.9, 4), (30.0, 1), (1e6, 1)])
def test_only_a_stable_registration_is_a_new_start(registered_for, attempt):
    policy = Policy(replace(RULES, quick_returns=0), HIGH, [A])
    for _ in range(3):
        policy.ended({A: Evidence(Finding.REFUSED)}, NetworkReport(), 0.0)
    assert policy.ended(CUT, NetworkReport(), 0.0, registered_for=registered_for).attempt == attempt


# -- two endpoints -----------------------------------------------------------------------------------------------------

def test_o3_an_end_without_a_registration_leads_to_the_other_endpoint_at_once():
    policy = Policy(RULES, HIGH, [A, B])
    for finding in (Finding.FAILED, Finding.INVALID_TYPE, Finding.OTHER, Finding.CLOSED, Finding.MUTE, Finding.TLS):
        policy.wake()
        assert policy.ended({A: Evidence(finding)}, NetworkReport(), 0.0).seconds == 0.0
        assert policy.delay(A, 0.0) > 0 and policy.delay(B, 0.0) == 0


def test_both_were_asked_before_it_waits():
    policy = Policy(RULES, HIGH, [A, B])
    policy.ended({A: Evidence(Finding.FAILED)}, NetworkReport(), 0.0)
    wait = policy.ended({B: Evidence(Finding.FAILED)}, NetworkReport(), 0.1)
    assert wait.seconds == pytest.approx(6 - 0.1)


def test_o3_a_login_page_that_goes_away_is_not_waited_out_with_the_refusal_of_the_other():
    policy = Policy(RULES, HIGH, [A, B])
    for _ in range(20):
        policy.ended({B: Evidence(Finding.FAILED)}, NetworkReport(), 0.0)
        wait = policy.ended({A: Evidence(Finding.OTHER)}, NetworkReport(), 0.0)
        assert wait.seconds <= RULES.max_delay
    assert policy.delay(B, 0.0) == pytest.approx(60)


@pytest.mark.parametrize("base, most, ceiling", [
    (20.0, 10.0, 20.0), (10.0, 10.0, 10.0), (0.5, 10.0, 10.0), (5.0, 0.1, 5.0)])
def test_the_larger_of_the_two_delays_is_the_ceiling(base, most, ceiling):
    policy = Policy(replace(RULES, base_delay=base, max_delay=most), HIGH, [A])
    waited = [policy.ended({A: Evidence(Finding.REFUSED)}, NetworkReport(), 0.0).seconds for _ in range(8)]
    assert waited[0] == pytest.approx(min(base, ceiling)) and waited[-1] == pytest.approx(ceiling)


@given(st.permutations([(Finding.REFUSED, 10), (Finding.MUTE, 60), (Finding.OTHER, 10), (Finding.FAILED, 60)]))
def test_two_sick_endpoints_wait_each_for_its_own_reason(sick):
    (one, longest_one), (two, longest_two) = sick[:2]
    policy = Policy(RULES, HIGH, [A, B])
    for _ in range(9):
        policy.ended({A: Evidence(one)}, NetworkReport(), 0.0)
        wait = policy.ended({B: Evidence(two)}, NetworkReport(), 0.0)
    assert wait.seconds == pytest.approx(min(longest_one, longest_two))


def test_a_rejected_type_at_one_endpoint_does_not_keep_the_other_waiting():
    policy = Policy(RULES, HIGH, [A, B])
    policy.ended({A: Evidence(Finding.INVALID_TYPE)}, NetworkReport(), 0.0)
    wait = policy.ended({B: Evidence(Finding.REFUSED)}, NetworkReport(), 0.0)
    assert (wait.seconds, wait.cause) == (pytest.approx(0.5), Cause.DOWN)
    assert policy.delay(A, 0.0) == 300


def test_the_end_of_a_registered_connection_sets_both_anew():
    policy = Policy(RULES, HIGH, [A, B])
    policy.ended({B: Evidence(Finding.INVALID_TYPE)}, NetworkReport(), 0.0)
    for evidence, network in ((Evidence(Finding.CLOSED, registered=True), NetworkReport()),
                              (Evidence(Finding.ASKED), NetworkReport()),
                              (Evidence(Finding.LOST, registered=True), NetworkReport()),
                              (Evidence(Finding.ABORTED, registered=True), UNUSABLE)):
        wait = policy.ended({A: evidence}, network, 1.0)
        assert policy.delay(A, 1.0) == policy.delay(B, 1.0) == pytest.approx(wait.seconds)


def test_a_wake_ends_every_wait_and_resets_no_count():
    policy = Policy(RULES, HIGH, [A, B])
    for _ in range(4):
        policy.ended({A: Evidence(Finding.CLOSED)}, NetworkReport(), 0.0)
        policy.ended({B: Evidence(Finding.FAILED)}, NetworkReport(), 0.0)
    assert policy.wait(0.0) > 5
    policy.wake()
    assert policy.wait(0.0) == policy.delay(A, 0.0) == policy.delay(B, 0.0) == 0
    assert policy.ended({A: Evidence(Finding.CLOSED)}, NetworkReport(), 0.0).attempt == 5


def test_o14_an_endpoint_that_is_found_open_is_dialed_within_a_second_at_random():
    moments = []
    seeded = Random(7)
    for _ in range(500):
        policy = Policy(RULES, seeded.random, [A, B])
        for _ in range(8):
            policy.ended({A: Evidence(Finding.SILENT), B: Evidence(Finding.SILENT)}, BEYOND, 0.0)
        policy.opened([B], 0.0)
        moments.append(policy.delay(B, 0.0))
    assert min(moments) >= 0 and max(moments) <= 1 and statistics.stdev(moments) > 0.2
    policy = Policy(RULES, HIGH, [A, B])
    policy.opened([A], 5.0)
    assert policy.wait(5.0) == 0, "what was due already stays due"


def test_other_endpoints_and_rules_while_it_runs():
    policy = Policy(RULES, HIGH, [A])
    policy.ended({A: Evidence(Finding.FAILED)}, NetworkReport(), 0.0)
    policy.endpoints = (A, B)
    assert policy.wait(0.0) == 0
    policy.reconnect = replace(RULES, max_delay=0.1, base_delay=0.1)
    policy.ended({B: Evidence(Finding.REFUSED)}, NetworkReport(), 0.0)
    assert policy.wait(0.0) == pytest.approx(0.1)


EVIDENCE = st.builds(Evidence, st.sampled_from(Finding), st.booleans(), st.booleans())
NETWORKS = st.builds(NetworkReport, usable=st.booleans(), beyond=st.none() | st.booleans())


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from([A, B]), EVIDENCE, min_size=1), NETWORKS,
                          st.none() | st.floats(0, 1e6), st.floats(0, 100)), max_size=40),
       st.randoms(use_true_random=False))
def test_waits_are_bounded_and_counts_fall_only_with_a_stable_registration(ends, random):
    policy, now, last = Policy(RULES, random.random, [A, B]), 0.0, 0
    for evidence, network, registered_for, dialed_for in ends:
        now += dialed_for
        wait = policy.ended(evidence, network, now, registered_for=registered_for, dialed_for=dialed_for)
        assert 0 <= wait.seconds <= RULES.rejected_retry + 1e-3
        assert wait.seconds == policy.wait(now)
        assert policy.wait(now) == min(policy.delay(A, now), policy.delay(B, now))
        assert wait.causes.keys() == evidence.keys() and wait.cause is most_telling(wait.causes.values())
        assert wait.attempt >= 0
        last = wait.attempt
    assert last <= len(ends)
