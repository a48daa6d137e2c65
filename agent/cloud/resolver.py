"""Names to addresses, never for longer than asked, and never to a stranger.

- The resolver's threads are few: an abandoned lookup keeps one of them, and when all are taken the next
  lookup waits for seconds (measured with gevent's pool of ten). So a name has one lookup at a time, which everybody who
  asks for it shares, or two while the network comes back; `process.lookups` bounds each in the C library, and keeps
  search lists away.
- What comes too late for one dial is there for the next: a name server that drops a question costs three seconds, each
  time. Beyond that no answer is kept, since names move.
- DNS that answers with an address which is unspecified, loopback, multicast or our own has no answer: that is how DNS
  filters say no. Where a person wrote that (a literal, localhost, this machine's name, /etc/hosts), it is meant.
"""
import socket
import time
from collections import Counter
from collections.abc import Iterable

import gevent
from gevent.event import AsyncResult
from gevent.socket import getaddrinfo

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import Reason
from econduit_terminal.process import lookups
from econduit_terminal.process.addresses import leads_nowhere, parsed

from .connection import interface_of
from .endpoints import Address
from .race import interleave

MOST_ADDRESSES = 32
"""Of one name: DNS can answer with thousands, each of which would be looked at, dialed and told."""
MOST_RUNNING = 2
"""Lookups of one endpoint at a time: the one that continues, and the one that replaces it."""
LATE_FOR = 90.0
"""Seconds for which an answer is kept that came after its time: as far as two dials may lie apart (`local_retry`)."""
FILTERED, OWN = " (a DNS filter)", ", an address of this terminal"


class LookupFailed(Exception):
    """A name that gave no address; the text says which and why."""


class Resolver:
    """The lookups under way, by endpoint."""

    def __init__(self) -> None:
        self._under_way: dict[Endpoint, AsyncResult[list[Address]]] = {}    # the newest of each
        self._running: Counter[Endpoint] = Counter()
        self._overdue: set[Endpoint] = set()        # somebody gave up the newest
        self._late: dict[Endpoint, tuple[float, list[Address]]] = {}        # until when it is kept, and the answer

    def lookup(self, endpoint: Endpoint, timeout: float, *, fresh: bool = False) -> list[Address]:
        """All addresses of an endpoint. Raises LookupFailed after at most `timeout` seconds; the lookup itself goes on,
        and the next call within its time shares it. fresh: not one that began on a network that is gone."""
        address = literal(endpoint)
        if address:
            return [address]
        late = self._late.pop(endpoint, None)
        if late and not fresh and time.monotonic() < late[0]:
            return useful(endpoint.host, late[1])
        result = self._under_way.get(endpoint)
        if result is None or (fresh and self._running[endpoint] < MOST_RUNNING):
            result = self._under_way[endpoint] = AsyncResult()
            self._running[endpoint] += 1
            gevent.spawn(self._ask, endpoint, result)
        try:
            found = result.get(timeout=timeout) or []
        except gevent.Timeout:
            self._overdue.add(endpoint)
            raise LookupFailed(Reason.NAME_SILENT.text(endpoint.host, f" within {timeout:g} s")) from None
        except OSError as error:
            raise LookupFailed(Reason.NO_NAME.text(endpoint.host, error.strerror or error)) from None
        except UnicodeError:
            raise LookupFailed(Reason.BAD_NAME.text(endpoint.host)) from None
        self._late.pop(endpoint, None)
        return useful(endpoint.host, found)

    def _ask(self, endpoint: Endpoint, result: "AsyncResult[list[Address]]") -> None:
        try:
            found = _addresses(endpoint)
            if endpoint in self._overdue and self._under_way.get(endpoint) is result:
                self._late[endpoint] = time.monotonic() + LATE_FOR, found
            result.set(found)
        except Exception as error:  # noqa: BLE001  it belongs to those who wait for this name
            result.set_exception(error)
        finally:
            self._running[endpoint] -= 1
            if self._under_way.get(endpoint) is result:
                del self._under_way[endpoint]
                self._overdue.discard(endpoint)


def literal(endpoint: Endpoint) -> Address | None:
    """The address that an endpoint already is; None where it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, endpoint.host)
        except (OSError, UnicodeError):
            continue
        rest = (0, 0) if family == socket.AF_INET6 else ()      # as a lookup has it: one address, one value
        return family, (endpoint.host, endpoint.port, *rest)
    return None


def useful(host: str, addresses: Iterable[Address]) -> list[Address]:
    """Those that lead somewhere. Raises LookupFailed where DNS named none but ourselves."""
    kept, refused = [], None
    for family, sockaddr in addresses:
        address = sockaddr[0]
        nowhere = leads_nowhere(address)
        if (nowhere or interface_of(str(parsed(address))) is not None) and not _meant(host, address):
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
    return address.lower().partition("%")[0] in lookups.written().get(name, ())


def _addresses(endpoint: Endpoint) -> list[Address]:
    names = lookups.names_for(endpoint.host)
    for name in names:
        try:
            found = getaddrinfo(name, endpoint.port, 0, socket.SOCK_STREAM)
            return interleave((family, address) for family, _, _, _, address in found)[:MOST_ADDRESSES]
        except OSError:
            if name == names[-1]:
                raise
    raise AssertionError("there is one name at least")
