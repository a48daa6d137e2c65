"""What the device's display shows: read from its URL, or told by the person."""
import asyncio
import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from econduit_terminal.sandbox.certify.person import Cannot, Hands, run

POLL = 0.1
TIMEOUT = 2.0
"""Seconds between two looks at the URL, and that one look may take."""
MAX_READINGS = 10_000
ONLINE, OFFLINE = "POS Online", "POS Offline"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the display; `t` is when, in seconds since the run began. `text` is what it says."""

    t: float
    text: str
    red: bool | None = None
    runs: int | None = None


class Display(Protocol):
    """How scenes read it."""

    async def wait_for(self, text: str, within: float, since: float = 0.0) -> Reading | None:
        """The first reading that shows this text, by a look after `since`; None when there was none in time. Raises
        Cannot."""

    def turned(self, text: str, since: float) -> Reading | None:
        """The first reading after a moment that turned to this text from another one."""

    async def red(self) -> bool:
        """Whether what it says now is red. Raises Cannot."""

    async def runs(self) -> int | None:
        """How often the application has run, by a look after this moment; None where nothing tells."""

    @property
    def latest(self) -> Reading | None:
        """The last reading, where it is read all the time."""


class UrlDisplay:
    """Reads a URL all the time. `failure` says why it cannot, as long as it cannot."""

    def __init__(self, url: str, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._url, self._now, self._changed = url, now, changed
        self.readings: list[Reading] = []
        self._looked = 0.0
        self.failure = "nothing read yet"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    async def watch(self) -> None:
        """Reads until it is cancelled."""
        while True:
            began = self._now()
            try:
                content = await asyncio.wait_for(asyncio.to_thread(self._fetch), TIMEOUT + 1)
                reading = understand(content, began)
            except (OSError, ValueError, TimeoutError) as error:
                self.failure = f"{self._url} cannot be read: {error}"
            else:
                self.failure, self._looked = "", began
                last = self.latest
                if last is None or (last.text, last.red, last.runs) != (reading.text, reading.red, reading.runs):
                    if len(self.readings) < MAX_READINGS:
                        self.readings.append(reading)
                    self._changed()
            await asyncio.sleep(POLL)

    async def wait_for(self, text: str, within: float, since: float = 0.0) -> Reading | None:
        """See Display."""
        deadline = self._now() + within
        while True:
            latest = self.latest
            if latest is not None and not self.failure and latest.text == text and self._looked >= since:
                return latest
            if self._now() >= deadline:
                if self.failure:
                    raise Cannot(self.failure)
                return None
            await asyncio.sleep(POLL / 2)

    def turned(self, text: str, since: float) -> Reading | None:
        """See Display."""
        pairs = zip(self.readings, self.readings[1:], strict=False)
        return next((after for before, after in pairs if after.t >= since and after.text == text != before.text), None)

    async def red(self) -> bool:
        """See Display."""
        if self.latest is None or self.latest.red is None:
            raise Cannot("the display's JSON has no color")
        return self.latest.red

    async def runs(self) -> int | None:
        """See Display."""
        asked = self._now()
        while self._looked < asked and self.latest is not None and self.latest.runs is not None:
            if self._now() >= asked + TIMEOUT:
                return None
            await asyncio.sleep(POLL / 2)
        return self.latest.runs if self.latest is not None else None

    @property
    def latest(self) -> Reading | None:
        """See Display."""
        return self.readings[-1] if self.readings else None

    def _fetch(self) -> Any:
        with self._opener.open(self._url, timeout=TIMEOUT) as answer:
            return json.loads(answer.read(1 << 20))


class AskedDisplay:
    """Asks the person."""

    def __init__(self, hands: Hands, now: Callable[[], float]) -> None:
        self._hands, self._now = hands, now

    async def wait_for(self, text: str, within: float, since: float = 0.0) -> Reading | None:
        """See Display: one question, whose answer is the reading."""
        return Reading(self._now(), text) if await self._hands.says(f"Does the display say “{text}”, in exactly these "
                                                                    f"words?") \
            else None

    def turned(self, text: str, since: float) -> Reading | None:
        """See Display: nobody watches all the time."""
        return None

    async def red(self) -> bool:
        """See Display."""
        return await self._hands.says("Is it red?")

    async def runs(self) -> int | None:
        """See Display."""
        return None

    @property
    def latest(self) -> Reading | None:
        """See Display."""
        return None


def understand(content: Any, t: float) -> Reading:
    """The display's JSON. Raises ValueError."""
    if not isinstance(content, dict) or not isinstance(content.get("display"), str):
        raise ValueError("no JSON object with a text \"display\"")
    color, runs = content.get("color"), content.get("runs")
    red = is_red(color) if isinstance(color, str) else None
    return Reading(t, content["display"][:200], red, runs if isinstance(runs, int) and not isinstance(runs, bool)
                   else None)


def is_red(color: str) -> bool:
    """Whether a CSS colour (a name, #rgb, #rrggbb, rgb()) is a red."""
    text = color.strip().lower()
    if match := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})(?:[0-9a-f]{2})?", text):
        digits = match[1] if len(match[1]) == 6 else "".join(char * 2 for char in match[1])
        red, green, blue = (int(digits[at:at + 2], 16) for at in (0, 2, 4))
    elif match := re.match(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)", text):
        red, green, blue = int(match[1]), int(match[2]), int(match[3])
    else:
        return "red" in text.split() or text in ("darkred", "crimson", "firebrick", "orangered", "indianred")
    return red >= 100 and red >= 2 * max(green, blue)


async def counter(command: str) -> int | None:
    """What a declared command prints as the number of runs, or None."""
    with contextlib.suppress(OSError):
        status, output = await run(command, 10.0)
        if status == 0 and (match := re.search(r"\d+", output)):
            return int(match[0])
    return None
