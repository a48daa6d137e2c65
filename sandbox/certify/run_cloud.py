"""`econduit-certify cloud`: from the command line to the reports."""
import argparse
import asyncio
import contextlib
import signal
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from econduit_terminal.sandbox.certify.cloud_exam import CloudExam, without_secrets
from econduit_terminal.sandbox.certify.cloud_link import Terminal
from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.listing import listing
from econduit_terminal.sandbox.certify.options import Wrong
from econduit_terminal.sandbox.certify.order import CLOUD
from econduit_terminal.sandbox.certify.progress import Bar
from econduit_terminal.sandbox.certify.report import result
from econduit_terminal.sandbox.certify.run_terminal import Plan, chosen, finish, limits, nothing_left, plan, ready
from econduit_terminal.sandbox.certify.runner import Runner
from econduit_terminal.sandbox.certify.table.model import Need, Profile, Role


def main(options: argparse.Namespace) -> int:
    """The command; returns the exit status. Raises Wrong."""
    if options.url:
        parts = urlsplit(options.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Wrong(f"--url {options.url}: an http or https address is wanted")
    # A list without an endpoint shows everything; with one, what applies to it.
    given = options.endpoint or []
    lacking = {Need.URL: not options.url and bool(given), Need.SECOND_PORT: len(given) == 1,
               Need.TYPES: not options.invalid_type}
    absent = frozenset(need for need, lacks in lacking.items() if lacks)
    if options.list:
        listing(chosen(options, Role.CLOUD), Profile(options.profile), absent)
        return result.EXIT["PASS"]
    if not given:
        raise Wrong("the cloud's endpoint is missing: econduit-certify cloud HOST:PORT[,HOST:PORT]")
    asked = plan(options, Role.CLOUD)
    if not asked.cases:
        return nothing_left(options)
    ready(asked.out)
    return asyncio.run(_run(options, asked, absent))


async def _run(options: argparse.Namespace, asked: Plan, absent: frozenset[Need]) -> int:
    exam = CloudExam(options.endpoint, Terminal(options.terminal_type, options.terminal_id), options.url,
                     options.invalid_type,
                     asked.profile)
    exam.hours = asked.hours
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    began, start, came = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic(), True
    with Bar() as bar:
        runner = Runner(exam, asked.cases, absent, asked.profile, [bar])
        work = asyncio.get_running_loop().create_task(_all(exam, runner, asked.repeat))
        stopped = asyncio.get_running_loop().create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if work.done() and (mistake := work.exception()) is not None:
            note = f"a mistake in the examiner ended the run: {mistake!r}"
        elif work.done():
            note = work.result()
            came = not note or bool(runner.results)
        else:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            note = "stopped by hand"
        runner.give_up(note or "not tried")
    await exam.settle()
    device = {"endpoints": [f"{host}:{port}" for host, port in options.endpoint], "url": without_secrets(options.url),
              "terminal_type": options.terminal_type,
              "terminal_id": options.terminal_id, "invalid_type": options.invalid_type}
    found = result.record("cloud", device, runner.results.values(), began=began, seconds=time.monotonic() - start,
                          profile=asked.profile.value, strict=asked.strict, note=limits(asked, Role.CLOUD, note))
    return finish(found, asked, came)


async def _all(exam: CloudExam, runner: Runner[CloudExam], repeat: int) -> str:
    """Every scene, as often as asked; why not, when the cloud cannot be reached."""
    try:
        (await exam.connect()).close()
    except DeviceGone as reason:
        return f"no cloud came: {reason}"
    for turn in range(repeat):
        if turn:
            exam.findings.clear()
        await runner.play(CLOUD)
    return runner.gone
