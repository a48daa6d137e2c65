"""PURE. What the watchdog reported last, typed, for those who decide about the connection.

A key that is missing says nothing, and the defaults here are what holds when nothing was said: the network is usable as
far as anybody knows, and whether something beyond the gateway answers is open.
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ONLINE = "online"
NOTHING_AGAINST = (ONLINE, "connecting")
"""The watchdog's verdicts when it has nothing against the network."""
WORKS = "works"
CLOUD_VERDICTS = ("cloud not answering", "blocked port", "registration refused")
"""How the watchdog's verdicts about the cloud begin. All others are about the terminal's own network or its line."""


@dataclass(frozen=True)
class Network:
    """A network report (POST /network).

    verdict: the watchdog's word, "online" when it has nothing against the network. usable: an interface is. path:
    "works", "dead" or "unknown". beyond: something behind the gateway that is no endpoint answered; None where nothing
    could tell. bind: the interface to dial over, where the kernel would take a dead one. lost: local address → why it
    works no longer. identity: which network this is. addresses: host → addresses known of it. open: endpoints, as
    "host:port", that the watchdog's own probes found open. dial, verify: something got better; something is in doubt.
    """
    verdict: str = ONLINE
    usable: bool = True
    path: str = "unknown"
    beyond: bool | None = None
    bind: str | None = None
    lost: Mapping[str, str] = field(default_factory=dict)
    identity: str | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    dial: bool = False
    verify: bool = False

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> "Network":
        """The view of a report that `local.report.parse_report` took, or of a part of one."""
        path = report.get("path") or "unknown"
        beyond = report.get("beyond")
        return cls(
            verdict=report.get("verdict") or ONLINE,
            usable=report.get("usable", True),
            path=path,
            # A watchdog of 1.0.0 does not say `beyond`, but its path works only where something answered.
            beyond=True if beyond is None and path == WORKS else beyond,
            bind=report.get("bind"),
            lost=report.get("lost") or {},
            identity=report.get("network"),
            addresses={host: tuple(known) for host, known in (report.get("addresses") or {}).items()},
            open=frozenset(report.get("open") or ()),
            dial=report.get("dial", False),
            verify=report.get("verify", False))

    @property
    def way(self) -> tuple[str | None, Mapping[str, str]]:
        """What decides which way a dial takes: one that is under way is begun anew when this changes."""
        return self.bind, self.lost
