"""`econduit-certify terminal`: from the command line to the reports."""
import argparse
import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from econduit_terminal.sandbox.certify import choice
from econduit_terminal.sandbox.certify.bench import Bench
from econduit_terminal.sandbox.certify.device import Device, parse
from econduit_terminal.sandbox.certify.display import AskedDisplay, Display, UrlDisplay
from econduit_terminal.sandbox.certify.exam import Exam
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.listing import listing
from econduit_terminal.sandbox.certify.options import DEVICE, Wrong
from econduit_terminal.sandbox.certify.order import TERMINAL
from econduit_terminal.sandbox.certify.page import Page
from econduit_terminal.sandbox.certify.person import Hands, Nobody, Person
from econduit_terminal.sandbox.certify.plain_words import why
from econduit_terminal.sandbox.certify.progress import Bar
from econduit_terminal.sandbox.certify.report import archive, result, writer
from econduit_terminal.sandbox.certify.runner import Runner, Watcher
from econduit_terminal.sandbox.certify.screen import complain, last_line
from econduit_terminal.sandbox.certify.table.every import CASES
from econduit_terminal.sandbox.certify.table.model import MEANS, Case, Profile, Role

WAIT, WAIT_ALONE = 600.0, 60.0
"""Seconds that the device may take to come at first: beside a person, and without one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is asked for, whoever is examined."""

    cases: list[Case]
    profile: Profile
    out: Path
    strict: bool
    repeat: int
    key: Ed25519PrivateKey | None
    hours: float


def chosen(options: argparse.Namespace, role: Role) -> list[Case]:
    """The cases that --only and --from-failed leave. Raises Wrong."""
    try:
        cases = choice.chosen(CASES[role], options.only)
        if options.from_failed:
            earlier = writer.load(Path(options.from_failed))
            if earlier.get("role", role.value) != role.value:
                raise Wrong(f"--from-failed {options.from_failed}: that is the report of a {earlier['role']}, and a "
                            f"{role.value} is examined here")
            cases = choice.failed(cases, {case["case"]: case["verdict"] for case in earlier["cases"]})
    except (choice.NoSuchCase, ValueError) as error:
        raise Wrong(str(error)) from None
    except OSError as error:
        raise Wrong(f"--from-failed {error.filename}: {why(error)}") from None
    return cases


def plan(options: argparse.Namespace, role: Role) -> Plan:
    """Reads the options that every run has. Raises Wrong."""
    try:
        key = archive.private_key(Path(options.key)) if options.key else None
    except ValueError as error:
        raise Wrong(str(error)) from None
    except OSError as error:
        raise Wrong(f"--key {options.key}: {why(error)}") from None
    return Plan(chosen(options, role), Profile(options.profile), Path(options.out), options.strict, options.repeat, key,
                options.hours)


def nothing_left(options: argparse.Namespace) -> int:
    """--from-failed names a report in which everything passed; the exit status."""
    last_line(f"nothing to do: in {options.from_failed} every case "
              f"{'that --only names ' if options.only else ''}passed")
    return result.EXIT["PASS"]


def ready(out: Path) -> None:
    """Makes the directory for the reports: what cannot be written must be known before the run. Raises Wrong."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Wrong(f"--out {out}: {why(error)}") from None


def limits(asked: Plan, role: Role, ended: str) -> str:
    """What keeps the result from being one of the whole examination, or "": it ended early, or a part was asked for."""
    whole = sum(asked.profile.contains(case.profile) for case in CASES[role])
    tried = sum(asked.profile.contains(case.profile) for case in asked.cases)
    part = f"a part of the examination: {tried} of {whole} cases" if tried < whole else ""
    return "; ".join(words for words in (ended, part) if words)


def declared(path: Path) -> Device:
    """Reads device.toml. Raises Wrong with every mistake."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[:error.start].count(b"\n") + 1
        raise Wrong(f"{path}:{line}: not UTF-8") from None
    except OSError as error:
        raise Wrong(f"{path}: {why(error)}; econduit-certify init writes one") from None
    device, mistakes = parse(text)
    if mistakes:
        raise Wrong("\n".join(mistake.show(str(path)) for mistake in mistakes))
    return device


def main(options: argparse.Namespace) -> int:
    """The command; returns the exit status. Raises Wrong."""
    if options.list:
        path = Path(options.device)
        known = declared(path) if path.exists() or options.device != DEVICE else Device()
        listing(chosen(options, Role.TERMINAL), Profile(options.profile), known.absent())
        return result.EXIT["PASS"]
    device = declared(Path(options.device))
    asked = plan(options, Role.TERMINAL)
    if not asked.cases:
        return nothing_left(options)
    if options.ports[1] is None and device.secondary:
        raise Wrong("--ports names one port, but the device is declared with a second endpoint (device.secondary)")
    return asyncio.run(_run(options, asked, device))


