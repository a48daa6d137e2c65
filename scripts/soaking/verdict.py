"""PURE. What a soak has shown: judged from what was sold, what ran, when the terminal was offline and what grew.

Rules
- A RefID that is in the application's ledger more than once was *run twice*. Where the agent ended during the sale
  while the disk of its journal was full, that is what the product says of a full disk: transactions go on, and what is
  handed over is remembered in memory alone. Such are counted apart.
- An answer is *another request's* when its RefID is not the asked one, its AuthCode is not the one of its own run, or
  nothing was run that could have been declined.
- An answer is *lost* when the request ran and the POS was told that it failed, or was never told anything; unless the
  agent, the application or supervisord was killed or hung meanwhile: then nobody can know the outcome, and saying so is
  right. Such are counted apart.
- A sale that *failed without a reason* was not run, although none of these was killed or hung meanwhile.
- A program that *ended by itself* was not killed: each fault that ends one does it by SIGKILL.
- The network is *good* while nothing is wrong between terminal and cloud, whatever else is. Of being offline then, only
  what lies within one such stretch counts; the longest is the one to look at.
"""
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

LONGEST = 75.0
"""Seconds that a terminal may be offline in a good network: crowded_delay and what a dial may take."""


class Fate(Enum):
    """What became of a sale."""

    APPROVED = "approved"
    DECLINED = "declined"
    NOT_RUN = "failed, not run"
    NO_REASON = "failed without a reason"
    UNKNOWN = "outcome unknown after a kill"
    OPEN = "still open"
    LOST = "answer lost"


@dataclass(frozen=True)
class Sale:
    """One sale of the POS, asked `asked` times until it was told. Times on the monotonic clock; `ref` is new for each.

    answer: (its RefID, ResultCode, AuthCode, Message) of the final answer; None: none came.
    """

    ref: str
    amount: str
    asked: int
    began: float
    ended: float
    answer: tuple[str, str, str, str] | None


Interval = tuple[float, float]


def fate(sale: Sale, codes: Sequence[str], kills: Sequence[Interval], due: float) -> Fate:
    """codes: AuthCodes of its runs. kills: when a process was gone or hung. due: what began before then must have been
    told of by now."""
    if sale.answer is None:
        return Fate.LOST if sale.began < due else Fate.OPEN
    _, result, _, _ = sale.answer
    if result in ("Approved", "Declined"):
        return Fate.APPROVED if result == "Approved" else Fate.DECLINED
    explained = during(sale, kills)
    if not codes:
        return Fate.NOT_RUN if explained else Fate.NO_REASON
    return Fate.UNKNOWN if explained else Fate.LOST


def is_foreign(sale: Sale, codes: Sequence[str]) -> bool:
    """Whether it was given an answer that is not its own."""
    if sale.answer is None:
        return False
    ref, result, code, _ = sale.answer
    return ref != sale.ref or (result == "Approved" and code not in codes) or (result == "Declined" and not codes)


def good(troubles: Iterable[Interval], begin: float, end: float) -> list[Interval]:
    """The stretches between begin and end without any trouble."""
    found, at = [], begin
    for since, until in sorted(troubles):
        if since > at:
            found.append((at, min(since, end)))
        at = max(at, until)
        if at >= end:
            break
    if at < end:
        found.append((at, end))
    return found


def offline(timeline: Sequence[tuple[float, bool]], end: float) -> list[Interval]:
    """The stretches without POS Online. timeline: (when, online) at each change, oldest first."""
    found: list[Interval] = []
    since: float | None = None
    for at, online in timeline:
        if online and since is not None:
            found.append((since, at))
            since = None
        elif not online and since is None:
            since = at
    if since is not None:
        found.append((since, end))
    return found


def overlaps(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """What lies in both, in linear time; each list is in order and without overlaps of its own."""
    found, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        begin, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if begin < end:
            found.append((begin, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return found


@dataclass(frozen=True)
class Money:
    """What became of the sales. twice, lost, foreign, no_reason: their RefIDs. unwritten: run twice, but nothing could
    be written down when the agent ended."""

    fates: Mapping[Fate, int]
    twice: tuple[str, ...]
    lost: tuple[str, ...]
    foreign: tuple[str, ...]
    no_reason: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()


def during(sale: Sale, times: Sequence[Interval]) -> bool:
    """Whether one of these times lies in a sale's own."""
    return any(begin <= sale.ended and end >= sale.began for begin, end in times)


def money(sales: Sequence[Sale], runs: Mapping[str, Sequence[str]], kills: Sequence[Interval], due: float,
          unwritten: Sequence[Interval] = ()) -> Money:
    """runs: RefID → AuthCodes, of everything in the ledger. due: see `fate`. unwritten: when the agent ended while its
    journal had no room."""
    excused = {sale.ref for sale in sales if during(sale, unwritten)}
    twice = [ref for ref, codes in runs.items() if len(codes) > 1]
    judged = [(sale, fate(sale, runs.get(sale.ref, ()), kills, due)) for sale in sales]
    return Money({each: sum(found is each for _, found in judged) for each in Fate},
                 tuple(ref for ref in twice if ref not in excused),
                 tuple(sale.ref for sale, found in judged if found is Fate.LOST),
                 tuple(sale.ref for sale in sales if is_foreign(sale, runs.get(sale.ref, ()))),
                 tuple(sale.ref for sale, found in judged if found is Fate.NO_REASON),
                 tuple(ref for ref in twice if ref in excused))


def ended(log: str) -> tuple[str, ...]:
    """What ended by itself, and how, by supervisord's own log."""
    return tuple(f"{name}: {how}" for name, how in re.findall(r" exited: (\S+) \((.*)\)$", log, re.MULTILINE)
                 if "SIGKILL" not in how)
