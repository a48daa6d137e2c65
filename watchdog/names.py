"""Names → addresses, bounded.

getaddrinfo cannot be called off: a lookup that was given up lives on in its thread for as long as the resolver likes.
So there is at most one lookup for each name at a time, a few names in all, nobody waits longer than they want to, and
the last addresses that were found are kept for when the name servers are gone.
"""
import ipaddress
import os
import socket
import threading

from econduit_terminal.watchdog.inbox import deaf

MOST_NAMES = 8
MOST_ADDRESSES = 4


class Names:
    """Lookups in threads of their own. ``look_up`` is socket.getaddrinfo, or a test's."""

    def __init__(self, look_up=socket.getaddrinfo):
        # Read by the C library at its first lookup: one question, one second, instead of 2 × 5 s for each server.
        os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:1")
        self._look_up = look_up
        self._lock = threading.Lock()
        self._running: dict[str, Lookup] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def start(self, name: str, ring=lambda: None) -> "Lookup":
        """The lookup of a name: the one under way, or a new one. ``ring`` is called when a new one is done."""
        with self._lock:
            lookup = self._running.get(name)
            if lookup is not None:
                return lookup
            lookup = Lookup()
            if len(self._running) >= MOST_NAMES:
                lookup.finish(())
                return lookup
            self._running[name] = lookup
        threading.Thread(target=self._run, args=(name, lookup, ring), name=f"lookup {name}", daemon=True).start()
        return lookup

    def known(self, name: str) -> tuple[str, ...]:
        """The addresses of the last lookup that found any."""
        with self._lock:
            return self._known.get(name, ())

    def _run(self, name: str, lookup: "Lookup", ring) -> None:
        deaf()
        addresses: tuple[str, ...] = ()
        denied = False
        try:
            found = self._look_up(name, None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(entry[4][0] for entry in found))[:MOST_ADDRESSES]
        except (OSError, UnicodeError) as error:    # not known, or nobody to ask: there is no address
            denied = isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
        finally:
            with self._lock:
                self._running.pop(name, None)
                if addresses:
                    self._known[name] = addresses
                    while len(self._known) > MOST_NAMES:
                        self._known.pop(next(iter(self._known)))
            lookup.finish(addresses, denied)
            ring()


class Lookup:
    """One lookup. ``addresses``: None while it runs, () when it found none. ``denied``: a name server said that there
    is no such name, so that names as such can be looked up."""

    def __init__(self):
        self.addresses: tuple[str, ...] | None = None
        self.denied = False
        self._done = threading.Event()

    def finish(self, addresses: tuple[str, ...], denied: bool = False) -> None:
        self.addresses, self.denied = addresses, denied
        self._done.set()

    def wait(self, timeout: float) -> tuple[str, ...] | None:
        self._done.wait(timeout)
        return self.addresses


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_local(address: str) -> bool:
    """Whether an address belongs to a private or otherwise not public network."""
    return not ipaddress.ip_address(address).is_global


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
