"""The table of a benchmark: one line a figure, in markdown, with the figure to reach beside it.

A sample is None for who was not back, or noticed nothing, while it was watched: "not seen", and slower than any other.
"""
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NEVER = float("inf")


@dataclass(frozen=True)
class Reach:
    """What is to be reached, in seconds; None: nothing is asked of that one."""

    median: float | None = None
    p99: float | None = None
    worst: float | None = None

    def met(self, samples: Sequence[float]) -> bool:
        """Whether these samples, none left out, reach it."""
        measured = ((self.median, median(samples)), (self.p99, quantile(samples, 0.99)), (self.worst, max(samples)))
        return all(limit is None or value <= limit for limit, value in measured)

    def __str__(self) -> str:
        parts = (("median", self.median), ("99 %", self.p99), ("worst", self.worst))
        return ", ".join(f"{name} ≤ {seconds(limit)}" for name, limit in parts if limit is not None)


class Table:
    """Prints as it goes. `missed`: what was to be reached and was not."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self._begun = False

    def times(self, what: str, who: str, samples: Sequence[float | None], reach: Reach | None = None) -> None:
        """Samples in seconds: their median, 99 % where there are many, and worst."""
        if not samples:
            self._line(what, who, "—", "—", "—", "0", "", "")
            return
        done = [NEVER if sample is None else sample for sample in samples]
        verdict = "" if reach is None else self._verdict(what, reach.met(done))
        many = seconds(quantile(done, 0.99)) if len(done) >= 30 else ""
        self._line(what, who, seconds(median(done)), many, seconds(max(done)), str(len(done)),
                   "" if reach is None else str(reach), verdict)

    def figure(self, what: str, who: str, measured: float, unit: str, limit: float | None = None,
               shown: str | None = None) -> None:
        """One figure, which is at most `limit` where it is reached."""
        verdict = "" if limit is None else self._verdict(what, measured <= limit)
        self._line(what, who, f"{shown or f'{measured:.4g}'} {unit}".rstrip(), "", "", "",
                   "" if limit is None else f"≤ {limit:g} {unit}".rstrip(), verdict)

    def _verdict(self, what: str, met: bool) -> str:
        if not met:
            self.missed.append(what)
        return "yes" if met else "**no**"

    def _line(self, *cells: str) -> None:
        if not self._begun:
            self._begun = True
            print("| what | who | median | 99 % | worst | samples | to reach | reached |\n" + "|---" * 8 + "|")
        print("| " + " | ".join(cells) + " |", flush=True)


def machine() -> str:
    """What the figures were measured on."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} × {model}, Linux {os.uname().release}, "
            f"Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.2f}")


def progress(text: str) -> None:
    """A word to the person who waits, beside the table."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def median(samples: Sequence[float]) -> float:
    """The median; between a number and NEVER it is NEVER."""
    return statistics.median(samples)


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample below or at which this share of them lies."""
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def seconds(value: float) -> str:
    """A time for people."""
    if value == NEVER:
        return "not seen"
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.3g} ms"
