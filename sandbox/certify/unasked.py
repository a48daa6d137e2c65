"""Responses that nobody asked for, over a whole run. PURE.

A response is unasked when its request was answered before, over a connection that surely took the answer (it brought
more, or the examiner ended it later), and was not sent again over this one; or when it tells no request, and nothing
but the registration's answer has been sent over its connection. An answer whose connection was lost may come late, by
itself, also when the examiner had read it: the device cannot know.
"""
from collections.abc import Callable, Sequence
from typing import Protocol

from econduit_terminal.sandbox.certify.inbox import BLANK, Message, What
from econduit_terminal.sandbox.certify.judge import shown
from econduit_terminal.sandbox.certify.table.answers import OK
from econduit_terminal.sandbox.certify.wire_log import WireLog

TAKEN = 0.2
"""Seconds behind an answer after which more bytes, or an end by the examiner, show that it was taken."""


class Connection(Protocol):
    """What is looked at of a connection."""

    @property
    def name(self) -> str:
        """As in the log."""

    @property
    def by_us(self) -> bool:
        """Whether the examiner ended it."""

    @property
    def last_byte(self) -> float:
        """When its last byte came."""

    @property
    def closed(self) -> float | None:
        """When it ended."""

    def of(self, what: What, since: float = 0.0) -> list[Message]:
        """Its messages of a kind."""


def unasked(links: Sequence[Connection], log: WireLog, ref_of: Callable[[Message], str | None] | None) -> str:
    """The first of them, in words, or "". `ref_of`: the reference that an answer tells, "" for the answer to what was
    no transaction (another case's); None where answers tell nothing."""
    if log.dropped:
        return ""       # What was sent is not all known any more.
    answered: dict[str, Connection] = {}
    asked = False
    for link in links:
        sent = log.sent(link.name)
        for message in link.of(What.RESPONSE):
            before = b"".join(entry.data for entry in sent if entry.t <= message.began)
            asked_here = bool(before.replace(OK, b"").strip(BLANK))
            ref = ref_of(message) if ref_of else None
            if ref is None:
                if not asked_here and (ref_of or not asked):
                    return f"{shown(message.body, 80)} came over {link.name} before anything was asked"
            elif ref and answered.get(ref, link) is not link and ref.encode() not in before:
                return (f"the answer to {ref} came over {link.name} again, though {answered[ref].name} had taken it "
                        "and nobody asked")
            elif link.last_byte > message.ended + TAKEN or (link.by_us and link.closed is not None
                                                            and link.closed > message.ended + TAKEN):
                answered[ref] = link
        asked = asked or len(sent) > 1
    return ""
