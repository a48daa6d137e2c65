"""PURE. A fleet of terminals in arrays: each dials, registers, is online, loses its connection.

| doing       | the next event is                                     | and leads to                             |
|-------------|-------------------------------------------------------|------------------------------------------|
| WAITING     | an endpoint may be dialed (`Behaviour.due`)           | DIALING                                  |
| DIALING     | the next SYN at one of the endpoints: it is refused,  | itself, or WAITING when all are refused; |
|             | taken,                                                | REGISTERING;                             |
|             | or nobody answers until the dial's time is over       | WAITING                                  |
| REGISTERING | OK-REGISTRATION, or nobody answers in time            | ONLINE, or WAITING                       |
| ONLINE      | a cloud in a crash loop ends it; the secondary is     | WAITING; REGISTERING at the primary      |
|             | left for the primary                                  |                                          |

Rules

- The race of a dial is that of agent.cloud.dialer: the first endpoint has a head start unless it is refused, an
  endpoint that may not be dialed yet joins when it may, if the dial is still under way.
- A dial that nobody answers is repeated beside every `Dialing.again`; the kernel's own repeats fall into the same
  seconds and are not counted.
- A watchdog's round dials every endpoint once. Names cost no time; every round trip takes `rtt`.
"""
from enum import IntEnum

import numpy as np

from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.sandbox.fleet.behaviour import Behaviour
from econduit_terminal.sandbox.fleet.history import History, Kind
from econduit_terminal.sandbox.fleet.policies import CODE, UNTRIED, Flags, Ids, Seconds
from econduit_terminal.sandbox.fleet.registrations import NEVER, Registrations
from econduit_terminal.sandbox.fleet.scenes import DROPPED_AFTER, Does

FIRST_ROUND_AFTER = 1.0
"""Seconds of a dial that nobody answers, until the watchdog dials (watchdog.probe_schedule)."""


class Doing(IntEnum):
    """The states above."""
    WAITING = 0
    DIALING = 1
    REGISTERING = 2
    ONLINE = 3


