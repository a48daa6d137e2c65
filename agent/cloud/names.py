"""Names to addresses, never for longer than asked and never twice at once.

The resolver's threads are few: a lookup that was given up lives on in one of them, and when all are taken the next
lookup waits for seconds (measured with gevent's pool of ten). So a name has one lookup at a time, which everybody who
asks for it shares, and `RES_OPTIONS` (set by `bound_resolver` before the first lookup) bounds each in the C library.
"""
import os
import socket

import gevent
from gevent.event import AsyncResult
from gevent.socket import getaddrinfo

from econduit_terminal.conf.values import Endpoint


class LookupFailed(Exception):
    """A name that gave no address; the text says which and why."""


def bound_resolver() -> None:
    """Let the C library give up on a DNS server after 1 s (resolv.conf(5)); an administrator's own value wins."""
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:1")


class Names:
    """The lookups under way, by name."""

    def __init__(self):
        self._under_way: dict[Endpoint, AsyncResult] = {}

    def lookup(self, endpoint: Endpoint, timeout: float) -> list:
        """All addresses of an endpoint as `(family, sockaddr)`. Raises LookupFailed after at most `timeout` seconds."""
        address = literal(endpoint)
        if address:
            return [address]
        result = self._under_way.get(endpoint)
        if result is None:
            result = self._under_way[endpoint] = AsyncResult()
            gevent.spawn(self._ask, endpoint, result)
        try:
            return [(family, address) for family, _, _, _, address in result.get(timeout=timeout)]
        except gevent.Timeout:
            raise LookupFailed(f"name {endpoint.host} not answered within {timeout:g} s") from None
        except OSError as error:
            raise LookupFailed(f"name {endpoint.host} not found ({error.strerror or error})") from None
        except UnicodeError:
            raise LookupFailed(f"{endpoint.host} is no name that can be looked up") from None

    def _ask(self, endpoint, result: AsyncResult) -> None:
        try:
            result.set(getaddrinfo(endpoint.host, endpoint.port, 0, socket.SOCK_STREAM))
        except Exception as error:      # whatever it is, it belongs to those who wait for this name
            result.set_exception(error)
        finally:
            del self._under_way[endpoint]


def literal(endpoint):
    """The address `(family, sockaddr)` that an endpoint already is; None where it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, endpoint.host)
        except (OSError, UnicodeError):
            continue
        return family, (endpoint.host, endpoint.port)
    return None
