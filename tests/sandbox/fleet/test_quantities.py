"""Numbers as people write them."""
import argparse

import pytest

from econduit_terminal.sandbox.fleet import quantities


@pytest.mark.parametrize("read, text, value", [
    (quantities.terminals, "500", 500), (quantities.terminals, "20k", 20_000), (quantities.terminals, "1M", 1_000_000),
    (quantities.terminals, "1.5k", 1500), (quantities.count, "64k", 64_000), (quantities.rate, "2000/s", 2000.0),
    (quantities.rate, "2000", 2000.0), (quantities.rate, "1.5k/s", 1500.0), (quantities.rate, "120/min", 2.0),
    (quantities.seed, "0", 0), (quantities.seed, "12", 12),
    (quantities.duration, "10min", 600.0), (quantities.duration, "250ms", 0.25)])
def test_what_is_understood(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize("read, text", [
    (quantities.terminals, "0"), (quantities.terminals, "1.5"), (quantities.terminals, "11M"),
    (quantities.terminals, "many"), (quantities.terminals, "-1"), (quantities.count, "0"), (quantities.count, "1e3"),
    (quantities.terminals, "9" * 400), (quantities.count, "9" * 400), (quantities.rate, "9" * 400),
    (quantities.seed, "-1"), (quantities.seed, "one"), (quantities.seed, "9" * 19),
    (quantities.rate, "0/s"), (quantities.rate, "2000/h"), (quantities.rate, "/s"), (quantities.duration, "10"),
    (quantities.duration, "ten")])
def test_what_is_not_says_what_would_be(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as"):
        read(text)


@pytest.mark.parametrize("seconds, text", [
    (float("inf"), "never"), (0.056, "56 ms"), (9.96, "10.0 s"), (123.4, "123 s"), (3600.0, "60 min")])
def test_seconds_for_people(seconds, text):
    assert quantities.show_seconds(seconds) == text
