"""Plain terminals and points of sale, none of the product's code: what the sandbox cloud's capacity is measured with.

    python scripts/bench/plain_fleet.py PORT HTTP_PORT

One process with one epoll loop. It does what it is told on its stdin, a line each, and answers with a line of JSON:

    register N          N more terminals register, all at once
    back                (the cloud has dropped them) every terminal dials again the moment it sees the end
    sales RATE SECONDS  so many sales a second by the public call, each on a terminal that is free

A terminal sends a heartbeat a minute, the first one within 30 to 60 s, and its payment application takes half a second.
"""
import heapq
import json
import random
import select
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

TIMEOUT = 10.0
"""Seconds after which the product gives up on a registration."""
LATENCY = 0.5
PATIENCE = 120.0
AT_ONCE = 256
"""Sockets that are opened between two looks at the others."""
LOOKS = 20
"""Terminals that a point of sale looks at for one that is free."""
SOURCES = 4
"""Addresses of 127.0.0.0/8 that terminals dial from in turn: each has some 28,000 ports."""
END = b"\x04\x04"


class Terminal:
    """`began`: when it dialed, monotonic seconds; `took`: until OK-REGISTRATION."""

    def __init__(self, fleet: "Fleet", number: int):
        self.id = f"P{number:06d}"
        self.registered = self.busy = self.selling = False
        self.began = self.took = 0.0
        self._fleet = fleet
        self._source = f"127.0.0.{2 + number % SOURCES}"
        self._sock: Any

    def dial(self) -> None:
        """Open a new connection."""
        self.began, self.registered = time.monotonic(), False
        self._sock = socket.socket()
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_IP, 24, 1)     # IP_BIND_ADDRESS_NO_PORT
        self._sock.bind((self._source, 0))
        self._sock.connect_ex(("127.0.0.1", self._fleet.port))
        self._fleet.watch(self._sock, select.EPOLLOUT, self)

    def ready(self, event: int) -> None:
        """An epoll event of its socket."""
        if event & select.EPOLLOUT:
            if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._end()
                return
            self.send(b'{"Command":"Register","TerminalType":"Plain","TerminalModel":"M","TerminalID":"%s",'
                      b'"SoftwareVersion":"1","AckHeartbeat":"true"}' % self.id.encode())
            self._fleet.watch(self._sock, select.EPOLLIN, self)
            return
        try:
            data = self._sock.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            self._end()
        elif not self.registered:
            if data != b"OK-REGISTRATION":
                raise SystemExit(f"plain_fleet: {data!r} is not a registration")
            self.registered, self.took = True, time.monotonic() - self.began
            self._fleet.registered(self)
        elif data.startswith(b'{"Command"'):
            self.busy = True
            ref = json.JSONDecoder().raw_decode(data.decode())[0]["RefID"]      # an ack may be behind it
            answer = json.dumps({"ResultCode": "Approved", "RefID": ref, "TransType": "Sale"}).encode()
            self._fleet.later(LATENCY, lambda: self._answer(answer))

    def beat(self) -> None:
        """A heartbeat, and the next one a minute later."""
        if self.registered and not self.busy:
            self.send(b'{"Command":"TerminalHeartbeat"}')
        self._fleet.later(60.0, self.beat)

    def send(self, message: bytes) -> None:
        """A message; short ones fit into any socket's buffer."""
        self._sock.send(message + END)

    def _end(self) -> None:
        self._fleet.forget(self._sock)
        self._fleet.ended(self)

    def _answer(self, answer: bytes) -> None:
        self.busy = False
        if self.registered:
            self.send(answer)


class PointOfSale:
    """One HTTP connection, kept open, with one sale at a time."""

    def __init__(self, fleet: "Fleet", port: int):
        self._fleet = fleet
        self._port = port
        self._began = 0.0
        self._data = b""
        self._terminal: Terminal
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setblocking(False)
        fleet.watch(self._sock, select.EPOLLIN, self)

    def sell(self, terminal: Terminal) -> None:
        """Asks for a sale."""
        self._began, self._data, self._terminal = time.monotonic(), b"", terminal
        terminal.selling = True
        self._sock.send(f"GET /services/api.asmx/runTransaction?command=sale&key=sandbox&password=sandbox&amount=2.50"
                        f"&refID={uuid.uuid4()}&terminalId={terminal.id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def ready(self, event: int) -> None:
        """The answer, or a part of it, whatever epoll calls it."""
        data = self._sock.recv(65536)
        if not data:
            raise SystemExit("plain_fleet: the cloud ended a point of sale's connection")
        self._data += data
        head, _, body = self._data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                   if line.startswith(b"content-length")]
        if lengths and len(body) >= lengths[0]:
            approved = json.loads(body).get("ResultCode") == "Approved"
            self._terminal.selling = False
            self._fleet.sold(self, time.monotonic() - self._began, approved)