async def _run(options: argparse.Namespace, asked: Plan, device: Device) -> int:
    bench = Bench(options.host, options.ports if device.secondary else (options.ports[0], None))
    page = None if options.no_person else Page(*options.page)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Bar() as bar, contextlib.ExitStack() as stack:
        watchers: list[Watcher] = [bar] if page is None else [bar, page]
        person: Person = Nobody() if page is None else page
        hands = Hands(device.hooks, person, lambda text: _say(watchers, text))
        display: Display = AskedDisplay(hands, lambda: bench.now)
        if device.display_url:
            display = read = UrlDisplay(device.display_url, lambda: bench.now, bench.changed)
            task = asyncio.get_running_loop().create_task(read.watch())
            stack.callback(task.cancel)
        exam = Exam(device, bench, display, hands, asked.profile, f"{random.randrange(36 ** 4):04x}"[-4:].upper())
        exam.hours = asked.hours
        try:
            if page is not None:
                await page.open()
                page.clock = lambda: _since_last_byte(bench)
                bar.said(f"the page for the person beside the device: {page.address}")
            await bench.open()
        except OSError as error:
            await bench.shut_down()
            raise Wrong(str(error)) from None
        bar.said("the device is expected at "
                 + " and ".join(f"port {port.number} ({port.name})" for port in bench.ports))
        try:
            ready(asked.out)
            return await _examine(exam, asked, watchers, stop, options.wait or (WAIT_ALONE if page is None else WAIT))
        finally:
            await bench.shut_down()
            if page is not None:
                await page.close()


async def _examine(exam: Exam, asked: Plan, watchers: Sequence[Watcher], stop: asyncio.Event, wait: float) -> int:
    began, start = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    runner = Runner(exam, asked.cases, exam.device.absent(), asked.profile, watchers)
    work = asyncio.get_running_loop().create_task(_all(exam, runner, asked.repeat, wait))
    stopped = asyncio.get_running_loop().create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    note, came = "", True
    if not work.done():
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        note = "stopped by hand"
    elif (mistake := work.exception()) is not None:
        note = f"a mistake in the examiner ended the run: {mistake!r}"
    else:
        came = work.result()
        note = runner.gone if came else f"no device came within {wait:g} s"
    runner.give_up(note or "not tried")
    found = result.record("terminal", exam.device.shown(), runner.results.values(), began=began,
                          seconds=time.monotonic() - start,
                          profile=asked.profile.value, strict=asked.strict, note=limits(asked, Role.TERMINAL, note))
    return finish(found, asked, came)


async def _all(exam: Exam, runner: Runner[Exam], repeat: int, wait: float) -> bool:
    """Every scene, as often as asked; False when no device came."""
    def nobody(link: Link) -> bool:
        return False

    exam.policy = nobody
    if await exam.caller(wait) is None:
        return False
    for turn in range(repeat):
        if turn:
            exam.findings.clear()
        elif not any(case in TERMINAL[0].cases for case in runner.chosen):
            await exam.settle()
        await runner.play(TERMINAL)
    return True


def finish(found: result.Record, asked: Plan, came: bool = True) -> int:
    """Writes the reports and says where they are; the exit status. Raises Wrong."""
    counts = {verdict: number for verdict, number in result.counts(found).items() if number}
    summary = f"{found['verdict']}: {', '.join(f'{number} {verdict}' for verdict, number in counts.items())}"
    try:
        writer.write(found, asked.out, asked.key)
    except OSError as error:
        raise Wrong(f"{asked.out}: {why(error)}\nthere is no report of this run, which came to {summary}") from None
    for verdict, words in MEANS.items():
        if verdict.value in counts:
            print(f"{verdict.value:<13}{words}")
    if found["note"]:
        complain(found["note"])
    last_line(f"{summary}; the report is {asked.out / writer.PAGE}")
    return result.EXIT[found["verdict"]] if came else result.NO_DEVICE


def _say(watchers: Sequence[Watcher], text: str) -> None:
    for watcher in watchers:
        watcher.said(text)


def _since_last_byte(bench: Bench) -> float | None:
    """Seconds since the device's last byte."""
    last = max((link.last_byte for link in bench.links if link.received), default=None)
    return None if last is None else bench.now - last
