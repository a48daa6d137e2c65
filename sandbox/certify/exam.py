"""What every scene works with: the bench, the device's declaration, the display, the hands, and the findings.

As a rule every registration is accepted at once and every heartbeat acknowledged; a scene that wants otherwise says so
for its own time (`policy`), and `settle` brings the usual back. The device may come back at any time and any port:
scenes ask for `online()` and get the connection that is registered now.
"""
import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from econduit_terminal.sandbox.certify import requests
from econduit_terminal.sandbox.certify.bench import Bench
from econduit_terminal.sandbox.certify.device import Ack, Device
from econduit_terminal.sandbox.certify.display import Display, counter
from econduit_terminal.sandbox.certify.inbox import Message, What
from econduit_terminal.sandbox.certify.judge import shown
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.outcome import WORSE
from econduit_terminal.sandbox.certify.person import Cannot, Hands
from econduit_terminal.sandbox.certify.requests import Answer, Request
from econduit_terminal.sandbox.certify.table.answers import END, Shape
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Profile, Verdict
from econduit_terminal.sandbox.certify.table.terminal import FIRST, ONE_CONNECTION
from econduit_terminal.sandbox.certify.wire_log import WireLog

SETTLE = 0.3
"""Seconds after which what a device does at once has happened."""
EXTRA = 2.0
"""Seconds on top of what the application may take."""
HELD = 2.0
"""Seconds for which a device may hold an old connection beside a newer one that is registered."""


class DeviceGone(Exception):
    """The device does not come any more."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A transaction and what came of it. `runs`: how often the application ran for it, None where nothing tells."""

    request: Request
    link: Link
    sent: float
    answer: Answer | None
    message: Message | None
    runs: int | None