class Fleet:
    """All of them, and the loop."""

    def __init__(self, port: int, http: int):
        self.port = port
        self.failed = 0
        self._http = http
        self._poll = select.epoll()
        self._watched: dict[int, Any] = {}
        self._terminals: list[Terminal] = []
        self._online = 0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._to_dial: list[Terminal] = []
        self._first_end: float | None = None
        self._points_of_sale: list[PointOfSale] = []
        self._sales: list[float] = []
        self._refused = 0

    # what terminals and points of sale ask of it

    def watch(self, sock: Any, events: int, who: Any) -> None:
        """Tells `who` of these events."""
        known = sock.fileno() in self._watched
        self._watched[sock.fileno()] = who
        (self._poll.modify if known else self._poll.register)(sock.fileno(), events)

    def forget(self, sock: Any) -> None:
        """Closes a socket."""
        self._watched.pop(sock.fileno(), None)
        sock.close()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` after so many seconds."""
        self._count += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, do))

    def registered(self, terminal: Terminal) -> None:
        """OK-REGISTRATION came."""
        self._online += 1

    def ended(self, terminal: Terminal) -> None:
        """The cloud ended its connection."""
        if terminal.registered:
            self._online -= 1
        else:
            self.failed += 1
        if self._first_end is None:
            self._first_end = time.monotonic()
        terminal.registered = False
        self._to_dial.append(terminal)

    def sold(self, point_of_sale: PointOfSale, seconds: float, approved: bool) -> None:
        """A sale is over."""
        self._sales.append(seconds)
        self._refused += not approved
        self._points_of_sale.append(point_of_sale)

    # what is asked of it

    def register(self, count: int) -> dict[str, Any]:
        """So many more, all at once."""
        new = [Terminal(self, len(self._terminals) + number) for number in range(count)]
        self._terminals += new
        began = time.monotonic()
        self._to_dial += new
        self._until_all_are_here()
        for terminal in new:
            self.later(random.uniform(30.0, 60.0), terminal.beat)
        return self._result(began, new)

    def back(self) -> dict[str, Any]:
        """After the cloud has dropped all of them."""
        self._run_until(lambda: self._first_end is not None)
        self._until_all_are_here()
        began = self._first_end or 0.0
        self._first_end = None
        return self._result(began, self._terminals)

    def sales(self, rate: float, seconds: float) -> dict[str, Any]:
        """By the public call; a Poisson process, as merchants are."""
        self._sales, self._refused = [], 0
        self._points_of_sale = [PointOfSale(self, self._http) for _ in range(round(rate * (LATENCY + 0.5)))]
        points_of_sale = len(self._points_of_sale)
        over, skipped = time.monotonic() + seconds, 0
        due = time.monotonic()
        while time.monotonic() < over:
            while due <= time.monotonic():
                due += random.expovariate(rate)
                free = (one for one in random.choices(self._terminals, k=LOOKS) if not (one.busy or one.selling))
                terminal = next(free, None)
                if terminal is not None and self._points_of_sale:
                    self._points_of_sale.pop().sell(terminal)
                else:
                    skipped += 1
            self._turn(min(due, over))
        self._run_until(lambda: len(self._points_of_sale) == points_of_sale)
        ordered = sorted(self._sales)
        return {"sales": len(ordered), "refused": self._refused, "skipped": skipped,
                "median": ordered[len(ordered) // 2], "p99": ordered[int(0.99 * len(ordered))], "worst": ordered[-1]}

    # the loop

    def _until_all_are_here(self) -> None:
        self._run_until(lambda: self._online == len(self._terminals))

    def _run_until(self, done: Callable[[], bool]) -> None:
        over = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > over:
                raise SystemExit(f"plain_fleet: not done after {PATIENCE:g} s; {self._online} of "
                                 f"{len(self._terminals)} terminals are registered")
            self._turn(time.monotonic() + 1.0)

    def _turn(self, until: float) -> None:
        for terminal in self._some_to_dial():
            terminal.dial()
        if self._timers:
            until = min(until, self._timers[0][0])
        wait = 0.0 if self._to_dial else max(0.0, until - time.monotonic())
        for number, event in self._poll.poll(wait, 4096):
            who = self._watched.get(number)
            if who is not None:
                who.ready(event)
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    def _some_to_dial(self) -> Iterator[Terminal]:
        now, self._to_dial = self._to_dial[:AT_ONCE], self._to_dial[AT_ONCE:]
        yield from now

    def _result(self, began: float, whose: list[Terminal]) -> dict[str, Any]:
        took = sorted(terminal.took for terminal in whose)
        seconds = max(terminal.began + terminal.took for terminal in whose) - began
        failed, self.failed = self.failed, 0
        return {"terminals": len(whose), "seconds": seconds, "rate": len(whose) / seconds, "slowest": took[-1],
                "late": sum(each > TIMEOUT for each in took), "failed": failed}


def main() -> None:
    """Until stdin is closed."""
    fleet = Fleet(int(sys.argv[1]), int(sys.argv[2]))
    for line in sys.stdin:
        match line.split():
            case ["register", count]:
                result = fleet.register(int(count))
            case ["back"]:
                result = fleet.back()
            case ["sales", rate, seconds]:
                result = fleet.sales(float(rate), float(seconds))
            case _:
                raise SystemExit(f"plain_fleet: what is {line!r}?")
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
