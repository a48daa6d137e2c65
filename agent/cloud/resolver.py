"""Names to addresses, never for longer than asked, never twice at once, and never to a stranger.

- The resolver's threads are few: a lookup that was given up lives on in one of them, and when all are taken the next
  lookup waits for seconds (measured with gevent's pool of ten). So a name has one lookup at a time, which everybody who
  asks for it shares, and `RES_OPTIONS` (set by `set_up`, before the first lookup) bounds each in the C library.
- A dotted name is asked for as it is written. A search list (resolv.conf(5)) would complete it as soon as its own
  servers fail, and a wildcard of that domain would get the Register message with the TerminalID. `LOCALDOMAIN=.` keeps
  glibc from that, and /etc/hosts still holds; a final dot would hide the names in it (tried). A single label is
  completed here.
- DNS that answers with an address which is unspecified, loopback or our own has no answer: that is how DNS filters say
  no. Where a person wrote that (a literal, localhost, this machine's name, /etc/hosts), it is meant.
"""
import ipaddress
import os
import socket
from collections.abc import Iterable
from pathlib import Path

import gevent
from gevent.event import AsyncResult
from gevent.socket import getaddrinfo

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason

from .connection import interface_of
from .endpoints import Address

HOSTS = Path("/etc/hosts")
RESOLV_CONF = Path("/etc/resolv.conf")
MOST_BYTES = 1 << 20
"""Of those files; what is behind is not read."""
MOST_DOMAINS = 6
"""Of a search list (MAXDNSRCH, resolv.h)."""
FILTERED, OWN = " (a DNS filter)", ", an address of this terminal"


class LookupFailed(Exception):
    """A name that gave no address; the text says which and why."""


def set_up() -> None:
    """Before the first lookup. The time limits are an administrator's to change (resolv.conf(5)), strangers are not."""
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:1")
    os.environ["LOCALDOMAIN"] = "."


class Resolver:
    """The lookups under way, by endpoint."""

    def __init__(self) -> None:
        self._under_way: dict[Endpoint, AsyncResult[list[Address]]] = {}

    def lookup(self, endpoint: Endpoint, timeout: float) -> list[Address]:
        """All addresses of an endpoint. Raises LookupFailed after at most `timeout` seconds; the lookup itself goes on,
        and the next call within its time shares it."""
        address = literal(endpoint)
        if address:
            return [address]
        result = self._under_way.get(endpoint)
        if result is None:
            result = self._under_way[endpoint] = AsyncResult()
            gevent.spawn(self._ask, endpoint, result)
        try:
            found = result.get(timeout=timeout) or []
        except gevent.Timeout:
            raise LookupFailed(Reason.NAME_SILENT.text(endpoint.host, f" within {timeout:g} s")) from None
        except OSError as error:
            raise LookupFailed(Reason.NO_NAME.text(endpoint.host, error.strerror or error)) from None
        except UnicodeError:
            raise LookupFailed(Reason.BAD_NAME.text(endpoint.host)) from None
        return useful(endpoint.host, found)

    def _ask(self, endpoint: Endpoint, result: "AsyncResult[list[Address]]") -> None:
        try:
            result.set(_addresses(endpoint))
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to those who wait for this name
            result.set_exception(error)
        finally:
            del self._under_way[endpoint]


def literal(endpoint: Endpoint) -> Address | None:
    """The address that an endpoint already is; None where it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, endpoint.host)
        except (OSError, UnicodeError):
            continue
        return family, (endpoint.host, endpoint.port)
    return None


def useful(host: str, addresses: Iterable[Address]) -> list[Address]:
    """Those that lead somewhere. Raises LookupFailed where DNS named none but ourselves."""
    kept, refused = [], None
    for family, sockaddr in addresses:
        address = sockaddr[0]
        plain = ipaddress.ip_address(address.partition("%")[0])
        plain = getattr(plain, "ipv4_mapped", None) or plain
        nowhere = plain.is_unspecified or plain.is_loopback
        if (nowhere or interface_of(str(plain)) is not None) and not _meant(host, address):
            refused = refused or Reason.WRONG_DNS.text(host, f"{address}{FILTERED if nowhere else OWN}")
        else:
            kept.append((family, sockaddr))
    if refused and not kept:
        raise LookupFailed(refused)
    return kept


def _meant(host: str, address: str) -> bool:
    """A person, not DNS, gave this name this address."""
    name = host.lower().rstrip(".")
    if name in ("localhost", "localhost.localdomain", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    for line in _lines(HOSTS):
        words = line.partition("#")[0].lower().split()
        if name in words[1:] and words[0].partition("%")[0] == address.lower().partition("%")[0]:
            return True
    return False


def _addresses(endpoint: Endpoint) -> list[Address]:
    names = [endpoint.host]
    if "." not in endpoint.host:
        names += [f"{endpoint.host}.{domain}" for domain in _search_list()]
    for name in names:
        try:
            found = getaddrinfo(name, endpoint.port, 0, socket.SOCK_STREAM)
            return [(family, address) for family, _, _, _, address in found]
        except OSError:
            if name == names[-1]:
                raise
    raise AssertionError("not reached")


def _search_list() -> list[str]:
    """The domains of resolv.conf(5); the last line counts."""
    domains: list[str] = []
    for line in _lines(RESOLV_CONF):
        words = line.split()
        if words and words[0] in ("search", "domain"):
            domains = words[1:]
    return [domain.rstrip(".") for domain in domains if domain.rstrip(".")][:MOST_DOMAINS]


def _lines(file: Path) -> list[str]:
    try:
        with open(file, "rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
