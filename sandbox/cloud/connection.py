"""One terminal's connection to the cloud: what is read, what is answered, how it ends.

Rules

- A connection is read by its own greenlet only; anyone may send on it, one message at a time.
- Good behaviour is the document's letter: the ack has EOT EOT behind it, the registration answer and transactions come
  bare. Each active fault is looked up at the step that it changes, and nowhere else.
- Whatever ends a connection is recorded once, as `closed` with the reason.
"""
import contextlib
import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any, Protocol

import gevent
from greenlet import greenlet

from econduit_terminal.sandbox.cloud import faults as F
from econduit_terminal.sandbox.cloud.budget import Budget
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.framing import END, MessageSplitter, TooLong
from econduit_terminal.sandbox.cloud.register import what_is_odd, what_is_wrong
from econduit_terminal.sandbox.cloud.terminal_socket import Ended, TerminalSocket

log = logging.getLogger("sandbox")

OK, FAILED, INVALID_TYPE = "OK-REGISTRATION", "FAILED-REGISTRATION", "FAILED-INVALID-TERMINAL-TYPE"
ACK = b'{"Status":"OK"}'


class Registrar(Protocol):
    """What a connection needs of the cloud behind it. Times in seconds, `max_message` in bytes."""
    faults: F.Faults
    events: EventLog
    budget: Budget
    terminal_types: tuple[str, ...]
    register_timeout: float
    idle_timeout: float
    send_timeout: float
    max_message: int

    def admit(self, new: "Connection") -> int:
        """Makes room for a registration; returns how many of this terminal are open at this moment, it included."""

    def add(self, connection: "Connection") -> None:
        """The connection is registered."""

    def remove(self, connection: "Connection") -> None:
        """The connection is no longer registered."""

    def response(self, connection: "Connection", message: bytes, fields: dict[str, Any]) -> None:
        """The terminal sent an answer."""

    def inquiry(self, connection: "Connection", ref: str | None) -> None:
        """Asks the terminal what became of an old transaction."""

    def until_faults_change(self) -> None:
        """Waits for a control to be used, and not longer than until it is time to look at the connection again."""

    def sales(self, connection: "Connection", amounts: tuple[str, ...], refs: tuple[str, ...] | None) -> bytes:
        """The bytes of several new sales for its terminal."""


