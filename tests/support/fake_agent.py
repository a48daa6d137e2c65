"""An agent as the watchdog sees it: the local API, and what a test makes of it. In a test, or as a program:

    fake_agent.py SOCKET [hang]       hang: accept connections and answer nothing, from the start

As a program it writes its stacks on SIGUSR1, as the agent does, and hangs on SIGUSR2 (in the midst of the main thread).
"""
import contextlib
import faulthandler
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from history import History
from waiting import PATIENCE

Report = dict[str, Any]
KEEPALIVE = 5.0
OFFLINE: dict[str, Any] = {"online": False, "reason": "starting", "local_address": None, "interface": None,
                           "endpoint": None}


class FakeAgent:
    """Serves `path` from construction to `close`. `reports`: (monotonic time, report) in order of arrival.

    one_at_a_time: no thread begins for a connection, which is served before the next one.
    """

    def __init__(self, path: str | Path, pid: int | None = None, one_at_a_time: bool = False):
        self.path = str(path)
        self._one_at_a_time = one_at_a_time
        self.pid = os.getpid() if pid is None else pid
        self._reports: History[Report] = History()
        self.reports = self._reports.entries
        self.asked: list[str] = []
        self.answers_health = True
        self._status = dict(OFFLINE)
        self._changed = threading.Condition()
        self._version = 0
        self._open: set[socket.socket] = set()
        self._closed = False
        self._listener = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._listener.bind(self.path)
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def online(self, local_address: str, interface: str | None = None) -> None:
        self.say(online=True, reason=None, local_address=local_address, interface=interface)

    def offline(self, reason: str) -> None:
        self.say(online=False, reason=reason, local_address=None, interface=None)

    def dialed(self, *endpoints: tuple[str, str, list[str]], phase: str = "waiting", reason: str = "no answer") -> None:
        """Offline after a dial: (`host:port`, outcome, addresses) of each endpoint, as the status has them."""
        self.say(online=False, reason=reason, local_address=None, interface=None, phase=phase, endpoints=[
            {"endpoint": endpoint, "outcome": outcome, "addresses": addresses}
            for endpoint, outcome, addresses in endpoints])

    def say(self, **status: object) -> None:
        with self._changed:
            self._status.update(status)
            self._version += 1
            self._changed.notify_all()

    def report(self, wanted: Callable[[Report], object] = lambda report: True, timeout: float = PATIENCE,
               after: float = 0.0) -> tuple[float, Report]:
        """The first report that came after the moment `after` and is wanted. Raises AssertionError."""
        if entry := self._reports.first(wanted, timeout, after):
            return entry
        told = "\n".join(str(report) for _, report in self.reports[-5:])
        raise AssertionError(f"no such report within {timeout} s; the last ones:\n{told}")

    def verdict(self, reason: str, timeout: float = PATIENCE, after: float = 0.0) -> tuple[float, Report]:
        return self.report(lambda report: report["verdict"] == reason, timeout, after)

    def close(self) -> None:
        """As if the process had ended: nobody listens, every connection is cut."""
        self._closed = True
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._changed:
            self._changed.notify_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                accepted, _ = self._listener.accept()
                self._open.add(accepted)
                if self._one_at_a_time:
                    self._serve(accepted)
                else:
                    threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), accepted, accepted.makefile("rwb") as stream:
            _, path, _ = stream.readline().decode().split()
            headers = dict(line.lower().split(": ") for line in iter(lambda: stream.readline().decode().strip(), ""))
            body = stream.read(int(headers.get("content-length", 0)))
            self.asked.append(path)
            if path == "/events":
                self._events(stream)
                return
            if path == "/health" and not self.answers_health:
                stream.read()
                return
            if path == "/network":
                self._reports.add(json.loads(body))
            answer = json.dumps(self._told() if path == "/status" else {"ok": True}).encode()
            stream.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        self._open.discard(accepted)

    def _events(self, stream: Any) -> None:
        stream.write(b"HTTP/1.0 200 OK\r\n\r\n")
        seen = -1

        def news() -> bool:
            return self._version != seen or self._closed

        while not self._closed:
            with self._changed:
                changed = self._changed.wait_for(news, KEEPALIVE)
                seen, status = self._version, self._told()
            stream.write(b"data: " + json.dumps(status).encode() + b"\n\n" if changed else b": keepalive\n\n")
            stream.flush()

    def _told(self) -> dict[str, Any]:
        return {**self._status, "pid": self.pid}


def main(path: str, *modes: str) -> None:
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    hanging = threading.Event()

    def hang(number: int, frame: object) -> None:
        hanging.set()

    signal.signal(signal.SIGUSR2, hang)
    # faulthandler walks the threads without a lock: one that begins or ends meanwhile crashes the process.
    agent = FakeAgent(path, one_at_a_time=True)
    agent.answers_health = "hang" not in modes
    print("ready", flush=True)
    hanging.wait()
    agent.answers_health = False
    a_call_that_never_returns()


def a_call_that_never_returns() -> None:
    print("hanging", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
