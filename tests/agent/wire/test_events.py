"""Which bytes become which event: test_session.py."""
from typing import get_args

from econduit_terminal.agent.wire import events
from econduit_terminal.agent.wire.events import Refusal, Refused, SessionEvent


def test_every_event_is_one_that_a_session_may_give():
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")}
    assert kinds == set(get_args(SessionEvent))


def test_events_are_compared_by_what_they_say():
    assert Refused("FAILED-REGISTRATION", Refusal.FAILED) == Refused("FAILED-REGISTRATION", Refusal.FAILED)
    assert Refused("FAILED-REGISTRATION", Refusal.FAILED) != Refused("FAILED-REGISTRATION", Refusal.OTHER)
