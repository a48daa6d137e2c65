"""Many policies at once: the same as the Policy that the agent runs, whatever it is told."""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from econduit_terminal.agent.cloud.policy import Evidence, Finding, Policy
from econduit_terminal.conf.settings import load
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.sandbox.fleet.policies import CAUSES, CODE, UNTRIED, Policies

RULES = load(None).reconnect
TOGETHER = 3
"""Terminals of which one is told the story; the others hear nothing."""
finding = st.none() | st.tuples(st.sampled_from(Finding), st.booleans(), st.floats(0, 6))
end = st.tuples(st.sampled_from(Finding), st.sampled_from([0, 1]), st.floats(0, 100))
event = st.tuples(st.floats(0, 400), st.floats(0, 1, exclude_max=True),
                  end | st.tuples(finding, finding, st.floats(0, 6)).filter(lambda met: met[0] or met[1]))
rules = st.builds(lambda **keys: replace(RULES, **keys), quick_returns=st.sampled_from([0, 1, 10]),
                  stable_after=st.sampled_from([0.0, 30.0]), crowded_delay=st.sampled_from([0.5, 60.0, 3600.0]),
                  max_delay=st.sampled_from([0.1, 10.0]), first_retry=st.sampled_from([0.0, 0.25]))


def told(policy, policies, who, now, chance, happened, network):
    """Tells both the same; returns the causes that each found."""
    met = np.full((2, 1), UNTRIED, np.int8)
    others, ago = np.zeros((2, 1), np.bool_), np.zeros((2, 1))
    if isinstance(happened[0], Finding):
        found, endpoint, registered_for = happened
        evidence, more = {endpoint: Evidence(found, registered=True)}, {"registered_for": registered_for}
        met[endpoint] = CODE[found]
        ended = policies.ended(who, met, others, now, registered=True, registered_for=np.array([registered_for]))
    else:
        evidence, more = {}, {"dialed_for": happened[2]}
        for endpoint, seen in enumerate(happened[:2]):
            if seen:
                evidence[endpoint] = Evidence(seen[0], others_answer=seen[1], ago=seen[2])
                met[endpoint], others[endpoint], ago[endpoint] = CODE[seen[0]], seen[1], seen[2]
        ended = policies.ended(who, met, others, now, dialed_for=np.array([happened[2]]), ago=ago)
    wait = policy.ended(evidence, network, float(now[0]), **more)
    return wait.causes, {endpoint: CAUSES[int(code)] for endpoint, (code,) in enumerate(ended) if code != UNTRIED}


@example(story=[(later, 0.5, ((Finding.SILENT, False, 0.0), None, 1.0)) for later in (0.0, 301.0)], reconnect=RULES,
         who=0, network=NetworkReport(beyond=None))     # silence that nothing explains for long
@example(story=[(0.0, 0.5, ((Finding.REFUSED, False, 0.1), (Finding.SILENT, True, 0.0), 0.1))], reconnect=RULES,
         who=0, network=NetworkReport())                # a refusal, after which the dial went on at the other endpoint
@given(story=st.lists(event, max_size=30), reconnect=rules, who=st.integers(0, TOGETHER - 1),
       network=st.builds(NetworkReport, usable=st.booleans(), beyond=st.none() | st.booleans()))
def test_it_says_what_the_agent_s_policy_says(story, reconnect, who, network):
    chance = 0.0
    policy = Policy(reconnect, lambda: chance, (0, 1))
    policies = Policies(reconnect, TOGETHER, 2, lambda ids: np.full(ids.size, chance), network)
    ids, now = np.array([who]), 0.0
    for later, chance, happened in story:
        now += later
        causes, ended = told(policy, policies, ids, np.array([now]), chance, happened, network)
        assert ended == causes
        waits = [max(0.0, float(policies.due[endpoint, who]) - now) for endpoint in (0, 1)]
        assert waits == pytest.approx([policy.delay(endpoint, now) for endpoint in (0, 1)], abs=1e-9)
    silent = [other for other in range(TOGETHER) if other != who]
    assert np.isneginf(policies.due[:, silent]).all() and not policies.counts[:, silent].any()


def test_a_wake_ends_every_wait_and_what_was_counted_stays():
    policies = Policies(RULES, 2, 2, lambda ids: np.full(ids.size, 0.5))
    met = np.full((2, 1), CODE[Finding.REFUSED], np.int8)
    policies.ended(np.array([1]), met, np.zeros((2, 1), np.bool_), np.array([7.0]))
    assert policies.due[:, 1].tolist() == [7.25, 7.25]
    policies.wake(np.array([1]))
    assert np.isneginf(policies.due).all()
    assert policies.counts[:, 1].tolist() == [1, 1]
