"""PURE. How old something is, on terminals whose clock may jump, stand still while off, or begin in 1970.

Within one boot the time since boot is the truth, suspend included. Over a reboot only the wall clock can tell; it
counts when both readings are later than this software, and never makes anything younger than the running boot. What a
clock dated too early before it was set, `Journal.housekeep` dates anew while the boot lasts.
"""
from datetime import UTC, datetime
from typing import NamedTuple

CLOCK_WAS_SET = 1_700_000_000.0
"""Wall times before this (November 2023) come from a clock that nobody has set yet."""
CLOCK_STEP = 60.0
"""Seconds by which a clock that is set goes forward, at least; less than that is no matter."""


class Moment(NamedTuple):
    """wall: seconds since 1970. boot: the kernel's boot id. up: seconds since that boot."""
    wall: float
    boot: str
    up: float


def age(then: Moment, now: Moment) -> float:
    """Seconds from `then` to `now`, never negative; at least so many where the clock cannot be trusted."""
    if then.boot == now.boot:
        return max(0.0, now.up - then.up)
    by_wall = now.wall - then.wall if min(then.wall, now.wall) >= CLOCK_WAS_SET else 0.0
    return max(now.up, by_wall)


def before(then: Moment, birth: Moment) -> bool:
    """Was `then` before `birth`, a moment of the running boot?"""
    return then.boot != birth.boot or then.up < birth.up


def when(at: Moment) -> str:
    """For people at the POS: `on 2026-11-23 at 07:50:24 UTC`."""
    if at.wall < CLOCK_WAS_SET:
        return "at a time that is not known (the clock was not set)"
    return f"on {datetime.fromtimestamp(at.wall, UTC):%Y-%m-%d at %H:%M:%S UTC}"
