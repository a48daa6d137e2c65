"""The terminal's counts and durations, and their Prometheus text. PURE: `now` is monotonic seconds, an argument.

Rules
- Offline time belongs to the reason that held during it: a change of reason starts a new stretch.
- A reason becomes a label, and labels stay for good in a monitoring system: what the cloud writes after
  `registration refused:` and how many bytes came are left out, and beyond MAX_REASONS different ones the rest is
  `other`.
- Names are a contract: dashboards and alarms are built on them.
"""
import re
from collections.abc import Mapping

from econduit_terminal.contract.reason import label
from econduit_terminal.contract.status import Status

MAX_REASONS = 60
MAX_OBSERVED = 32
OTHER = "other"
WAITING = "pending"
"""Among the status's counts of transactions: those whose answer waits for a connection."""
Samples = list[tuple[dict[str, str], float]]
"""Labels and value."""


class Measures:
    """Counts since the process started. Begins offline, for `reason`, at `now`."""

    def __init__(self, reason: str, now: float):
        self.connects = 0
        self.acks = 0
        self.disconnects: dict[str, int] = {}
        self.observed: dict[str, tuple[int, float]] = {}
        self._offline: dict[str, float] = {}
        self._reasons: set[str] = set()
        self._why: str | None = self._bounded(reason)
        self._stretch = now

    def online(self, now: float) -> None:
        self._close_stretch(now)
        self._why = None
        self.connects += 1

    def offline(self, reason: str, now: float) -> None:
        reason = self._bounded(reason)
        if self._why is None:
            self.disconnects[reason] = self.disconnects.get(reason, 0) + 1
        self._close_stretch(now)
        self._why = reason

    def observe(self, name: str, seconds: float) -> None:
        if name in self.observed or len(self.observed) < MAX_OBSERVED:
            count, total = self.observed.get(name, (0, 0.0))
            self.observed[name] = (count + 1, total + seconds)

    def offline_seconds(self, now: float) -> dict[str, float]:
        """Seconds offline by reason, the stretch that still runs included."""
        seconds = dict(self._offline)
        if self._why is not None:
            seconds[self._why] = seconds.get(self._why, 0.0) + max(0.0, now - self._stretch)
        return seconds

    def _close_stretch(self, now: float) -> None:
        self._offline = self.offline_seconds(now)
        self._stretch = now

    def _bounded(self, reason: str) -> str:
        reason = label(reason)
        if reason in self._reasons:
            return reason
        if len(self._reasons) >= MAX_REASONS:
            return OTHER
        self._reasons.add(reason)
        return reason


def render(status: Status, measures: Measures, now: float, ages: dict[str, float | None]) -> str:
    """Prometheus text format 0.0.4. `ages`: seconds by name, None where there is nothing to be old."""
    page = _Page()
    page.add("build_info", "gauge", "The running version.", [({"version": status.version}, 1)])
    page.add("online", "gauge", "1 while registered with the eConduit Cloud.", [({}, int(status.online))])
    page.add("idle", "gauge", "1 while no transaction runs.", [({}, int(status.idle))])
    page.add("connects_total", "counter", "Successful registrations.", [({}, measures.connects)])
    page.add("disconnects_total", "counter", "Ways from online to offline, by reason.",
             _by("reason", measures.disconnects))
    page.add("offline_seconds_total", "counter", "Seconds not registered, by reason.",
             _by("reason", measures.offline_seconds(now)))
    page.add("heartbeat_acks_total", "counter", "Heartbeats that the cloud acknowledged.", [({}, measures.acks)])
    # A counter never falls; how many wait does.
    page.add("transactions_total", "counter", "Transactions by state.",
             _by("state", {state: count for state, count in status.transactions.items() if state != WAITING}))
    page.add("transactions_pending", "gauge", "Answers that wait for a connection now.",
             _one(status.transactions.get(WAITING)))
    page.add("problem", "gauge", "1 for each thing that a person should look at.",
             _by("name", dict.fromkeys(status.problems, 1)))
    page.add("retry_in_seconds", "gauge", "Seconds until the next dial; absent when none is due.",
             _one(status.retry_in))
    for name, age in ages.items():
        page.add(f"{name}_age_seconds", "gauge", f"Seconds since the {name.replace('_', ' ')}.", _one(age))
    for name, (count, total) in measures.observed.items():
        page.summary(f"{name}_seconds", count, total)
    return page.text()


def _by(key: str, values: Mapping[str, float]) -> Samples:
    return [({key: name}, value) for name, value in values.items()]


def _one(value: float | None) -> Samples:
    return [] if value is None else [({}, value)]


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, name: str, kind: str, about: str, samples: Samples) -> None:
        name = _name(name)
        self._lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        self._lines += [_sample(name, labels, value) for labels, value in samples]

    def summary(self, name: str, count: int, total: float) -> None:
        name = _name(name)
        self._lines += [f"# HELP {name} Measured durations.", f"# TYPE {name} summary",
                        _sample(f"{name}_sum", {}, total), _sample(f"{name}_count", {}, count)]

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _name(name: str) -> str:
    return "econduit_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    number = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return str(text).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
