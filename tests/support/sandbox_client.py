"""The sandbox's programs as tests use them: started as processes, asked over HTTP, awaited by their events.

`cloud` and `payment_app` of `tests/conftest.py` make these and stop them.
"""
import fcntl
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START = 15.0
KEYS = {"key": "sandbox", "password": "sandbox"}
"""Who the POS is: paired with every terminal."""

Answer = dict[str, Any]
"""JSON from the cloud's HTTP side."""


def reserve(host: str = "127.0.0.1") -> socket.socket:
    """A free port, kept: bound but not listening, so that nobody else gets it between two runs of a program."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, 0))
    return sock


@contextmanager
def starter(make: Callable[..., "Program"]) -> Iterator[Callable[..., "Program"]]:
    """A function that makes and starts programs (`make` gets their number first); all are closed at the end."""
    started: list[Program] = []

    def start(*options: str, **where: Any) -> Program:
        started.append(make(len(started) + 1, *options, **where))
        started[-1].start()
        return started[-1]

    try:
        yield start
    finally:
        for program in started:
            program.close()


class Program:
    """A sandbox program in a process of its own; it ends with the test process, whatever happens to that."""

    def __init__(self, log_file: Path, *arguments: str) -> None:
        self.log_file, self._arguments = Path(log_file), arguments
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.ready: dict[str, Any] = {}
        self._kept: list[socket.socket] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Starts the process; returns its readiness line."""
        if self.process is not None:
            self.stop()
        self._lines = queue.Queue()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "econduit_terminal.sandbox", *self._arguments, "--until-stdin-closes"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        threading.Thread(target=self._read, args=(self.process.stdout, self._lines), daemon=True).start()
        self.ready = self.line(START)
        return self.ready

    def line(self, timeout: float) -> dict[str, Any]:
        """The next JSON line of its stdout."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no line on stdout within {timeout} s; log:\n{self.log()}") from None
        if line is None:
            status = self.process.wait(5) if self.process else None
            raise AssertionError(f"the process ended with status {status}; log:\n{self.log()}")
        return line

    def log(self) -> str:
        """What it wrote to stderr."""
        return self.log_file.read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM, timeout: float = 10.0) -> int:
        """Sends a signal and waits; returns the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still there {timeout} s after signal {number}; log:\n{self.log()}") from None
        finally:
            if self.process.stdin:
                self.process.stdin.close()
        return status

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.stop(signal.SIGKILL)

    def close(self) -> None:
        """Stops it for good and gives its ports away."""
        for sock in self._kept:
            sock.close()
        self.stop()

    @staticmethod
    def _read(stdout: Any, lines: queue.Queue[dict[str, Any] | None]) -> None:
        with stdout:
            for line in stdout:
                lines.put(json.loads(line))
        lines.put(None)


