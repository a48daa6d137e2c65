"""Carries out what POST /sandbox/<control> asks for: the faults are noted, the actions are done at once."""
import random
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from econduit_terminal.sandbox.cloud import faults as F
from econduit_terminal.sandbox.cloud.connection import Connection
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.public_calls import PublicCalls
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.cloud.terminal_socket import Ended


class Ports(Protocol):
    """The cloud's listening ports."""

    def open(self, port: str) -> None:
        """Listens on a port (again). Raises OSError."""

    def close(self, port: str) -> None:
        """Stops listening."""

    def stall(self, port: str, backlog: int | None) -> None:
        """Listens, and accepts nothing more; so many connections may wait."""


class Controls:
    """The one way to make the cloud misbehave."""

    def __init__(self, faults: F.Faults, registry: Registry, calls: PublicCalls, events: EventLog,
                 ports: Ports) -> None:
        self._faults, self._registry, self._calls = faults, registry, calls
        self._events, self._ports = events, ports
        self._actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "drop": self._drop, "rst": self._rst, "raw": self._raw, "garbage": self._garbage,
            "oversized": self._oversized, "transactions": self._send_sales, "duplicate": self._duplicate,
            "stop-listening": self._stop_listening, "stall": self._stall, "listen": self._listen, "reset": self._reset,
        }

    def use(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Does what `name` says; returns what was done. Raises ControlError, CallError."""
        values = F.read(name, given)
        shown = (f"{key}={value}" for key, value in given.items() if key not in ("data", "text", *F.SCOPE))
        self._events.add("control", terminal=values["terminal"], port=values["port"], detail=" ".join((name, *shown)))
        if F.CONTROLS[name].stays:
            self._faults.add(name, values)
            done: dict[str, Any] = {"active": len(self._faults.listing())}
        else:
            done = self._actions[name](values)
        self._registry.faults_changed()
        return {"control": name, **done}

    def _drop(self, values: dict[str, Any]) -> dict[str, Any]:
        return self._each(values, lambda c: c.end("dropped on demand"), part=values.get("part"))

    def _rst(self, values: dict[str, Any]) -> dict[str, Any]:
        return self._each(values, lambda c: c.end("reset on demand", rst=True))

    def _raw(self, values: dict[str, Any]) -> dict[str, Any]:
        data = F.payload(values)

        def send(connection: Connection) -> None:
            for _ in range(values["times"]):
                connection.write(data)
        return self._each(values, send)

    def _garbage(self, values: dict[str, Any]) -> dict[str, Any]:
        data = random.Random(values["seed"]).randbytes(values["size"])
        return self._each(values, lambda c: c.write(data))

    def _oversized(self, values: dict[str, Any]) -> dict[str, Any]:
        data = b'{"Command":"Sale","Filler":"'.ljust(values["size"], b"A")[:values["size"]]
        return self._each(values, lambda c: c.write(data))

    def _send_sales(self, values: dict[str, Any]) -> dict[str, Any]:
        return self._each(values, lambda c: c.write(self._calls.sales(c, values["amounts"], values["refIDs"])),
                          registered=True)

    def _duplicate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not values["terminal"]:
            raise F.ControlError("duplicate needs terminal: " + F.SCOPE["terminal"].help)
        return {"sent": self._calls.again(values["terminal"], values["refID"], values["times"])}

    def _stop_listening(self, values: dict[str, Any]) -> dict[str, Any]:
        for port in self._named(values):
            self._ports.close(port)
        return self._drop(values) if values["drop"] else {"connections": 0}

    def _stall(self, values: dict[str, Any]) -> dict[str, Any]:
        for port in self._named(values):
            self._ports.stall(port, values["backlog"])
        return {"ports": self._named(values)}

    def _listen(self, values: dict[str, Any]) -> dict[str, Any]:
        for port in self._named(values):
            try:
                self._ports.open(port)
            except OSError as error:
                raise F.ControlError(f"the {port} port cannot be opened: {error.strerror or error}") from None
        return {"ports": self._named(values)}

    def _reset(self, values: dict[str, Any]) -> dict[str, Any]:
        self._calls.pairings.forgive()
        ended = self._faults.clear(values["fault"], values["terminal"], values["port"])
        if not values["fault"] and not values["terminal"]:
            self._listen(values)
        return {"ended": ended}

    def _named(self, values: dict[str, Any]) -> list[str]:
        return [values["port"]] if values["port"] else list(F.PORTS)

    def _each(self, values: dict[str, Any], do: Callable[[Connection], None],
              registered: bool = False, part: tuple[int, int] | None = None) -> dict[str, Any]:
        reached = 0
        for connection in self._registry.in_scope(values["terminal"], values["port"]):
            if (registered and not connection.registered) or (part and not _in(part, connection.terminal)):
                continue
            try:
                do(connection)
                reached += 1
            except Ended:
                continue
        return {"connections": reached}


def _in(part: tuple[int, int], terminal: str | None) -> bool:
    """Whether a terminal is in the part (number, of how many): by its TerminalID, so that it always is in the same."""
    return zlib.crc32((terminal or "").encode("utf-8", "replace")) % part[1] == part[0] - 1
