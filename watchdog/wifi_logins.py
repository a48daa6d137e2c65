"""Tells a Wi-Fi password that is refused from an access point that is away. PURE.

With a wrong password the station finds the access point and associates (operstate `dormant`), the handshake fails, the
access point ends it (`down`), and wpa_supplicant tries again after 10 s, then at ever longer intervals. With the access
point off there is no `dormant` at all; with the right password `up` follows it.
"""
from econduit_terminal.contract.network_report import Kind

from .state import State

MIN_FAILURES = 2
"""Log-ins in a row that ended before the link was up. A single one may be due to the edge of the range."""
FORGET_AFTER = 330.0
"""Seconds after the last attempt; the longest pause of wpa_supplicant is 300 s."""


class WifiLogins:
    """The log-ins of each Wi-Fi interface. `now` is monotonic time in seconds."""

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}
        self._last: dict[str, float] = {}
        self._under_way: set[str] = set()

    def seen(self, state: State, now: float) -> None:
        """Takes each state, in order."""
        radios = {one.name: one for one in state.interfaces if one.kind == Kind.WIFI}
        for name in [name for name in self._failed if name not in radios]:
            self._forget(name)
        for name, one in radios.items():
            if one.linked or not one.enabled:
                self._forget(name)
            elif one.operstate == "dormant":
                self._under_way.add(name)
                self._last[name] = now
            elif name in self._under_way:
                self._under_way.discard(name)
                self._failed[name] = self._failed.get(name, 0) + 1
                self._last[name] = now

    def refused(self, now: float) -> frozenset[str]:
        """The interfaces whose last log-ins all failed."""
        return frozenset(name for name, failed in self._failed.items()
                         if failed >= MIN_FAILURES and now - self._last[name] < FORGET_AFTER)

    def _forget(self, name: str) -> None:
        self._failed.pop(name, None)
        self._last.pop(name, None)
        self._under_way.discard(name)
