"""Names → addresses, bounded.

- getaddrinfo cannot be cancelled: a lookup that was given up lives on in its thread for as long as the C library likes.
  So each name has one lookup at a time, there are a few names in all, and nobody waits longer than they want to.
- The last addresses are kept for when the name servers are gone: those at which the terminal was registered come before
  those that DNS named.
- Which names are looked up: process.lookups. Which addresses a host cannot have: LocalNetwork.implausible.
"""
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from econduit_terminal.process import lookups

from .addresses import LocalNetwork, is_private
from .inbox import block_signals

MOST_NAMES = 8
MOST_ADDRESSES = 4


class Resolver:
    """Lookups in threads of their own. `look_up` is socket.getaddrinfo, or a test's. `local` may be replaced at any
    time; what is plausible follows from it."""

    def __init__(self, look_up: Callable[..., list[Any]] = socket.getaddrinfo):
        lookups.set_up()
        self.local = LocalNetwork()
        self._look_up = look_up
        self._lock = threading.Lock()
        self._running: dict[str, Lookup] = {}
        self._registered: dict[str, tuple[str, ...]] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def start(self, name: str, ring: Callable[[], None] = lambda: None) -> "Lookup":
        """The lookup of a name: the one under way, or a new one. `ring` is called when a new one is done."""
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
        """The addresses at which the terminal was registered, then those that the last successful lookup found."""
        with self._lock:
            return tuple(dict.fromkeys((*self._registered.get(name, ()), *self._found.get(name, ()))))

    def learn(self, name: str, addresses: Iterable[str], registered: bool) -> None:
        """What the agent dialed for this name. `registered`: the terminal was registered there."""
        if registered and (addresses := tuple(addresses)):
            self._keep(self._registered, name, addresses)
        elif plausible := self.local.plausible(name, addresses):
            self._keep(self._found, name, plausible)

    def trusted(self, hosts: Iterable[str]) -> frozenset[str]:
        """Those of `hosts` that may have any address: /etc/hosts says it, or the terminal was registered there."""
        written = lookups.written()
        with self._lock:
            private = {name for name, addresses in self._registered.items() if any(map(is_private, addresses))}
        return frozenset(host for host in hosts if host.lower().rstrip(".") in written or host in private)

    def _run(self, name: str, lookup: "Lookup", ring: Callable[[], None]) -> None:
        block_signals()
        addresses: tuple[str, ...] = ()
        denied = False
        try:
            addresses = self._ask(name)
        except (OSError, UnicodeError) as error:    # unknown, or no name server: there is no address
            denied = isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
        finally:
            with self._lock:
                self._running.pop(name, None)
            if plausible := self.local.plausible(name, addresses):
                self._keep(self._found, name, plausible)
            lookup.finish(addresses, denied)
            ring()

    def _ask(self, name: str) -> tuple[str, ...]:
        """Raises OSError, UnicodeError."""
        names = lookups.names_for(name)
        for whole in names[:-1]:
            try:
                return self._ask_for(whole)
            except OSError:
                pass
        return self._ask_for(names[-1])

    def _ask_for(self, name: str) -> tuple[str, ...]:
        found = self._look_up(name, None, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(entry[4][0] for entry in found))[:MOST_ADDRESSES]

    def _keep(self, kept: dict[str, tuple[str, ...]], name: str, addresses: tuple[str, ...]) -> None:
        with self._lock:
            kept.pop(name, None)
            kept[name] = addresses[:MOST_ADDRESSES]
            while len(kept) > MOST_NAMES:
                kept.pop(next(iter(kept)))


class Lookup:
    """One lookup. `addresses`: None while it runs, () when it found none, else whatever was answered. `denied`: a
    name server said that there is no such name, so that names as such can be looked up."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] | None = None
        self.denied = False
        self._done = threading.Event()

    def finish(self, addresses: tuple[str, ...], denied: bool = False) -> None:
        self.addresses, self.denied = addresses, denied
        self._done.set()

    def wait(self, timeout: float) -> tuple[str, ...] | None:
        self._done.wait(timeout)
        return self.addresses
