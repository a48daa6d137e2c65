"""PURE. This product's terminals, a fleet at once: the agent's Policy, its records of the endpoints, its times.

The records are those of `agent.cloud.endpoints` that decide something here, with its constants. A test plays the same
scenes with the agent's own Policy, Endpoints, Lane and Session, one object a terminal, and finds the same times.
"""
from collections.abc import Callable
from enum import IntEnum

import numpy as np

from econduit_terminal.agent.cloud.endpoints import (
    FIRST_ANSWER,
    MOST_ANSWER_DOUBLINGS,
    MOST_MOVE_DOUBLINGS,
    MOVE_ANSWER,
)
from econduit_terminal.agent.cloud.policy import Cause, Finding
from econduit_terminal.conf.schema import Settings
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.sandbox.fleet.behaviour import Dialing
from econduit_terminal.sandbox.fleet.policies import CAUSES, CODE, UNTRIED, Codes, Flags, Ids, Policies, Seconds

_CROWDED = CAUSES.index(Cause.CROWDED)


class Met(IntEnum):
    """What became of the last dial to an endpoint (contract.status.Outcome)."""
    NOTHING = 0
    REGISTERED = 1
    OPEN = 2
    REFUSED = 3
    SILENT = 4


_OUTCOME = np.full(len(CODE), Met.NOTHING, np.int8)
_OUTCOME[CODE[Finding.REFUSED]] = Met.REFUSED
_OUTCOME[CODE[Finding.SILENT]] = Met.SILENT


class Product:
    """See Behaviour. network: what every watchdog says."""

    name = "eConduit terminal"

    def __init__(self, settings: Settings, terminals: int, random: Callable[[Ids], Seconds],
                 network: NetworkReport | None = None):
        rules, endpoints = settings.reconnect, 2 if settings.cloud.secondary else 1
        self.dialing = Dialing(rules.secondary_after, rules.local_retry, rules.connect_timeout, rules.primary_retry,
                               settings.watchdog.probe_interval + settings.watchdog.probe_timeout)
        self._answer = settings.registration.timeout
        self._stable = rules.stable_after
        self._primary_retry = rules.primary_retry
        self._policies = Policies(rules, terminals, endpoints, random, network)
        self.due = self._policies.due
        self._outcome = np.zeros((endpoints, terminals), np.int8)
        self._outcome[0] = Met.REGISTERED
        self._tried = np.zeros((endpoints, terminals), np.bool_)
        self._unregistered = np.zeros((endpoints, terminals), np.int16)
        self._cut = np.zeros((endpoints, terminals), np.bool_)
        self._failed_moves = np.zeros(terminals, np.int16)

    def first(self, ids: Ids) -> Ids:
        """In good standing before those that opened in vain (Endpoints.order)."""
        if len(self._unregistered) == 1:
            return np.zeros(ids.shape, np.intp)
        secondary: Ids = (self._unregistered[1, ids] < self._unregistered[0, ids]).astype(np.intp)
        return secondary

    def opened(self, ids: Ids, endpoints: Ids, refused: Flags, *, moved: bool = False) -> Seconds:
        """See Endpoints.answer_time."""
        if moved:
            return np.full(ids.shape, min(self._answer, MOVE_ANSWER))
        for endpoint, flags in enumerate(refused):
            self._note(endpoint, ids[flags], Met.REFUSED)
        full: Seconds = self._answer * 2.0 ** np.minimum(self._unregistered[:, ids].min(axis=0), MOST_ANSWER_DOUBLINGS)
        if len(self._tried) == 1:
            return full
        whole = self._tried[1 - endpoints, ids] | self._cut[endpoints, ids]
        return np.where(whole, full, min(self._answer, FIRST_ANSWER))

    def registered(self, ids: Ids, endpoints: Ids) -> None:
        """See Endpoints.registered."""
        self._outcome[endpoints, ids] = Met.REGISTERED
        self._unregistered[endpoints, ids] = 0
        self._cut[endpoints, ids] = False
        self._tried[:, ids] = False

    def not_registered(self, ids: Ids, endpoints: Ids, refused: Flags, now: Seconds, *, moved: Flags) -> None:
        """See Endpoints.not_registered and Evaluation.ended."""
        met = np.where(refused, CODE[Finding.REFUSED], UNTRIED).astype(np.int8)
        met[endpoints, np.arange(ids.size)] = CODE[Finding.MUTE]
        for endpoint in range(len(met)):
            self._note(endpoint, ids[endpoints == endpoint], Met.OPEN)
        self._unregistered[endpoints, ids] += 1
        self._cut[endpoints, ids] = False
        self._failed_moves[ids] += moved
        self._policies.ended(ids, met, self._others_answer(ids), now)

    def not_opened(self, ids: Ids, met: Codes, now: Seconds, dialed_for: Seconds, ago: Seconds) -> None:
        """See Endpoints.not_opened and Evaluation.not_opened."""
        for endpoint, found in enumerate(met):
            tried = np.flatnonzero(found != UNTRIED)
            self._outcome[endpoint, ids[tried]] = _OUTCOME[found[tried]]
            self._tried[endpoint, ids[tried]] = True
        self._policies.ended(ids, met, self._others_answer(ids), now, dialed_for=dialed_for, ago=ago)

    def lost(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """See Endpoints.ended and Evaluation.ended."""
        causes = self._end(ids, endpoints, Finding.CLOSED, now, registered_for)
        self._cut[endpoints, ids] = True
        again = causes[endpoints, np.arange(ids.size)] == _CROWDED
        self._unregistered[endpoints[again], ids[again]] += 1
        self._failed_moves[ids[registered_for >= self._stable]] = 0

    def left(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """See Evaluation.ended."""
        self._end(ids, endpoints, Finding.ASKED, now, registered_for)

    def move_after(self, ids: Ids) -> Seconds:
        """See Endpoints.move_after."""
        doubled: Seconds = self._primary_retry * 2.0 ** np.minimum(self._failed_moves[ids], MOST_MOVE_DOUBLINGS)
        return doubled

    def probed(self, ids: Ids) -> Flags:
        """Nobody answers the agent's own dials (watchdog.probe_schedule)."""
        outcome = self._outcome[:, ids]
        answered: Flags = ((outcome == Met.OPEN) | (outcome == Met.REFUSED)).any(axis=0)
        return ~answered

    def wake(self, ids: Ids) -> None:
        """See Policy.wake."""
        self._policies.wake(ids)

    def _end(self, ids: Ids, endpoints: Ids, finding: Finding, now: Seconds, registered_for: Seconds) -> Codes:
        met = np.full((len(self._outcome), ids.size), UNTRIED, np.int8)
        met[endpoints, np.arange(ids.size)] = CODE[finding]
        return self._policies.ended(ids, met, self._others_answer(ids), now, registered=True,
                                    registered_for=registered_for)

    def _note(self, endpoint: int, ids: Ids, outcome: Met) -> None:
        self._outcome[endpoint, ids] = outcome
        self._tried[endpoint, ids] = True

    def _others_answer(self, ids: Ids) -> Flags:
        outcome = self._outcome[:, ids]
        heard = (outcome >= Met.REGISTERED) & (outcome <= Met.REFUSED)
        return heard[::-1] if len(heard) == 2 else np.zeros_like(heard)
