"""PURE. The agent's Policy for a whole fleet at once, in NumPy arrays.

Nothing is decided here: the causes are what `policy.classify` says, the waits what a `policy.Policy` says that is asked
once for each cause and count, with chance at its lower and at its upper end (every wait of it is linear between). What
is written again is the bookkeeping, as in Policy: counts, bucket, silence, due times. A test by properties holds
both against each other, with all findings in any order.

Arrays of what belongs to an endpoint have its number first: `due[endpoint, terminal]`.
"""
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from econduit_terminal.agent.cloud.policy import ON_PURPOSE, UNEXPLAINED, Cause, Evidence, Finding, Policy, classify
from econduit_terminal.conf.schema import Reconnect
from econduit_terminal.contract.network_report import NetworkReport

Ids = NDArray[np.intp]
"""Numbers of terminals."""
Seconds = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
"""Numbers of findings or causes, by their order in the Enum; UNTRIED for none."""

UNTRIED = -1
FINDINGS, CAUSES = tuple(Finding), tuple(Cause)
CODE = {finding: code for code, finding in enumerate(FINDINGS)}
_CAUSE = {cause: code for code, cause in enumerate(CAUSES)}
_EVENTS = 64
"""Counts that are told apart: further ones change no wait (Policy doubles 64 times at most)."""

_BY_CAUSE = {Cause.ASKED: Finding.ASKED, Cause.PATH: Finding.ROUTER, Cause.LOCAL: Finding.NO_WAY,
             Cause.CUT: Finding.CLOSED, Cause.DOWN: Finding.REFUSED, Cause.CROWDED: Finding.MUTE,
             Cause.NOT_THE_CLOUD: Finding.OTHER, Cause.REFUSED: Finding.FAILED, Cause.REJECTED: Finding.INVALID_TYPE}
"""A finding that means this cause and no other. SILENT waits as DOWN does, see `_waits`."""


def _causes(network: NetworkReport) -> NDArray[np.int8]:
    """[finding, registered, others answer, unexplained for long] → cause."""
    table = np.empty((len(FINDINGS), 2, 2, 2), np.int8)
    for finding, registered, others, silent in product(FINDINGS, (0, 1), (0, 1), (0, 1)):
        evidence = Evidence(finding, bool(registered), bool(others), silent_for=UNEXPLAINED * silent)
        table[CODE[finding], registered, others, silent] = _CAUSE[classify(evidence, network)]
    return table


def _waits(reconnect: Reconnect, chance: float) -> NDArray[np.float64]:
    """[cause, count] → seconds, at this chance."""
    table = np.zeros((len(CAUSES), _EVENTS))
    for cause, finding in _BY_CAUSE.items():
        policy = Policy(reconnect, lambda: chance, ["endpoint"])
        met = {"endpoint": Evidence(finding, registered=cause is Cause.CUT)}
        if cause is Cause.CUT:
            table[_CAUSE[cause]] = policy.ended(met, NetworkReport(), 0.0).seconds if reconnect.quick_returns else 0.0
            continue
        table[_CAUSE[cause]] = [policy.ended(met, NetworkReport(), 0.0).seconds for _ in range(_EVENTS)]
    table[_CAUSE[Cause.SILENT]] = table[_CAUSE[Cause.DOWN]]
    return table


def _counts(reconnect: Reconnect) -> Flags:
    """[cause] → whether it counts as a failure."""
    table = np.zeros(len(CAUSES), np.bool_)
    for cause, finding in _BY_CAUSE.items():
        if cause is not Cause.CUT:
            policy = Policy(reconnect, lambda: 0.0, ["endpoint"])
            table[_CAUSE[cause]] = policy.ended({"endpoint": Evidence(finding)}, NetworkReport(), 0.0).attempt == 1
    table[_CAUSE[Cause.SILENT]] = table[_CAUSE[Cause.DOWN]]
    return table