class Exam:
    """One run with one device."""

    def __init__(self, device: Device, bench: Bench, display: Display, hands: Hands, profile: Profile,
                 run_id: str) -> None:
        self.device, self.bench, self.display, self.hands, self.profile = device, bench, display, hands, profile
        self.findings: dict[Case, Finding] = {}
        self.on_finding: Callable[[Case, Finding], None] = lambda case, finding: None
        self.ok_shape = Shape.TERMINATED
        self.ack_shape: Shape | None = None if device.ack is Ack.FALSE else Shape.TERMINATED
        self.policy: Callable[[Link], bool] = _accept_all
        self.returns: list[tuple[str, float]] = []
        self.display_times: list[tuple[str, float]] = []
        self.parked: list[tuple[Link, Case]] = []
        """Refused connections that the device still holds; no heartbeat may come over them, ever."""
        self.refused: set[Link] = set()
        self.sales: dict[str, Request] = {}
        self.hours = 1.0
        self._runs: int | None = None
        self._counted = self._window = 0.0
        self._run_id = run_id
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[bool]] = set()
        bench.on_message.append(self._arrived)

    # Findings

    def report(self, case: Case, verdict: Verdict, seen: str) -> None:
        """What a case came to; the worse of two findings counts."""
        before = self.findings.get(case)
        if before is not None and WORSE.index(before.verdict) >= WORSE.index(verdict):
            return
        self.findings[case] = Finding(verdict, seen)
        self.on_finding(case, self.findings[case])

    def failed(self, case: Case) -> bool:
        """Whether it has failed already."""
        return case in self.findings and self.findings[case].verdict is Verdict.FAIL

    # What the runner asks

    @property
    def log(self) -> WireLog:
        """The bytes and notes of the run so far."""
        return self.bench.log

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.bench.now

    async def revive(self) -> bool:
        """The device has gone: starts it again, by hook or by the person; whether it is there again."""
        if self.current() is not None:
            return True
        try:
            await self.hands.do("restart", "The device does not come any more: start it again, please")
        except Cannot:
            return False
        return await self.bench.until(self.current, self.device.retry + 30.0) is not None

    # The device's connections

    async def online(self, within: float | None = None, after: float = -1.0) -> Link:
        """The connection that is registered, once there is one that was opened after a moment. Raises DeviceGone."""
        link = await self.bench.until(lambda: self.current(after), self.device.retry if within is None else within)
        if link is None:
            raise DeviceGone
        return link

    def current(self, after: float = -1.0) -> Link | None:
        """The newest open connection that has been told OK-REGISTRATION."""
        links = [link for link in self.bench.open_links() if link.answered is not None and link.opened >= after]
        return links[-1] if links else None

    async def back(self, since: float, within: float, what: str = "", port: str | None = None) -> tuple[Link,
                                                                                                        float] | None:
        """The first registration that came after a moment, and how long after; None when none came in time."""
        def look() -> Link | None:
            return next((link for link in self.bench.links if link.register is not None and link.register.ended >= since
                         and link.register.what is What.REGISTER and link.opened >= since - 0.001
                         and (port is None or link.port == port)), None)

        link = await self.bench.until(look, within)
        if link is None or link.register is None:
            return None
        if what:
            self.returns.append((what, link.register.ended - since))
        return link, link.register.ended - since

    async def caller(self, within: float, since: float = -1.0) -> Link | None:
        """The next connection that has sent its registration and has not been answered (with a policy that refuses)."""
        return await self.bench.until(lambda: next(
            (link for link in self.bench.open_links() if link.register is not None and link.answered is None
             and link not in self.refused and link.opened >= since), None), within)

    async def settle(self) -> None:
        """The usual state again: every port listens, registrations are accepted, what was refused is closed."""
        self._two_held()
        self.policy = _accept_all
        await self.bench.open()
        parked = {link for link, _ in self.parked}
        for link in self.bench.open_links():
            link.resume_reading()
            link.ack = self.ack_shape
            if (link in self.refused and link not in parked) or link.half_closed:
                link.fin()
            elif link.register is not None and link.answered is None and link not in self.refused:
                await link.accept(self.ok_shape)

    # Transactions

    def request(self, *, echo: str = "", answer_bytes: int = 0, delay: float = 0.0) -> Request:
        """A new sale in the device's format."""
        return self._known(requests.build(self.device.format, self.new_ref(), self.device.terminal_id, echo=echo,
                                          answer_bytes=answer_bytes, delay=delay, template=self.device.request))

    def new_ref(self) -> str:
        """A RefID that was never used."""
        return f"{self._run_id}{next(self._numbers):04d}"

    def _known(self, request: Request) -> Request:
        self.sales.pop(request.ref, None)
        self.sales[request.ref] = request
        return request

    async def sale(self, link: Link, request: Request | None = None, *, pieces: Sequence[bytes] | None = None,
                   pause: float = 0.01, within: float | None = None, at_once: bool = False) -> Sale:
        """Sends a transaction (`pieces`: as these segments, else in one, with EOT EOT), waits for its answer.
        `at_once`: however short ago something else was sent."""
        request = self._known(request or self.request())
        before, sent = await self.runs(), self.bench.now
        self._window = self._counted
        if at_once:
            link.send(request.body + END)
        else:
            await link.send_pieces(pieces or [request.body + END], pause)
        return await self.answered(link, request, sent, before, within)

    async def answered(self, link: Link, request: Request, sent: float, before: int | None,
                       within: float | None = None, anywhere: bool = False) -> Sale:
        """The answer to a request that was sent; `anywhere`: over whichever connection."""
        limit = self.device.transaction + EXTRA + request.delay if within is None else within

        def look() -> tuple[Link, Message] | bool:
            for one in self.bench.links if anywhere else [link]:
                for message in one.of(What.RESPONSE):
                    if message.ended >= sent and self.belongs(message, request):
                        return one, message
            return not anywhere and link.closed is not None

        found: tuple[Link, Message] | bool | None = await self.bench.until(look, limit)
        if found is None or isinstance(found, bool):
            # Whether it was run nobody knows: the count begins again with the next answer.
            self._runs = None
            return Sale(request, link, sent, None, None, None)
        answer = requests.read(self.device.format, found[1].body, request)
        if self.device.echo and answer.runs is None:
            self._runs = None
        after = answer.runs if self.device.echo else await self.runs()
        runs = after - before if after is not None and before is not None else None
        if runs is not None and runs > 1 and any(ack >= self._window for one in self.bench.links for ack in one.acks):
            # An acknowledgement went out since the last count: what the device did with it is another case's.
            runs = None
        return Sale(request, found[0], sent, answer, found[1], runs)

    def belongs(self, message: Message, request: Request) -> bool:
        """Whether a response is this request's: by its RefID where answers tell it."""
        if not self.device.echo:
            return True
        answer = requests.read(self.device.format, message.body, request)
        if answer.ref is None and answer.request_bytes is not None:
            # It was handed something that it could not read: what was sent last, if that is about its size.
            return next(reversed(self.sales),
            None) == request.ref and abs(answer.request_bytes - len(request.body)) <= 4
        return answer.ref == request.ref

    def ref_of(self, message: Message) -> str | None:
        """The reference that a response tells; "" when it was handed something without one."""
        answer = requests.read(self.device.format, message.body)
        return answer.ref or ("" if answer.request_bytes is not None else None)

    async def runs(self) -> int | None:
        """How many transactions the application has run, as far as something tells."""
        if self.device.echo:
            return self._runs
        if self.device.counter:
            return await counter(self.device.counter)
        return await self.display.runs()

    async def probe(self) -> int | None:
        """A plain transaction: how many runs there were beyond it since the last answer, None where nothing tells."""
        sale = await self.sale(await self.online())
        return sale.runs - 1 if sale.runs is not None else None

    @contextlib.contextmanager
    def accepting(self, policy: Callable[[Link], bool]) -> Iterator[None]:
        """For a while, only the connections that `policy` names are told OK-REGISTRATION."""
        before, self.policy = self.policy, policy
        try:
            yield
        finally:
            self.policy = before

    def _arrived(self, link: Link, message: Message) -> None:
        self._two_at_once(link, message)
        if message is link.messages[0] and message.what is not What.REGISTER:
            self.report(FIRST, Verdict.FAIL, f"{link.name} began with {shown(message.body, 80)}")
        if message is link.register:
            link.ack = self.ack_shape
            if self.policy(link) and link.answered is None:
                task = asyncio.get_running_loop().create_task(link.accept(self.ok_shape))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        elif message.what is What.RESPONSE and self.device.echo:
            runs = requests.read(self.device.format, message.body).runs
            if runs is not None:
                self._runs, self._counted = max(self._runs or 0, runs), self.bench.now


    def _two_held(self) -> None:
        """Both of two registered connections are still held, long after the newer was registered."""
        held = [link for link in self.bench.open_links() if link.answered is not None and link.open
                and link not in self.refused]
        if len(held) > 1 and self.bench.now > (held[-1].answered or 0.0) + HELD:
            self.report(ONE_CONNECTION, Verdict.FAIL, f"{held[-2].name} is still held {HELD:g} s after {held[-1].name} "
                        "was registered")

    def _two_at_once(self, link: Link, message: Message) -> None:
        newer = next((one for one in self.bench.open_links() if one.number > link.number and one.answered is not None),
                     None)
        if newer is not None and newer.answered is not None and link.answered is not None and not link.paused \
                and message.began > newer.answered + 1.0:
            self.report(ONE_CONNECTION, Verdict.FAIL, f"{shown(message.body, 60)} came over {link.name} "
                        f"{message.began - newer.answered:.1f} s after {newer.name} was registered")


def _accept_all(link: Link) -> bool:
    return True


Play = Callable[[Exam], Coroutine[Any, Any, None]]
