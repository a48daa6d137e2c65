"""What the page is told, and how much at a time."""
import pytest

from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.faults import Faults, read
from econduit_terminal.sandbox.desk.feed import LONGEST_BODY, MOST_EVENTS, MOST_TERMINALS, Feed, shown


class Registry:
    """Terminals by name: registered or not."""

    def __init__(self, **terminals):
        self.terminals, self.looks = terminals, 0

    def listing(self):
        self.looks += 1
        return {name: {"registered": registered} for name, registered in self.terminals.items()}


def feed(registry=None, wanted=""):
    faults, events = Faults(), EventLog()
    return Feed(registry or Registry(), faults, events, wanted), faults, events


def test_each_event_is_told_once():
    told, _, events = feed()
    events.add("connected")
    assert [event["kind"] for event in told.update(0.0)["events"]] == ["connected"]
    assert told.update(1.0)["events"] == []


def test_a_flood_is_a_number():
    told, _, events = feed()
    for _ in range(MOST_EVENTS + 7):
        events.add("heartbeat")
    update = told.update(0.0)
    assert (len(update["events"]), update["skipped"]) == (MOST_EVENTS, 7)
    assert update["events"][-1]["n"] == events.last


def test_the_registered_ones_first_and_the_rest_counted():
    registry = Registry(**{f"T{number}": number == 250 for number in range(300)})
    terminals = feed(registry)[0].update(0.0)["terminals"]
    assert (terminals["known"], terminals["registered"], terminals["fitting"]) == (300, 1, 300)
    assert len(terminals["rows"]) == MOST_TERMINALS and terminals["rows"][0]["terminal"] == "T250"


def test_filtered_by_a_part_of_the_name_in_any_case():
    terminals = feed(Registry(PP35=True, T1=False), "pp")[0].update(0.0)["terminals"]
    assert [row["terminal"] for row in terminals["rows"]] == ["PP35"] and terminals["known"] == 2


def test_many_terminals_are_looked_at_less_often():
    registry = Registry(**{f"T{number}": True for number in range(8000)})
    told, _, events = feed(registry)
    for now in (0.0, 0.5, 0.9, 1.0):
        events.add("heartbeat")
        told.update(now)
    assert registry.looks == 2


def test_faults_are_told():
    told, faults, _ = feed()
    faults.add("dead", read("dead", {}))
    assert told.update(0.0)["faults"][0]["fault"] == "dead"


@pytest.mark.parametrize("body, wanted", [
    ('{"Card":"4111111111111111"}', '{"Card":"************1111"}'),
    ("\udc80 binary", "? binary"), ("x" * (LONGEST_BODY + 1), "x" * LONGEST_BODY + " …")])
def test_bodies_are_masked_printable_and_cut(body, wanted):
    assert shown({"kind": "response", "body": body})["body"] == wanted


def test_the_stream_begins_with_what_is_there():
    told, _, events = feed()
    events.add("listening")
    stream = told.stream()
    assert next(stream).startswith(b"retry:")
    assert b"listening" in next(stream)
