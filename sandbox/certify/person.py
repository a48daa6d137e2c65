"""Whoever stands beside the device: a person at the page, commands in their place, or nobody."""
import asyncio
import contextlib
import itertools
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

HOOK_TIMEOUT = 60.0
"""Seconds that a hook may take."""
ANSWER_TIMEOUT = 600.0
"""Seconds that a person may take for one answer."""


class Cannot(Exception):
    """It could not be done or told; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person is asked. `yes_no`: a question; else something to do, answered with "done"."""

    number: int
    text: str
    yes_no: bool


class Person(Protocol):
    """Who answers prompts."""

    async def answer(self, prompt: Prompt) -> tuple[str, str]:
        """("yes" | "no" | "done" | "cannot", a note). Raises Cannot."""


class Nobody:
    """`--no-person`."""

    async def answer(self, prompt: Prompt) -> tuple[str, str]:
        """Always raises Cannot."""
        raise Cannot(f"nobody was there to be asked (--no-person): {prompt.text}")


class Hands:
    """Does what a scene asks for: by a hook where one is declared, else by the person."""

    def __init__(self, hooks: dict[str, str], person: Person, said: Callable[[str], None]) -> None:
        self._hooks, self._person, self._said = hooks, person, said
        self._numbers = itertools.count(1)

    async def do(self, hook: str, text: str) -> None:
        """Something to be done now. Raises Cannot."""
        if command := self._hooks.get(hook):
            self._said(f"hook {hook}")
            await self._run(hook, command)
            return
        word, note = await self._person.answer(Prompt(next(self._numbers), text, False))
        if word != "done":
            raise Cannot(f"{text}: cannot" + (f" ({note})" if note else ""))

    async def says(self, text: str) -> bool:
        """A question. Raises Cannot."""
        word, note = await self._person.answer(Prompt(next(self._numbers), text, True))
        if word not in ("yes", "no"):
            raise Cannot(f"{text}: cannot tell" + (f" ({note})" if note else ""))
        return word == "yes"

    async def _run(self, hook: str, command: str) -> None:
        status, output = await run(command)
        if status is None:
            raise Cannot(f"hook {hook} did not end within {HOOK_TIMEOUT:.0f} s: {command}")
        if status:
            raise Cannot(f"hook {hook} failed (exit status {status}): {output.strip()[-200:] or command}")


async def run(command: str, timeout: float = HOOK_TIMEOUT) -> tuple[int | None, str]:
    """A shell command to its end: (exit status, what it said); (None, …) when it took too long and was ended."""
    # Into a file, not a pipe: what it leaves running in the background must not be waited for.
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_shell(
            command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            await asyncio.wait_for(process.wait(), timeout)
        except TimeoutError:
            return None, ""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        output.seek(0)
        return process.returncode, output.read(65536).decode(errors="replace")
