"""The life of one terminal of a load, both endpoints played by the test."""
import json
import random
import socket
import time
from dataclasses import dataclass, field, replace

import gevent
import pytest
from gevent.event import AsyncResult

from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load import terminal as module
from econduit_terminal.sandbox.fleet.load.dial import Met, NotOpened
from econduit_terminal.sandbox.fleet.load.terminal import Role, Terminal


@dataclass
class Witness:
    seen: list[tuple[str, object]] = field(default_factory=list)

    def dialed(self, endpoint, seconds, failure):
        self.seen.append(("dialed", failure))

    def registered(self, seconds):
        self.seen.append(("registered", None))

    def not_registered(self, seconds, failure):
        self.seen.append(("not registered", failure))

    def lost(self, failure):
        self.seen.append(("lost", failure))

    def acknowledged(self, seconds):
        self.seen.append(("acknowledged", None))

    def answered(self, size):
        self.seen.append(("answered", None))

    def exhausted(self, text):
        self.seen.append(("exhausted", text))

    def kinds(self):
        return [kind for kind, _ in self.seen]


class Life:
    """A terminal that runs, the doors of its cloud, and what its witness saw."""

    def __init__(self, doors, settings, start, source=None):
        self.witness = Witness()
        addresses = {Endpoint(*door.address): (socket.AF_INET, door.address) for door in doors}
        self.terminal = Terminal("L1", Role(settings, addresses, 0.05), self.witness, source)
        self.greenlet = start(self.terminal.run)


@pytest.fixture
def life(start, quick):
    return lambda *doors, settings=quick, **how: Life(doors, settings, start, **how)


def test_cut_by_the_cloud_it_is_back(life, door):
    primary, secondary = door(), door()
    one = life(primary, secondary)
    primary.accept().registered().close()
    primary.accept().registered().message()         # a heartbeat: it knows that it is registered
    assert one.witness.kinds()[:5] == ["dialed", "registered", "lost", "dialed", "registered"]


def test_the_register_message_says_who_it_is(life, door, quick):
    primary = door()
    life(primary, settings=replace(quick, terminal=replace(quick.terminal, type="Maker", model="", id="ignored")))
    said = json.loads(primary.accept().message())
    assert (said["TerminalType"], said["TerminalModel"], said["TerminalID"]) == ("Maker", "Load", "L1")


def test_an_answer_is_sent_after_the_next_registration(life, door):
    primary = door()
    life(primary)
    first = primary.accept().registered()
    first.send(b'{"Command":"Sale","Amount":"2.50","RefID":"R1"}')
    first.close()
    assert json.loads(primary.accept().registered().message())["RefID"] == "R1"


def test_a_mute_primary_leads_to_the_secondary_and_back_when_it_answers(life, door, quick):
    primary, secondary = door(), door()
    one = life(primary, secondary)
    mute = primary.accept()
    mute.message()
    here = secondary.accept().registered()
    assert mute.ended() and "not registered" in one.witness.kinds()
    there = primary.accept()
    assert here.ended()
    here.close()
    there.registered()
    assert one.witness.kinds().count("lost") == 0      # left on purpose


def test_refused_by_both_it_dials_again_and_again(life, door):
    primary, secondary = door(), door()
    primary.shut()
    secondary.shut()
    one = life(primary, secondary)
    while one.witness.kinds().count("dialed") < 8:
        gevent.sleep(0.01)
    assert all(why and "RST" in str(why) for kind, why in one.witness.seen if kind == "dialed")
    primary.open()
    primary.accept().registered()
    primary.peers[-1].message()
    assert one.terminal.online and one.terminal.idle


def test_the_wait_of_an_endpoint_that_refused_runs_from_its_refusal(life, door, quick, monkeypatch):
    dialed, again = [], AsyncResult()

    def dial(targets, rules, source):
        if dialed:
            again.set([target.hold for target in targets])
            gevent.sleep(1000)
        now, (primary, secondary) = time.monotonic(), (target.endpoint for target in targets)
        dialed.append(NotOpened(20.0, {primary: Met(Finding.REFUSED, now - 20), secondary: Met(Finding.SILENT, now)}))
        return dialed[0]

    monkeypatch.setattr(module, "dial", dial)
    monkeypatch.setattr(random, "random", lambda: 0.5)
    life(door(), door(), settings=replace(quick, reconnect=replace(quick.reconnect, base_delay=30.0, max_delay=30.0)))
    at_once, later = again.get()
    assert at_once == 0 and 10 < later <= 15        # the agent's Policy: half of base_delay, from when each was met


def test_cut_from_this_side_it_comes_back_as_if_the_cloud_had(life, door):
    primary = door()
    one = life(primary)
    first = primary.accept().registered()
    first.message()
    one.terminal.cut()
    assert first.ended()
    primary.accept().registered()
    assert one.witness.kinds().count("lost") == 1


def test_a_lack_of_this_machine_is_told_and_tried_again(life, door, monkeypatch):
    monkeypatch.setattr(module, "EXHAUSTED_AGAIN", 0.05)
    one = life(door(), source="192.0.2.1")
    while one.witness.kinds().count("exhausted") < 2:
        gevent.sleep(0.01)
    assert set(one.witness.kinds()) == {"exhausted"}


def test_its_end_closes_the_connection(life, door):
    primary = door()
    one = life(primary)
    peer = primary.accept().registered()
    peer.message()
    one.greenlet.kill()
    assert peer.ended() and not one.terminal.online