class Connection:
    """One accepted connection. `number` counts from 1; `terminal` is known once it registered."""

    def __init__(self, number: int, sock: socket.socket, port: str, registry: Registrar) -> None:
        self.number, self.port = number, port
        self.terminal: str | None = None
        self.registered = False
        self.ended = False
        self._socket, self._registry = TerminalSocket(sock), registry
        self._faults, self._events = registry.faults, registry.events
        self._ack = True
        self._silent = False
        self._reader: greenlet | None = None
        self._deadline = time.monotonic() + registry.register_timeout

    # what others ask of it

    def note(self, kind: str, body: bytes | None = None, **fields: Any) -> None:
        """Records an event of this connection."""
        self._events.add(kind, body, terminal=self.terminal, port=self.port, connection=self.number, **fields)

    def gone(self) -> bool:
        """Whether the other side has ended the connection, read or not."""
        return self.ended or self._socket.gone()

    def end(self, reason: str, rst: bool = False) -> None:
        """Closes the connection (`rst`: with a TCP reset) and records why; later calls do nothing."""
        if self.ended:
            return
        self.ended = True
        self._registry.remove(self)
        self.registered = False
        self.note("closed", detail=reason)
        try:
            self._socket.close(rst)
        except OSError as error:
            log.debug("connection %d: %s while closing", self.number, error)

    def send(self, message: str, payload: bytes) -> None:
        """Sends a registration answer, an ack or a transaction, as the active faults have it. Raises Ended."""
        replaced = self._take("replace", message)
        data = F.payload(replaced.values) if replaced else payload + (END if self._ends(message) else b"")
        glued = self._take("glue", message)
        if glued:
            data += self._registry.sales(self, glued.values["amounts"], glued.values["refIDs"])
        delay = self._take("delay", message)
        if delay:
            with self._ends_with_it():
                self._socket.pause(delay.values["seconds"])
        cut = self._take("segments", message)
        self.write(data, *((cut.values["size"], cut.values["delay"]) if cut else ()))

    def transaction(self, data: bytes) -> None:
        """Sends one transaction and passes the steps `request` and `sent`. Raises Ended."""
        broken = self._take("break", "request")
        if broken:
            if broken.values["after"]:
                self.write(data[:broken.values["after"]])
            self._break(broken, "request")
        self.send("transaction", data)
        self.step("sent")

    def terminated(self, transaction: bytes) -> bytes:
        """A transaction's bytes as they are on the wire: with EOT EOT only if a fault says so."""
        return transaction + (END if self._ends("transaction") else b"")

    def write(self, data: bytes, sizes: tuple[int, ...] = (), delay: float = 0.0) -> None:
        """Sends bytes, whole or in segments of these sizes (the last repeats). Raises Ended."""
        with self._ends_with_it():
            self._socket.write(data, self._registry.send_timeout, sizes, delay)

    def step(self, name: str) -> None:
        """A step at which a `break` fault may end the connection. Raises Ended."""
        fault = self._take("break", name)
        if fault:
            self._break(fault, name)

    # its own greenlet

    def serve(self) -> None:
        """Reads until the connection ends, whatever comes. Never raises."""
        self._reader = gevent.getcurrent()
        try:
            greeting = self._take("greet")
            if greeting:
                self.write(F.payload(greeting.values))
            self.step("connect")
            self._read()
        except Ended as end:
            self.end(str(end))
        except Exception:
            log.exception("connection %d: a mistake in the sandbox", self.number)
            self.end("a mistake in the sandbox")

    def _read(self) -> None:
        splitter = MessageSplitter(self._registry.max_message)
        while True:
            self._while_dead()
            try:
                left = max(0.001, self._deadline - time.monotonic())
                data = self._socket.read(self._registry.idle_timeout if self.registered else left)
            except TimeoutError:
                raise Ended("no sign of life for too long" if self.registered else "it did not register") from None
            if not data:
                rest = f", {splitter.pending} bytes short of EOT EOT" if splitter.pending else ""
                raise Ended("closed by the terminal" + rest)
            self._while_dead()
            try:
                messages = splitter.receive(data)
            except TooLong as mistake:
                raise Ended(str(mistake)) from None
            for message in messages:
                self._while_dead()
                self._message(message)

    def _message(self, message: bytes) -> None:
        try:
            found = json.loads(message)
        except (ValueError, RecursionError):
            found = None
        fields = found if isinstance(found, dict) else {}
        command = fields.get("Command")
        if command == "Register":
            self._register(message, fields)
        elif not self.registered:
            self.note("refused", message, detail="a message before registration")
            self.send("registration", FAILED.encode())
        elif command == "TerminalHeartbeat":
            self._heartbeat(message)
        else:
            self._registry.response(self, message, fields)
            self.step("response")

    def _register(self, message: bytes, fields: dict[str, Any]) -> None:
        wrong = what_is_wrong(fields)
        name = fields.get("TerminalID")
        self.terminal = name[:200] if isinstance(name, str) and name else None
        self._while_dead()
        self.step("register")
        self._wait_for_turn()
        answer = FAILED if wrong else OK
        types = self._registry.terminal_types
        if not wrong and not (fields["TerminalType"] in types if types else fields["TerminalType"]):
            answer, wrong = INVALID_TYPE, "an unknown TerminalType"
        refusal = self._take("refuse")
        if refusal:
            answer, wrong = refusal.values["answer"], "refused on demand"
        if wrong:
            self._registry.remove(self)
            self.registered = False
            self.note("refused", message, detail=f"{answer[:200]}: {wrong}")
            self.send("registration", answer.encode("utf-8", "replace"))
            if refusal and refusal.values["close"]:
                raise Ended("refused on demand")
            return
        at_once = self._registry.admit(self)
        self._ack = fields["AckHeartbeat"] == "true"
        self.registered = True
        self.send("registration", OK.encode())
        self._registry.add(self)
        self.note("registered", message, open=at_once, detail=what_is_odd(fields))
        self.step("registered")
        inquiry = self._take("inquire")
        if inquiry:
            self._registry.inquiry(self, inquiry.values["refID"])

    def _heartbeat(self, message: bytes) -> None:
        self.note("heartbeat", message)
        self.step("heartbeat")
        if self._ack and not self._take("ignore-heartbeats"):
            self.send("ack", ACK)

    def _while_dead(self) -> None:
        """Waits while the application is dead; only the kernel is asked whether the terminal has hung up."""
        while self._silent or self._find("dead"):
            if self.gone():
                raise Ended("closed by the terminal while the cloud was dead")
            self._registry.until_faults_change()

    def _wait_for_turn(self) -> None:
        """A registration is served in its turn. Who gave up meanwhile is found out no sooner: the work is done."""
        budget = self._registry.budget
        hung = False
        while self._find("hang"):
            hung = True
            self._registry.until_faults_change()
        seconds = budget.turn(time.monotonic())
        if seconds > 0:
            gevent.sleep(seconds)
        gone = (hung or seconds > 0) and self.gone()
        budget.served(wasted=gone)
        if gone:
            raise Ended("closed by the terminal before its registration had its turn")

    def _break(self, fault: F.Fault, step: str) -> None:
        how = fault.values["how"]
        if fault.values["later"] and how != "dead":
            gevent.spawn_later(fault.values["later"], self.end, f"{how} on demand after {step}", rst=how == "rst")
            return
        if how == "dead":
            self._silent = True
            if gevent.getcurrent() is self._reader:
                self._while_dead()
            raise Ended(f"dead on demand at {step}")
        self.end(f"{how} on demand at {step}", rst=how == "rst")
        raise Ended(step)

    @contextlib.contextmanager
    def _ends_with_it(self) -> Iterator[None]:
        """The end of the socket is recorded by whoever meets it, at once."""
        try:
            yield
        except Ended as end:
            self.end(str(end))
            raise

    def _take(self, name: str, on: str | None = None) -> F.Fault | None:
        return self._faults.take(name, self.terminal, self.port, on)

    def _find(self, name: str) -> F.Fault | None:
        return self._faults.find(name, self.terminal, self.port)

    def _ends(self, message: str) -> bool:
        fault = self._take("eot", message)
        return fault.values["with"] if fault else message == "ack"
