"""What the leader of a load makes of its course."""
import json
import time
from dataclasses import replace

import gevent
import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load import director
from econduit_terminal.sandbox.fleet.load.course import CALM
from econduit_terminal.sandbox.fleet.load.director import Director
from econduit_terminal.sandbox.fleet.load.here import Here
from econduit_terminal.sandbox.fleet.load.plan import Plan

PLAN = Plan((Endpoint("127.0.0.1", 9),), None, 2, 100.0, "cut", None, 5.0, 60.0, None, 0.0, 0.5, "L", (), None, None,
            "sandbox", "sandbox")


class Led:
    """A director without terminals; the test says what they do."""

    def __init__(self, plan: Plan):
        self.here, self.cuts = Here(), 0
        self.director = Director(self.here)
        self.director.take(plan, self._cut)
        self.director.start(0.0)

    def _cut(self) -> None:
        self.cuts += 1
        for terminal in ("A", "B"):
            self.here.change(terminal, False)

    def online(self, *terminals: str) -> None:
        for terminal in terminals:
            self.here.change(terminal, True)

    def to_the_scene(self) -> None:
        """Both register, and the scene is played."""
        self.online("A", "B")
        assert self.director.tick(1.0) == (2, 100.0)
        assert self.director.tick(6.0) == (2, 100.0)
        gevent.sleep(0.01)


def test_a_scene_without_a_sandbox_cloud(tmp_path, capsys):
    led = Led(replace(PLAN, save=str(tmp_path / "back.json")))
    led.to_the_scene()
    assert led.cuts == 1
    now = time.monotonic()
    led.online("A", "B")
    led.director.tick(now)
    assert led.director.tick(now + CALM) is None and led.director.end() == 0
    assert "scene cut: of 2 terminals that were cut, 50% after 0." in capsys.readouterr().out
    saved = json.loads((tmp_path / "back.json").read_text())
    assert saved["scene"] == "cut" and len(saved["back"]) == 2


def test_a_disk_that_is_full_is_said(capsys):
    led = Led(replace(PLAN, save="/dev/full"))
    led.to_the_scene()
    now = time.monotonic()
    led.online("A", "B")
    led.director.tick(now)
    assert led.director.tick(now + CALM) is None and led.director.end() == 2
    assert "/dev/full cannot be written (No space left on device)" in capsys.readouterr().err


@pytest.mark.parametrize("what", [lambda led: led.director.end(), lambda led: led.director.start(0.0)],
                         ids=["ended", "started once more"])
def test_a_scene_that_is_not_over_is_played_no_further(what, monkeypatch):
    over = []

    def play(*_):
        try:
            gevent.sleep(1000)
        finally:
            over.append("the cloud works")

    monkeypatch.setattr(director, "play", play)
    led = Led(replace(PLAN, url="http://127.0.0.1:9", scene="away"))
    led.to_the_scene()
    assert over == []
    what(led)
    assert over == ["the cloud works"]


def test_who_is_not_back_in_time_is_counted(capsys):
    led = Led(PLAN)
    led.to_the_scene()
    led.online("A")
    now = time.monotonic()
    assert led.director.tick(now + 60.0) is None and led.director.end() == 1
    said = capsys.readouterr()
    assert "1 of 2 terminals were not registered after 1min" in said.err and "100% after inf s" in said.out


def test_a_cloud_that_plays_nothing_ends_the_load(capsys):
    led = Led(replace(PLAN, url="http://127.0.0.1:9"))
    led.to_the_scene()
    assert led.director.tick(7.0) is None and led.director.end() == 1
    assert "no econduit-sandbox cloud" in capsys.readouterr().err


@pytest.mark.parametrize("scene, status", [(None, 0), ("cut", 1)])
def test_stopped_from_outside(scene, status):
    led = Led(replace(PLAN, scene=scene))
    led.online("A", "B")
    led.director.tick(1.0)
    assert led.director.end() == status


def test_without_a_scene_who_never_registered_in_time_is_counted(capsys):
    led = Led(replace(PLAN, scene=None))
    led.online("A")
    assert led.director.tick(61.0) is None and led.director.end() == 1
    assert "1 of 2 terminals were not registered after 1min" in capsys.readouterr().err


def test_patience_begins_when_the_last_terminal_is_started():
    led = Led(replace(PLAN, scene=None, ramp=0.02))
    led.online("A")
    assert led.director.tick(159.0) == (2, 0.02)
    assert led.director.tick(161.0) is None and led.director.end() == 1
