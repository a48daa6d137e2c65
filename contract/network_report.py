"""The watchdog's report on the network: the body of POST /network, and key `network` of the status. PURE.

Rules
- `verdict` alone is required. The defaults are what holds where nothing was said: the network is usable as far as
  anybody knows, and whether something beyond the gateway answers is open.
- `beyond` and `network` are null where the watchdog cannot tell.
"""
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from econduit_terminal.process.text import clean

from .reader import ContractError, Reader

MAX_INTERFACE_NAME = 15  # IFNAMSIZ - 1, linux/if.h
ONLINE = "online"


class Path(Enum):
    """Whether the way to the cloud works, as far as the watchdog knows."""

    WORKS = "works"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Kind(Enum):
    """What kind of network interface it is."""

    ETHERNET = "ethernet"
    WIFI = "wifi"
    OTHER = "other"


_PATHS = {path.value: path for path in Path}
_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class InterfaceReport:
    """One network interface. state: its operstate, as the kernel calls it."""

    name: str = ""
    kind: Kind = Kind.OTHER
    usable: bool = False
    state: str = ""
    addresses: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind.value, "usable": self.usable, "state": self.state,
                "addresses": list(self.addresses)}

    @classmethod
    def read(cls, said: Reader) -> "InterfaceReport":
        """Raises ContractError."""
        return cls(said.text("name"), said.one_of("kind", _KINDS, Kind.OTHER), said.flag("usable", False),
                   said.text("state"), said.texts("addresses"))


@dataclass(frozen=True)
class NetworkReport:
    """What the watchdog knows of the network.

    verdict: a reason in words, `online` when it has nothing against the network; detail: what it saw. usable: an
    interface is. bind: the interface to dial over, where the kernel would take a dead one. lost: local address → why
    it works no longer. dial: something got better. verify: something is in doubt. addresses: host → addresses known of
    it. beyond: something behind the gateway that is no endpoint answered. network: which network this is. open:
    endpoints, as `host:port`, that the watchdog's own probes found open. sent: RFC 3339.
    """

    verdict: str = ONLINE
    detail: str = ""
    usable: bool = True
    path: Path = Path.UNKNOWN
    bind: str | None = None
    lost: Mapping[str, str] = field(default_factory=dict)
    dial: bool = False
    verify: bool = False
    interfaces: tuple[InterfaceReport, ...] = ()
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beyond: bool | None = None
    network: str | None = None
    open: tuple[str, ...] = ()
    sent: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict, "detail": self.detail, "usable": self.usable, "path": self.path.value,
            "bind": self.bind, "lost": dict(self.lost), "dial": self.dial, "verify": self.verify,
            "interfaces": [interface.to_json() for interface in self.interfaces],
            "addresses": {host: list(known) for host, known in self.addresses.items()},
            "beyond": self.beyond, "network": self.network, "open": list(self.open), "sent": self.sent,
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "NetworkReport":
        """Raises ContractError."""
        said = Reader(given)
        verdict = said.text("verdict")
        if not verdict:
            raise ContractError('verdict: missing or empty, expected text such as "online" or "cable unplugged"')
        path, beyond = said.one_of("path", _PATHS, Path.UNKNOWN), said.optional_flag("beyond")
        return cls(
            verdict=verdict, detail=said.text("detail"), usable=said.flag("usable", True), path=path,
            bind=_interface(said, "bind"),
            lost=said.mapping("lost", lambda inner, address: inner.text(address), "an object of address: reason"),
            dial=said.flag("dial", False), verify=said.flag("verify", False),
            interfaces=said.objects("interfaces", InterfaceReport.read),
            addresses=said.mapping("addresses", _addresses, "an object of name: list of addresses"),
            # A watchdog of 1.0.0 has no `beyond`, but its path works only where something answered. Null is an answer.
            beyond=True if "beyond" not in given and path is Path.WORKS else beyond,
            network=said.optional("network"), open=said.texts("open"), sent=said.optional("sent"))


def _interface(said: Reader, key: str) -> str | None:
    name = said.exactly(key, "an interface's name or null")
    if not name:
        return None
    if len(name.encode("utf-8", "replace")) > MAX_INTERFACE_NAME or "/" in name or clean(name) != name or " " in name:
        raise ContractError(f"{said.place(key)}: {clean(name, 40)!r} is not an interface's name, expected one such as "
                            "eth0, or null")
    return name


def _addresses(said: Reader, name: str) -> tuple[str, ...]:
    """The addresses that the watchdog knows for a name. They may be dialed: nothing but addresses is taken."""
    found = said.texts(name)
    for address in found:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ContractError(f"{said.place(name)}: {clean(address, 60)!r} is not an IP address") from None
    return found
