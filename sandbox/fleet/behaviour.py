"""PURE. What a kind of terminal decides: whom to dial when, and how long to wait for an answer.

`terminals` plays what follows from it. Arrays of what belongs to an endpoint have its number first, 0 for the primary.
"""
from dataclasses import dataclass
from typing import Protocol

from econduit_terminal.sandbox.fleet.policies import Codes, Flags, Ids, Seconds


@dataclass(frozen=True)
class Dialing:
    """How terminals dial; seconds. head_start: of the endpoint that is dialed first. again: until a dial that nobody
    answers is repeated beside. timeout: of a dial. primary_retry: until the primary is tried from the secondary; None
    for never. probes: between two rounds in which a watchdog dials, while the dials end in silence; None without one.
    """
    head_start: float
    again: float
    timeout: float
    primary_retry: float | None = None
    probes: float | None = None


class Behaviour(Protocol):
    """Of all terminals of a fleet at once. `endpoints`: one for each of the terminals in question."""

    name: str
    dialing: Dialing
    due: Seconds
    """[endpoint, terminal] when each may be dialed next; infinity where it is not to be."""

    def first(self, ids: Ids) -> Ids:
        """The endpoint that has the head start."""

    def opened(self, ids: Ids, endpoints: Ids, refused: Flags, *, moved: bool = False) -> Seconds:
        """A connection is open, after these endpoints refused the dial; how long an answer is waited for. moved: from
        the secondary to the primary."""

    def registered(self, ids: Ids, endpoints: Ids) -> None:
        """OK-REGISTRATION came."""

    def not_registered(self, ids: Ids, endpoints: Ids, refused: Flags, now: Seconds, *, moved: Flags) -> None:
        """It did not come; endpoints that refused the same dial are told with it."""

    def not_opened(self, ids: Ids, met: Codes, now: Seconds, dialed_for: Seconds, ago: Seconds) -> None:
        """A dial is over, with this finding at each endpoint, met so many seconds ago."""

    def lost(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """The cloud ended the connection on which these were registered."""

    def left(self, ids: Ids, endpoints: Ids, now: Seconds, registered_for: Seconds) -> None:
        """These leave the secondary for the primary, which is open."""

    def move_after(self, ids: Ids) -> Seconds:
        """Seconds on the secondary after which the primary is tried."""

    def probed(self, ids: Ids) -> Flags:
        """Whether the watchdog dials, too, in a round that begins now."""

    def wake(self, ids: Ids) -> None:
        """The watchdog found an endpoint open."""