class Policies:
    """As many policies as there are terminals. `now`: seconds, one for each of the terminals in question.

    random: numbers from 0 up to 1, one for each of these terminals. network: what every watchdog says.
    """

    def __init__(self, reconnect: Reconnect, terminals: int, endpoints: int,
                 random: Callable[[Ids], Seconds], network: NetworkReport | None = None):
        said = network or NetworkReport()
        self._rules = reconnect
        self._random = random
        self._open_question = said.usable and said.beyond is None
        self._cause = _causes(said)
        self._low = _waits(reconnect, 0.0)
        self._span = _waits(reconnect, 1.0) - self._low
        self._counting = _counts(reconnect)
        self.due = np.full((endpoints, terminals), -np.inf)
        self.counts = np.zeros((endpoints, terminals), np.int8)
        self.tokens = np.full(terminals, float(reconnect.quick_returns))
        self._refilled = np.zeros(terminals)
        self._silent_since = np.full(terminals, np.nan)

    def wake(self, ids: Ids) -> None:
        """Something got better for these: they may dial now. What was counted stays."""
        self.due[:, ids] = -np.inf

    def ended(self, ids: Ids, met: Codes, others_answer: Flags, now: Seconds, *, registered: bool = False,
              registered_for: Seconds | float = np.nan, dialed_for: Seconds | float = 0.0,
              ago: Seconds | float = 0.0) -> Codes:
        """The waits after an attempt of each of these terminals, in `due`; returns the causes.

        met: [endpoint, terminal] what was found, UNTRIED where nothing was. others_answer: likewise. registered: it was
        a registered connection that ended, after registered_for seconds (nan: never). dialed_for: seconds that the
        dial took. ago: [endpoint, terminal] seconds since it was met, see Evidence.
        """
        lasted = ids[np.broadcast_to(registered_for >= self._rules.stable_after, ids.shape)]
        self.counts[:, lasted] = 0
        silent = self._silence(ids, met, others_answer, now, registered)
        causes = np.full_like(met, UNTRIED)
        waited = np.broadcast_to(ago, met.shape)
        for endpoint, found in enumerate(met):
            tried = np.flatnonzero(found != UNTRIED)
            if tried.size:
                causes[endpoint, tried] = self._ended(
                    endpoint, ids[tried], found[tried], others_answer[endpoint, tried], silent[tried], now[tried],
                    registered, np.broadcast_to(dialed_for, ids.shape)[tried], waited[endpoint, tried])
        return causes

    def _ended(self, endpoint: int, ids: Ids, found: Codes, others: Flags, silent: Flags, now: Seconds,
               registered: bool, dialed_for: NDArray[Any], ago: NDArray[Any]) -> Codes:
        causes: Codes = self._cause[found, int(registered), others.astype(np.intp), silent.astype(np.intp)]
        cut = np.flatnonzero(causes == _CAUSE[Cause.CUT])
        if cut.size:
            emptied = cut[~self._quick_return(ids[cut], now[cut])]
            causes[emptied] = _CAUSE[Cause.CROWDED]
        counts = self.counts[endpoint, ids]
        seconds = self._low[causes, counts] + self._span[causes, counts] * self._random(ids)
        self.counts[endpoint, ids] = np.minimum(counts + self._counting[causes], _EVENTS - 1)
        path = (causes == _CAUSE[Cause.LOCAL]) | (causes == _CAUSE[Cause.PATH])
        waited = np.where(path, dialed_for, np.where(causes == _CAUSE[Cause.DOWN], ago, 0.0))
        due = now + np.maximum(0.0, seconds - waited)
        if registered:
            self.due[:, ids] = due
        else:
            self.due[endpoint, ids] = due
            everywhere = _ENDS_ALL[found]
            self.due[:, ids[everywhere]] = due[everywhere]
        return causes

    def _quick_return(self, ids: Ids, now: Seconds) -> Flags:
        """Take a token out of each bucket; False where none is left."""
        rules = self._rules
        tokens = np.full(ids.shape, float(rules.quick_returns))
        if rules.stable_after > 0:
            tokens = np.minimum(tokens, self.tokens[ids] + (now - self._refilled[ids]) / rules.stable_after)
        self._refilled[ids] = now
        granted = tokens >= 1
        self.tokens[ids] = tokens - granted
        return granted

    def _silence(self, ids: Ids, met: Codes, others_answer: Flags, now: Seconds, registered: bool) -> Flags:
        """Whether silence that nothing explains has lasted for UNEXPLAINED."""
        tried = met != UNTRIED
        silent = tried & _UNSAID[met]
        said = tried & (_ANSWERED[met] | others_answer)
        unexplained = silent.any(axis=0) & ~said.any(axis=0)
        if registered or not self._open_question:
            unexplained[:] = False
        since = np.where(unexplained, np.fmin(self._silent_since[ids], now), np.nan)
        self._silent_since[ids] = since
        return np.asarray(now - since >= UNEXPLAINED)


def _flags(*findings: Finding) -> Flags:
    """[finding] → it is one of these."""
    return np.array([finding in findings for finding in FINDINGS])


_ENDS_ALL = _flags(*ON_PURPOSE)
_UNSAID = _flags(Finding.LOST, Finding.SILENT)
_ANSWERED = ~_flags(Finding.LOST, Finding.SILENT, Finding.ABORTED, Finding.ROUTER, Finding.NO_NAME, Finding.NO_WAY)