class Terminals:
    """All are online at the primary at first, and have been for long. `at`: when each has its next event."""

    def __init__(self, behaviour: Behaviour, registrations: Registrations, history: History, *, rtt: float):
        self._behaviour = behaviour
        self._registrations = registrations
        self._history = history
        self._rtt = rtt
        self._dialing = behaviour.dialing
        shape = endpoints, terminals = behaviour.due.shape
        self.does: tuple[Does, ...] = (Does.WORKS,) * endpoints
        self.at = np.full(terminals, np.inf)
        self._own = np.full(terminals, np.inf)              # the next event but the watchdog's
        self._probe = np.full(terminals, np.inf)            # the watchdog's next round
        self._found_open = np.zeros(terminals, np.bool_)    # by its last one
        self._doing = np.full(terminals, Doing.ONLINE, np.int8)
        self._endpoint = np.zeros(terminals, np.intp)       # where it registers or is registered
        self._since = np.full(terminals, -np.inf)           # when it registered
        self._answered = np.zeros(terminals, np.bool_)      # the registration under way will be
        self._moving = np.zeros(terminals, np.bool_)        # it comes from the secondary
        self._dropped = np.zeros(terminals, np.bool_)       # this connection will be
        self._began = np.zeros(terminals)                   # this dial
        self._until = np.zeros(terminals)                   # its time
        self._syn = np.full(shape, np.inf)                  # the next one
        self._refused = np.zeros(shape, np.bool_)           # in this dial
        self._refused_at = np.zeros(shape)                  # when that was known
        self._unanswered = np.zeros(shape, np.bool_)        # in this dial

    @property
    def online(self) -> Flags:
        """Which terminals are online."""
        flags: Flags = self._doing == Doing.ONLINE
        return flags

    def cut(self, ids: Ids, now: float) -> None:
        """The cloud ends the connection of those of these that are online."""
        self._lose(ids[self._doing[ids] == Doing.ONLINE], now)
        self._set_next(ids)

    def step(self, ids: Ids) -> None:
        """Plays the next event of each of these."""
        probing = self._probe[ids] <= self._own[ids]
        if probing.any():
            self._watch(ids[probing])
        own = ids[~probing]
        doing = self._doing[own]
        waiting, dialing, registering, online = (own[doing == state] for state in Doing)
        if waiting.size:
            self._begin(waiting)
        if dialing.size or waiting.size:
            self._dial(np.concatenate((dialing, waiting)))
        if registering.size:
            self._hear(registering)
        if online.size:
            self._end(online)
        self._set_next(ids)

    def _set_next(self, ids: Ids) -> None:
        self.at[ids] = np.minimum(self._own[ids], self._probe[ids])

    # -- dialing -----------------------------------------------------------------------------------------------------

    def _begin(self, ids: Ids) -> None:
        """A dial begins; the endpoints that may be dialed join it, the others when they may."""
        now = self._own[ids]
        self._doing[ids], self._began[ids] = Doing.DIALING, now
        self._refused[:, ids] = self._unanswered[:, ids] = False
        due, timeout = self._behaviour.due, self._dialing.timeout
        if len(due) == 1:
            self._syn[0, ids], self._until[ids] = now, now + timeout
            return
        first = self._behaviour.first(ids)
        first_due, second_due = due[first, ids], due[1 - first, ids]
        held, late = first_due > now, second_due > now
        first_syn = np.maximum(first_due, now)
        second_syn = np.where(held, now, np.maximum(second_due, now + self._dialing.head_start))
        self._syn[first, ids], self._syn[1 - first, ids] = first_syn, second_syn
        until = np.where(held, second_syn, np.where(late, first_syn, np.maximum(first_syn, second_syn))) + timeout
        joins = np.where(held, first_due, second_due)
        joining = (held | late) & (joins < until)
        until[joining] = np.maximum(until, np.where(held, first_syn, second_syn) + timeout)[joining]
        self._until[ids] = until

    def _dial(self, ids: Ids) -> None:
        """The next SYN of each, or the end of the dial's time."""
        syn = self._syn[:, ids]
        now = syn.min(axis=0)
        over = self._until[ids] <= now
        if over.any():
            self._give_up(ids[over], self._until[ids[over]])
            ids, now, syn = ids[~over], now[~over], syn[:, ~over]
        if not ids.size:
            return
        self._history.count(Kind.DIAL, now)
        which = syn.argmin(axis=0)
        taken = []
        for endpoint, does in enumerate(self.does):
            mine = which == endpoint
            if does is Does.REFUSES:
                self._refuse(ids[mine], endpoint, now[mine])
            elif does is Does.SILENT:
                self._leave_unanswered(ids[mine], np.full(int(mine.sum()), endpoint), now[mine])
            else:
                taken.append(mine)
        if taken:
            reached = np.logical_or.reduce(taken)
            if reached.any():
                self._reach(ids[reached], which[reached], now[reached])

    def _refuse(self, ids: Ids, endpoint: int, now: Seconds) -> None:
        """The other endpoint is dialed at once, if it may be; else the dial is over."""
        known = now + self._rtt
        self._refused[endpoint, ids], self._refused_at[endpoint, ids] = True, known
        self._unanswered[endpoint, ids] = False
        self._syn[endpoint, ids] = np.inf
        over = np.ones(ids.shape, np.bool_)
        for other in range(len(self.does)):
            if other != endpoint:
                running = self._unanswered[other, ids]
                joined = ~running & ~self._refused[other, ids] & (self._behaviour.due[other, ids] <= known)
                self._syn[other, ids[joined]] = np.minimum(self._syn[other, ids], known)[joined]
                over &= ~(running | joined)
        going = ids[~over]
        self._own[going] = np.minimum(self._syn[:, going].min(axis=0), self._until[going])
        self._give_up(ids[over], known[over])

    def _leave_unanswered(self, ids: Ids, endpoints: Ids, now: Seconds) -> None:
        self._unanswered[endpoints, ids] = True
        self._syn[endpoints, ids] = now + self._dialing.again
        self._own[ids] = np.minimum(self._syn[:, ids].min(axis=0), self._until[ids])
        if self._dialing.probes is not None:
            unwatched = ids[np.isinf(self._probe[ids])]
            self._probe[unwatched] = self._began[unwatched] + FIRST_ROUND_AFTER

    def _give_up(self, ids: Ids, now: Seconds) -> None:
        """The dial is over, nothing opened."""
        if ids.size:
            met = np.where(self._unanswered[:, ids], CODE[Finding.SILENT],
                           np.where(self._refused[:, ids], CODE[Finding.REFUSED], UNTRIED)).astype(np.int8)
            ago = np.where(self._refused[:, ids], now - self._refused_at[:, ids], 0.0)
            self._behaviour.not_opened(ids, met, now, now - self._began[ids], ago)
            self._wait(ids, now)

    def _wait(self, ids: Ids, now: Seconds) -> None:
        self._doing[ids] = Doing.WAITING
        self._own[ids] = np.maximum(now, self._behaviour.due[:, ids].min(axis=0))

    # -- registering -------------------------------------------------------------------------------------------------

    def _reach(self, ids: Ids, endpoints: Ids, now: Seconds) -> None:
        """Dials that reach a listening socket: opened, or dropped because its backlog is full."""
        opened = now + self._rtt
        hangs_up = opened + self._behaviour.opened(ids, endpoints, self._refused[:, ids])
        dropped = self._register(ids, endpoints, opened, hangs_up)
        if dropped.any():
            self._leave_unanswered(ids[dropped], endpoints[dropped], now[dropped])

    def _register(self, ids: Ids, endpoints: Ids, opened: Seconds, hangs_up: Seconds) -> Flags:
        """Register is sent on these connections; returns which of them did not open after all."""
        way = self._rtt / 2
        order = np.argsort(opened, kind="stable")
        taken = self._registrations.take(list(zip((opened + way)[order].tolist(), endpoints[order].tolist(),
                                                  (hangs_up - way)[order].tolist(), strict=True)))
        registered = np.empty(ids.shape)
        registered[order] = taken.registered
        dropped = np.isnan(registered)
        self._history.count(Kind.WASTED, taken.wasted)
        self._history.count(Kind.OPEN, opened[~dropped])
        asking = ids[~dropped]
        self._doing[asking], self._endpoint[asking] = Doing.REGISTERING, endpoints[~dropped]
        self._answered[asking] = registered[~dropped] != NEVER
        self._own[asking] = np.minimum(registered + way, hangs_up)[~dropped]
        self._probe[asking] = np.inf
        return dropped

    def _hear(self, ids: Ids) -> None:
        """The answer comes, or does not."""
        answered = self._answered[ids]
        now = self._own[ids]
        yes, no = ids[answered], ids[~answered]
        endpoints = self._endpoint[yes]
        self._behaviour.registered(yes, endpoints)
        self._doing[yes], self._since[yes], self._own[yes] = Doing.ONLINE, now[answered], np.inf
        self._found_open[yes] = self._moving[yes] = False
        self._history.registered(yes, now[answered])
        for endpoint, does in enumerate(self.does):
            there = yes[endpoints == endpoint]
            self._dropped[there] = does is Does.DROPS
            if does is Does.DROPS:
                self._own[there] = self._since[there] + DROPPED_AFTER
            elif endpoint and self._dialing.primary_retry is not None:
                self._own[there] = self._since[there] + self._behaviour.move_after(there)
        if no.size:
            self._behaviour.not_registered(no, self._endpoint[no], self._refused[:, no], now[~answered],
                                           moved=self._moving[no])
            self._moving[no] = False
            self._wait(no, now[~answered])

    # -- online ------------------------------------------------------------------------------------------------------

    def _end(self, ids: Ids) -> None:
        dropped = self._dropped[ids]
        self._lose(ids[dropped], self._own[ids[dropped]])
        if not dropped.all():
            self._to_primary(ids[~dropped])

    def _lose(self, ids: Ids, now: float | Seconds) -> None:
        if ids.size:
            times = np.broadcast_to(np.asarray(now, np.float64), ids.shape)
            self._behaviour.lost(ids, self._endpoint[ids], times, times - self._since[ids])
            self._history.lost(ids, times)
            self._dropped[ids] = False
            self._wait(ids, times)

    def _to_primary(self, ids: Ids) -> None:
        """The primary is dialed beside the secondary, which is left when it opens."""
        now, does = self._own[ids], self.does[0]
        self._history.count(Kind.DIAL, now)
        if does in (Does.REFUSES, Does.SILENT):
            took = self._rtt if does is Does.REFUSES else self._dialing.timeout
            self._own[ids] = now + took + self._behaviour.move_after(ids)
            return
        opened, primary = now + self._rtt, np.zeros(ids.shape, np.intp)
        self._refused[:, ids] = False
        hangs_up = opened + self._behaviour.opened(ids, primary, self._refused[:, ids], moved=True)
        before, since = self._endpoint[ids], self._since[ids]
        stays = self._register(ids, primary, opened, hangs_up)
        self._own[ids[stays]] = now[stays] + self._dialing.timeout + self._behaviour.move_after(ids[stays])
        moves, leaves = ids[~stays], opened[~stays]
        self._behaviour.left(moves, before[~stays], leaves, leaves - since[~stays])
        self._moving[moves] = True
        self._history.lost(moves, leaves)

    # -- the watchdog ------------------------------------------------------------------------------------------------

    def _watch(self, ids: Ids) -> None:
        """A round of probes, if the dials end in silence. What it finds open is dialed at once."""
        now = self._probe[ids]
        offline = self._doing[ids] != Doing.ONLINE
        self._probe[ids[~offline]] = np.inf
        ids, now = ids[offline], now[offline]
        self._probe[ids] = now + (self._dialing.probes or np.inf)
        asks = self._behaviour.probed(ids)
        ids, now = ids[asks], now[asks]
        found = np.zeros(ids.shape, np.bool_)
        for endpoint, does in enumerate(self.does):
            self._history.count(Kind.PROBE, now)
            if does not in (Does.REFUSES, Does.SILENT):
                found |= np.array([self._registrations.probe(time, endpoint) for time in now.tolist()], np.bool_)
        news = ids[found & ~self._found_open[ids] & (self._doing[ids] == Doing.WAITING)]
        self._found_open[ids] = found
        if news.size:
            self._behaviour.wake(news)
            self._own[news] = np.minimum(self._own[news], self._probe[news] - (self._dialing.probes or 0) + self._rtt)
