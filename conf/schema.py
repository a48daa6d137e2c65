"""PURE: every section and key there is, with the kind of value each takes and the rules between keys.

The names are those of the INI files; the defaults are in the shipped INI files alone.
Durations are float seconds, sizes int bytes, empty optional values None.
"""
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from econduit_terminal.conf import values
from econduit_terminal.conf.values import Application, Endpoint, Kind, show_duration

_FAILURE_FIELDS = ("TerminalID", "Command", "RefID", "reason")


def _key(kind: Kind) -> Any:
    return field(metadata={"kind": kind})


@dataclass(frozen=True)
class Terminal:
    """[terminal]: what the terminal says of itself when it registers; "" is filled in by `device.identify`."""

    type: str = _key(values.text)
    model: str = _key(values.text)
    id: str = _key(values.text)
    software_version: str = _key(values.text)


@dataclass(frozen=True)
class Cloud:
    """[cloud]: where the eConduit Cloud is."""

    primary: Endpoint = _key(values.endpoint)
    secondary: Endpoint | None = _key(values.optional(values.endpoint))
    tls: bool = _key(values.yes_no)
    ca_file: str | None = _key(values.optional(values.path))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The primary first."""
        return (self.primary, self.secondary) if self.secondary else (self.primary,)


@dataclass(frozen=True)
class Registration:
    """[registration]: how the terminal registers."""

    ack_heartbeat: bool = _key(values.yes_no)
    timeout: float = _key(values.duration("50ms", "5min"))


@dataclass(frozen=True)
class Heartbeat:
    """[heartbeat]: how an idle connection is kept alive and checked."""

    interval: float = _key(values.duration("50ms", "1h"))
    ack_timeout: float = _key(values.duration("50ms", "5min"))


@dataclass(frozen=True)
class Reconnect:
    """[reconnect]: how a lost connection is noticed and how long to wait before the next dial."""

    connect_timeout: float = _key(values.duration("50ms", "2min"))
    resolve_timeout: float = _key(values.duration("50ms", "1min"))
    secondary_after: float = _key(values.duration("0s", "1min"))
    primary_retry: float = _key(values.duration("50ms", "7d"))
    local_retry: float = _key(values.duration("50ms", "1min"))
    first_retry: float = _key(values.duration("0s", "1min"))
    quick_returns: int = _key(values.whole(0, 1000))
    base_delay: float = _key(values.duration("10ms", "5min"))
    max_delay: float = _key(values.duration("10ms", "1h"))
    crowded_delay: float = _key(values.duration("10ms", "1h"))
    rejected_retry: float = _key(values.duration("50ms", "24h"))
    stable_after: float = _key(values.duration("0s", "1h"))
    doubt_after: float = _key(values.duration("50ms", "1min"))
    keepalive_idle: float = _key(values.duration("1s", "2h", whole=True))
    keepalive_interval: float = _key(values.duration("1s", "10min", whole=True))
    keepalive_count: int = _key(values.whole(1, 127))
    user_timeout: float = _key(values.duration("100ms", "30min"))


@dataclass(frozen=True)
class Transactions:
    """[transactions]: the way to the payment application and back."""

    application: Application = _key(values.application)
    timeout: float = _key(values.duration("50ms", "1h"))
    queue: int = _key(values.whole(0, 100))
    duplicates: str = _key(values.choice("replay", "run"))
    ref_id_field: int | None = _key(values.optional(values.whole(1, 99)))
    late_answer: float = _key(values.duration("0s", "7d"))
    keep: float = _key(values.duration("1s", "90d"))
    frame_gap: float = _key(values.duration("10ms", "1min"))
    patience: float = _key(values.duration("50ms", "10min"))
    max_message: int = _key(values.size("64B", "16MiB"))
    drain: float = _key(values.duration("0s", "1h"))
    failure_answer: str = _key(values.template(*_FAILURE_FIELDS))


@dataclass(frozen=True)
class Local:
    """[local]: what the terminal offers to programs and people on the terminal itself."""

    socket: str = _key(values.socket_path)
    display: Endpoint | None = _key(values.optional(values.endpoint))
    status_file: str | None = _key(values.optional(values.path))
    state_dir: str = _key(values.path)
    log_level: str = _key(values.choice("debug", "info", "warning", "error"))


@dataclass(frozen=True)
class Watchdog:
    """[watchdog]: how the network and the agent are watched."""

    interfaces: tuple[str, ...] = _key(values.interfaces)
    coalesce: float = _key(values.duration("0s", "1s"))
    poll: float = _key(values.duration("50ms", "10min"))
    probe_interval: float = _key(values.duration("50ms", "10min"))
    probe_timeout: float = _key(values.duration("50ms", "30s"))
    reference_hosts: tuple[Endpoint, ...] = _key(values.endpoints)
    health_interval: float = _key(values.duration("50ms", "10min"))
    health_timeout: float = _key(values.duration("50ms", "1min"))
    report_interval: float = _key(values.duration("50ms", "10min"))


@dataclass(frozen=True)
class Settings:
    """Every setting. Sections are attributes, their keys attributes of those: `settings.heartbeat.interval`."""

    terminal: Terminal
    cloud: Cloud
    registration: Registration
    heartbeat: Heartbeat
    reconnect: Reconnect
    transactions: Transactions
    local: Local
    watchdog: Watchdog

    def changes(self, other: "Settings") -> list[str]:
        """The names (`section.key`) of all values that are not the same in `other`."""
        return [f"{section}.{key}" for section, kinds in SECTIONS.items() for key in kinds
                if getattr(getattr(self, section), key) != getattr(getattr(other, section), key)]

    def warnings(self) -> tuple[str, ...]:
        """What works as asked but is seldom meant: one line each, to be shown at start and by check-config."""
        found = []
        if self.transactions.duplicates == "run":
            found.append("transactions.duplicates: run lets a repeated request charge the customer again")
        if self.transactions.drain < self.transactions.timeout:
            found.append("transactions.drain: shorter than transactions.timeout, so that a stop or an upgrade can cut "
                         "off a transaction whose outcome then stays unknown")
        if self.cloud.ca_file and not self.cloud.tls:
            found.append("cloud.ca_file: not used while cloud.tls is no")
        found += [f"{section}.{key}: holds a comment, which is read as part of the value; put it on a line of its own"
                  for section, kinds in SECTIONS.items() for key, kind in kinds.items()
                  if kind.holds_comment(getattr(getattr(self, section), key))]
        found += [f"reconnect.{low}: {show_duration(small)} is more than max_delay "
                  f"({show_duration(self.reconnect.max_delay)}), and counts instead of it"
                  for low in ("first_retry", "base_delay")
                  if (small := getattr(self.reconnect, low)) > self.reconnect.max_delay]
        return tuple(found)


SECTIONS: dict[str, dict[str, Kind]] = {
    name: {key.name: key.metadata["kind"] for key in fields(section)}
    for name, section in get_type_hints(Settings).items()
}


def conflicts(parsed: dict[tuple[str, str], Any],
              chosen: Callable[[str, str, str], bool]) -> list[tuple[str, tuple[str, str], str]]:
    """Values that are fine alone but not together, as (section, its two keys, what is wrong and what is accepted).

    `parsed` holds the values by (section, key); where one has no valid value, the rules about it are passed over.
    `chosen(section, key, key)` says whether somebody chose these two together. Where only one of them was chosen, and
    the other is a default that an upgrade may have lowered, the chosen one counts: see Settings.warnings.
    """
    found = []

    def both(section: str, one: str, other: str) -> tuple[Any, Any]:
        return parsed.get((section, one)), parsed.get((section, other))

    for section, low, high, always in (("reconnect", "first_retry", "max_delay", False),
                                       ("reconnect", "base_delay", "max_delay", False),
                                       ("transactions", "late_answer", "keep", True)):
        small, large = both(section, low, high)
        if small is not None and large is not None and small > large and (always or chosen(section, low, high)):
            found.append((section, (low, high), f"{low} ({show_duration(small)}) is more than {high} "
                                                f"({show_duration(large)}), accepted: {low} of at most {high}"))
    for section, one, two, what in (("cloud", "primary", "secondary", "endpoint"),
                                     ("local", "socket", "status_file", "path")):
        first, second = both(section, one, two)
        if first is not None and first == second:
            found.append((section, (one, two), f"{one} and {two} are both {first}, "
                                               f"accepted: another {what} for {two}, or empty"))
    return found
