"""What is advised, and that it helps."""
from dataclasses import replace

import pytest

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet import advice
from econduit_terminal.sandbox.fleet.scenes import Cloud

SHIPPED = load(None)


@pytest.fixture
def few(monkeypatch):
    """A smaller sample, and one setting to try."""
    monkeypatch.setattr(advice, "SAMPLE", 100)
    monkeypatch.setattr(advice, "CHOICES", (replace(advice.CHOICES[0], values=(10.0, 120.0)),))


def test_a_sample_s_cloud_needs_as_long_as_the_whole_one():
    assert advice.sample(50_000, Cloud(2000.0, 65_536, 4096)) == (500, Cloud(20.0, 655, 41))
    assert advice.sample(20, Cloud(2000.0)) == (20, Cloud(2000.0))


def test_what_is_not_better_is_not_advised(monkeypatch):
    """A first dial within five seconds instead of a quarter of one only makes a small fleet slower."""
    monkeypatch.setattr(advice, "SAMPLE", 100)
    monkeypatch.setattr(advice, "CHOICES", (replace(advice.CHOICES[1], values=(0.25, 5.0)),))
    found = advice.advise(SHIPPED, 2000, Cloud(1e6))
    assert found.chosen == () and found.settings == SHIPPED
    assert found.shipped == found.advised and len(found.shipped) == len(advice.SCENES)


@pytest.mark.slow
def test_patience_helps_a_fleet_that_the_cloud_takes_longer_for(few):
    told = []
    found = advice.advise(SHIPPED, 100_000, Cloud(2000.0), told.append)
    assert [(choice.key, value) for choice, value in found.chosen] == [("timeout", 120.0)]
    assert found.settings.registration.timeout == 120.0
    for shipped, advised in zip(found.shipped, found.advised, strict=True):
        assert advised.nearly_all < 0.5 * shipped.nearly_all
        assert advised.nearly_all <= 1.2 * 50
    assert told == ["as shipped", "timeout = 120 s"] and len(told) == advice.tries()


def test_only_one_key_is_changed():
    changed = advice.changed(SHIPPED, advice.CHOICES[1], 5.0)
    assert changed.changes(SHIPPED) == ["reconnect.first_retry"]


def test_every_choice_begins_with_what_is_shipped():
    for choice in advice.CHOICES:
        assert getattr(getattr(SHIPPED, choice.section), choice.key) == choice.values[0]