class Cloud(Program):
    """`econduit-sandbox cloud` on free ports; a restart keeps them."""

    def __init__(self, log_file: Path, *options: str, host: str = "127.0.0.1", primary: int = 0, secondary: int = 0,
                 http_port: int = 0) -> None:
        super().__init__(log_file)
        self._host, self._options = host, options
        self._kept = [reserve(host) for port in (primary, secondary, http_port) if not port]
        free = (sock.getsockname()[1] for sock in self._kept)
        self.primary, self.secondary, self.http = (port or next(free) for port in (primary, secondary, http_port))

    def start(self) -> dict[str, Any]:
        """Starts it on `primary`, `secondary` and `http`, its ports."""
        self._arguments = ("cloud", "--host", self._host, "--primary-port", str(self.primary), "--secondary-port",
                           str(self.secondary), "--http-port", str(self.http), "--check-interval", "0", *self._options)
        return super().start()

    @property
    def url(self) -> str:
        """Its HTTP side."""
        return f"http://{self._host}:{self.http}"

    def call(self, method: str, path: str, body: Any = None, timeout: float = 30.0, **query: Any) -> tuple[int, Any]:
        """One HTTP call: (status, JSON answer)."""
        connection = http.client.HTTPConnection(self._host, self.http, timeout=timeout)
        try:
            text = urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
            connection.request(method, path + ("?" + text if text else ""),
                               None if body is None else json.dumps(body).encode(),
                               {} if body is None else {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def answer(self, method: str, path: str, body: Any = None, timeout: float = 30.0, **query: Any) -> Any:
        """The JSON answer of a call that succeeds."""
        status, answer = self.call(method, path, body, timeout, **query)
        assert status == 200, answer
        return answer

    def misbehave(self, control: str, **parameters: Any) -> Answer:
        """POST /sandbox/<control>; names such as `with` go in as `**{"with": True}`."""
        answer: Answer = self.answer("POST", f"/sandbox/{control}", parameters)
        return answer

    def behave(self) -> dict[str, Any]:
        """POST /sandbox/reset: no faults, both ports open."""
        return self.misbehave("reset")

    def terminals(self) -> dict[str, dict[str, Any]]:
        """Who is known: registered, port, connection, registrations, max_at_once, open."""
        known: dict[str, Answer] = self.answer("GET", "/sandbox/terminals")
        return known

    def registered(self, terminal: str | None = None) -> bool:
        """Whether this terminal (None: any) is registered now."""
        return any(known["registered"] for name, known in self.terminals().items() if terminal in (None, name))

    def registered_twice(self, terminal: str) -> bool:
        """Whether this terminal was ever registered twice at once."""
        return bool(self.terminals()[terminal]["max_at_once"] > 1)

    def events(self, since: int = 0, wait: float = 0.0, kind: str | None = None,
               terminal: str | None = None) -> list[dict[str, Any]]:
        """The events after `since`; waits up to `wait` seconds (60 at most) for the first."""
        events: list[Answer] = self.answer("GET", "/sandbox/events", timeout=wait + 30, since=since, wait=wait,
                                           kind=kind, terminal=terminal)
        return events

    def mark(self) -> int:
        """The number of the newest event: what comes later is after this."""
        newest: int = self.answer("GET", "/sandbox")["last_event"]
        return newest

    def wait_event(self, kind: str, since: int = 0, timeout: float = 10.0,
                   where: Callable[[dict[str, Any]], bool] | None = None, **fields: Any) -> dict[str, Any]:
        """The first event of a kind after `since` whose fields are these and for which `where` holds."""
        deadline, seen = time.monotonic() + timeout, since
        while True:
            wait = min(max(0.0, deadline - time.monotonic()), 50.0)
            for event in self.events(seen, wait, kind):
                seen = event["n"]
                if all(event.get(key) == value for key, value in fields.items()) and (where is None or where(event)):
                    return event
            if time.monotonic() >= deadline:
                history = "\n".join(f"  {e['n']} {e['time']:.3f} {e['kind']} " + " ".join(
                    f"{k}={e[k]}" for k in ("terminal", "port", "connection", "ref", "detail", "size") if k in e)
                    for e in self.events(since)[-40:])
                raise AssertionError(f"no {kind} {fields or ''} within {timeout} s; since event {since}:\n{history}")

    def run_transaction(self, terminal: str, amount: str = "2.50", ref: str | None = None, command: str = "sale",
                        wait: float = 30.0, call: str = "runTransaction", **more: Any) -> dict[str, Any]:
        """The public call; `wait` seconds for the terminal's answer."""
        further = ("invoiceNumber", "merchantId", "token", "expDate") if call == "runTransaction2" else ()
        query = {**KEYS, **dict.fromkeys(further, ""), **more}
        _, answer = self.call("GET", f"/services/api.asmx/{call}", timeout=wait + 30, command=command, amount=amount,
                              refID=ref, terminalId=terminal, wait=wait, **query)
        return dict(answer)

    def start_transaction(self, terminal: str, amount: str = "2.50", ref: str | None = None,
                          **more: Any) -> Callable[[], dict[str, Any]]:
        """run_transaction in the background; the returned function waits for its answer."""
        answers: queue.Queue[Any] = queue.Queue()

        def run() -> None:
            try:
                answers.put(self.run_transaction(terminal, amount, ref, **more))
            except (OSError, http.client.HTTPException, ValueError) as error:
                answers.put(error)

        threading.Thread(target=run, daemon=True).start()

        def answer(timeout: float = 60.0) -> dict[str, Any]:
            found = answers.get(timeout=timeout)
            if isinstance(found, Exception):
                raise found
            return dict(found)
        return answer

    def check_status(self, ref: str, command: str | None = "sale", date: str | None = None) -> dict[str, Any]:
        """The public call."""
        keys: dict[str, Any] = KEYS
        _, answer = self.call("GET", "/services/api.asmx/checkStatus", command=command, refID=ref, date=date, **keys)
        return dict(answer)


def body(event: dict[str, Any]) -> bytes:
    """The exact bytes of an event's body."""
    return str(event["body"]).encode("utf-8", "surrogateescape")


class PaymentApp(Program):
    """`econduit-sandbox payment-app`; `address` is what `transactions.application` takes."""

    def __init__(self, folder: Path, *options: str, listen: str | None = None) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.ledger_file, self.hold_file = folder / "ledger", folder / "hold"
        super().__init__(folder / "payment-app.log")
        if listen is None:
            self._kept = [reserve()]
            listen = f"tcp://127.0.0.1:{self._kept[0].getsockname()[1]}"
        self._listen, self._options = listen, options

    def start(self) -> dict[str, Any]:
        """Starts it on `address`."""
        self._arguments = ("payment-app", "--listen", self._listen, "--ledger", str(self.ledger_file),
                           "--hold", str(self.hold_file), "--announce", *self._options)
        return super().start()

    @property
    def address(self) -> str:
        """tcp://host:port or unix:///path."""
        return self._listen

    @property
    def exec_address(self) -> str:
        """The same as an `exec:` application, with the same ledger and hold file."""
        return (f"exec:{sys.executable} -m econduit_terminal.sandbox payment-app --exec "
                f"--ledger {self.ledger_file} --hold {self.hold_file}")

    def runs(self, ref: str | None = None, command: str | None = None) -> list[dict[str, Any]]:
        """The ledger's lines: each request actually run, oldest first."""
        lines = self.ledger_file.read_text().splitlines() if self.ledger_file.exists() else []
        return [run for run in map(json.loads, lines)
                if ref in (None, run["RefID"]) and command in (None, run["Command"])]

    def wait_run(self, ref: str | None = None, event: str = "run", timeout: float = 10.0) -> dict[str, Any]:
        """The next request that is run (`event="done"`: answered), of this RefID if given; others are passed."""
        deadline = time.monotonic() + timeout
        while True:
            line = self.line(max(0.0, deadline - time.monotonic()))
            if line["event"] == event and ref in (None, line["RefID"]):
                return line

    @contextmanager
    def held(self) -> Iterator[None]:
        """While inside, requests of amount 8.88 run but are not answered."""
        fd = os.open(self.hold_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
