"""What the scenes of a cloud work with: connections to it, and its URL."""
import asyncio
import contextlib
import itertools
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from econduit_terminal.sandbox.certify.cloud_link import CONNECT, Incoming, Line, Terminal, Wire
from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.judge import shown
from econduit_terminal.sandbox.certify.outcome import WORSE
from econduit_terminal.sandbox.certify.person import Cannot
from econduit_terminal.sandbox.certify.table.answers import END
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Profile, Verdict
from econduit_terminal.sandbox.certify.wire_log import WireLog

ANSWER = 5.0
"""Seconds that the cloud may take for an answer or an acknowledgement."""
CALL = 60.0
"""Seconds that the URL may take to answer."""
_SECRETS = re.compile(r"(?i)(?<=[?&])(key|password)=[^&#]*")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Called:
    """What the URL answered: HTTP status and body; 0 and the reason when it did not answer."""

    status: int
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """Its JSON object, names in lower case."""
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(self.body)
            if isinstance(found, dict):
                return {str(name).lower(): value for name, value in found.items()}
        return {}

    @property
    def approved(self) -> bool:
        """Whether the caller was told that it is."""
        return str(self.fields.get("resultcode", "")).lower() == "approved"


class CloudExam(Line):
    """One run with one cloud."""

    def __init__(self, endpoints: list[tuple[str, int]], terminal: Terminal, url: str, invalid_type: str,
                 profile: Profile) -> None:
        self.endpoints, self.terminal, self.invalid_type, self.profile = endpoints, terminal, invalid_type, profile
        self.findings: dict[Case, Finding] = {}
        self.log = WireLog()
        self.answers: list[Incoming] = []
        """Every answer to a registration in this run."""
        self.acks: list[Incoming] = []
        self.ack_times: list[float] = []
        self.hours = 1.0
        self.url = url
        self._started = time.monotonic()
        self._waiters: set[asyncio.Future[None]] = set()
        self._wires: list[Wire] = []
        self._numbers = itertools.count(1)
        self._refs = itertools.count(int(time.time()) % 100_000 * 1000)

    @property
    def now(self) -> float:  # type: ignore[override]
        """Seconds since the run began."""
        return time.monotonic() - self._started

    def report(self, case: Case, verdict: Verdict, seen: str) -> None:
        """What a case came to; the worse of two findings counts."""
        before = self.findings.get(case)
        if before is None or WORSE.index(before.verdict) < WORSE.index(verdict):
            self.findings[case] = Finding(verdict, seen)

    def holds(self, case: Case, holds: bool, seen: str, otherwise: str = "") -> None:
        """PASS or FAIL."""
        self.report(case, Verdict.PASS if holds else Verdict.FAIL, seen if holds or not otherwise else otherwise)

    async def settle(self) -> None:
        """Closes what is open."""
        for wire in self._wires:
            if wire.open:
                wire.close()
        self._wires.clear()
        await asyncio.sleep(0.05)

    async def revive(self) -> bool:
        """Whether the cloud can be reached again."""
        try:
            (await self.connect()).close()
        except DeviceGone:
            return False
        return True

    def changed(self) -> None:
        """Wakes whoever waits."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, look: Callable[[], T | None], within: float) -> T | None:
        """The first true value of `look()`, or None when none came in time."""
        deadline = time.monotonic() + within
        while not (value := look()):
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait({waiter}, timeout=left)
            finally:
                self._waiters.discard(waiter)
        return value

    # Connections

    async def connect(self, secondary: bool = False) -> Wire:
        """A new connection. Raises DeviceGone."""
        host, port = self.endpoints[1 if secondary else 0]
        wire = Wire(self, f"{'secondary' if secondary else 'primary'} {next(self._numbers)}")
        deadline = time.monotonic() + CONNECT
        while True:
            try:
                async with asyncio.timeout(CONNECT):
                    await asyncio.get_running_loop().create_connection(lambda: wire, host, port)
            except OSError as error:
                # A cloud that was just restarted may need a moment.
                if time.monotonic() > deadline:
                    raise DeviceGone(f"{host}:{port}: {error}") from None
                await asyncio.sleep(0.2)
            else:
                self._wires.append(wire)
                return wire

    async def answer(self, wire: Wire, since: float, within: float = ANSWER) -> Incoming | None:
        """The first message that came after a moment, and is remembered as the answer to a registration."""
        found = await self.until(lambda: next(iter(wire.since(since)), None)
                                 or (True if wire.closed is not None else None), within)
        if not isinstance(found, Incoming):
            return None
        await asyncio.sleep(0.05)
        self.answers.append(found)
        return found

    async def registered(self, terminal: Terminal | None = None, secondary: bool = False) -> Wire:
        """A connection that was told OK-REGISTRATION. Raises Refused."""
        wire = await self.connect(secondary)
        since = self.now
        wire.send((terminal or self.terminal).register() + END)
        answer = await self.answer(wire, since)
        if answer is None or answer.answer != b"OK-REGISTRATION":
            raise Refused(f"a right registration was answered with {shown(answer.body, 80)}" if answer else
                          "a right registration was not answered")
        return wire

    async def ack(self, wire: Wire, since: float, count: int = 1, within: float = ANSWER) -> list[Incoming]:
        """The acknowledgements that came after a moment, once there are `count` or the time is over."""
        def look() -> list[Incoming] | None:
            found = [message for message in wire.since(since) if message.ack]
            return found if len(found) >= count or wire.closed is not None else None

        await self.until(look, within)
        found = [message for message in wire.since(since) if message.ack]
        await asyncio.sleep(0.05)
        self.acks += found
        return found

    # The URL

    def new_ref(self) -> str:
        """A RefID that was not used before."""
        return f"9{next(self._refs) % 10 ** 9:09d}"

    def call_url(self, ref: str, method: str = "runTransaction", terminal: str = "") -> str:
        """The address of a sale (for `terminal`, else the one that is examined with); what --url says of other
        parameters stays."""
        parts = urlsplit(self.url)
        path = parts.path
        if "api.asmx" not in path.lower():
            path = path.rstrip("/") + "/services/api.asmx/runTransaction"
        path = path[:path.lower().rindex("/")] + "/" + method if method != "runTransaction" else path
        given = {"command": "sale", "key": "key", "password": "password", "amount": "2.50",
                 **dict(parse_qsl(parts.query))}
        given = {name: value for name, value in given.items() if name.lower() not in ("refid", "terminalid")}
        return urlunsplit((parts.scheme, parts.netloc, path,
                           urlencode({**given, "refID": ref, "terminalId": terminal or self.terminal.id}), ""))

    def call(self, url: str) -> "asyncio.Task[Called]":
        """Calls an address, beside what goes on."""
        self.log.add(self.now, "note", "url", without_secrets(url).encode())
        return asyncio.get_running_loop().create_task(asyncio.to_thread(_fetch, url))

    async def called(self, task: "asyncio.Task[Called]", within: float = CALL) -> Called | None:
        """What it answered, or None within the time."""
        done, _ = await asyncio.wait({task}, timeout=within)
        if not done:
            return None
        result = task.result()
        self.log.add(self.now, "note", "url", f"{result.status} ".encode() + result.body)
        return result

    async def request(self, wire: Wire, since: float, within: float = 10.0) -> Incoming | None:
        """The transaction that came after a moment."""
        found = await self.until(lambda: next(iter(wire.requests(since)), None), within)
        return found if isinstance(found, Incoming) else None


class Refused(Cannot):
    """The cloud did not register the examiner; the text says how."""


def without_secrets(url: str) -> str:
    """The same address for a report: a merchant's key and password are not for everybody who reads it."""
    return _SECRETS.sub(r"\1=***", url)


def _fetch(url: str) -> Called:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=CALL) as answer:
            return Called(answer.status, answer.read(8 << 20))
    except urllib.error.HTTPError as error:
        return Called(error.code, error.read(1 << 20))
    except (OSError, ValueError) as error:
        return Called(0, str(error).encode())
