"""PURE. Numbers as people write them on the command line: 10k terminals, 2000/s, 10min."""
import argparse
import math
import re

from econduit_terminal.conf.values import parse_duration

MOST_TERMINALS = 10_000_000
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}


def terminals(text: str) -> int:
    """"20000", "20k", "1.5M"."""
    number = _number(text)
    if number is None or number != int(number) or not 1 <= number <= MOST_TERMINALS:
        raise argparse.ArgumentTypeError(f"{text!r}: a number of terminals, such as 500, 20k or 1M (10M at most)")
    return int(number)


def count(text: str) -> int:
    """A whole number above 0, with k or M."""
    number = _number(text)
    if number is None or number != int(number) or number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number above 0, such as 128 or 64k")
    return int(number)


def seed(text: str) -> int:
    """A whole number from 0 on."""
    if re.fullmatch("[0-9]{1,18}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 0 on, such as 1 (18 digits at most)")
    return int(text)


def rate(text: str) -> float:
    """A second: "2000/s", "2000", "1.5k/s", "120/min"."""
    for unit, seconds in (("/s", 1), ("/min", 60), ("", 1)):
        number = _number(text.removesuffix(unit)) if text.endswith(unit) else None
        if number:
            return number / seconds
    raise argparse.ArgumentTypeError(f"{text!r}: registrations in a time, such as 2000/s, 1.5k/s or 120/min")


def duration(text: str) -> float:
    """Seconds: "250ms", "90s", "10min"."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: a duration, such as 250ms, 90s or 10min") from error


def show_count(number: float) -> str:
    """A count for people, as 12,345."""
    return f"{number:,.0f}"


def show_seconds(seconds: float) -> str:
    """Three digits at least, with the unit that people use; "never" for infinity."""
    if seconds == float("inf"):
        return "never"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s" if seconds < 1000 else f"{seconds / 60:.0f} min"


def _number(text: str) -> float | None:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kM]?)", text, re.ASCII)
    number = float(found[1]) * _FACTORS[found[2]] if found else math.inf
    return number if math.isfinite(number) else None
