"""Scenes of section 5 that no sentence demands: cuts at each step of a sale, garbage, a second request, long work."""
import asyncio
import random
import time

from econduit_terminal.sandbox.certify.exam import EXTRA, SETTLE, Exam, Sale
from econduit_terminal.sandbox.certify.inbox import What
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.requests import Request
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.scenes_sales import judged
from econduit_terminal.sandbox.certify.table import terminal_sales as S
from econduit_terminal.sandbox.certify.table.answers import END, WRONG_ANSWERS
from econduit_terminal.sandbox.certify.table.model import Case, Verdict

RUNNING = 1.0
"""Seconds that the application is made to take."""
CHUNK = 64 << 10
ENDLESS = 4 << 20


async def _again(exam: Exam, case: Case, request: Request, before: int | None, since: float, wait: float,
                 earlier: bytes | None = None) -> None:
    """After a cut: the same request on the next connection. At most one run in all, the same answer."""
    link = await exam.online(after=since)
    # An answer that comes by itself after the return is the device's good manners.
    late = await exam.answered(link, request, since, before, wait) if wait else None
    asked = exam.bench.now
    link.send(request.body + END)
    sale = await exam.answered(link, request, asked, before)
    first = earlier or (late.message.body if late is not None and late.message is not None else None)
    after = await exam.runs()
    runs = after - before if after is not None and before is not None else None
    if sale.answer is None:
        exam.report(case, Verdict.FAIL, "asked again, it did not answer")
    elif runs is not None and runs > 1:
        exam.report(case, Verdict.FAIL, f"the application ran {runs} times: the customer is charged {runs} times")
    elif first is not None and first != sale.answer.body:
        exam.report(case, Verdict.FAIL, "asked again, it gave another answer")
    else:
        told = "ran once" if runs == 1 else "nothing tells how often it ran" if runs is None else "did not run"
        exam.report(case, Verdict.PASS if runs != 0 else Verdict.INFO, f"{told}; "
                    + ("the answer came by itself, then again" if late and late.answer
                       else "answered when asked again"))


async def cut_request(exam: Exam) -> None:
    """Half a request, then a reset."""
    link = await exam.online()
    request, before, since = exam.request(), await exam.runs(), exam.bench.now
    link.ack = None
    await link.send_pieces([request.body[:len(request.body) // 2]])
    await asyncio.sleep(SETTLE)
    link.rst()
    link = await exam.online(after=since)
    sale = await exam.sale(link, request)
    after = await exam.runs()
    runs = after - before if after is not None and before is not None else None
    if sale.answer is None:
        exam.report(S.CUT_REQUEST, Verdict.FAIL, "asked again, it did not answer")
    else:
        exam.report(S.CUT_REQUEST, Verdict.FAIL if runs is not None and runs > 1 else Verdict.PASS,
                    f"{runs} runs for half a request and a whole one" if runs and runs > 1 else "run once")


async def cut_running(exam: Exam) -> None:
    """The connection goes while the application works."""
    link = await exam.online()
    request = exam.request(delay=RUNNING if exam.device.echo else 0.0)
    exam.sales[request.ref] = request
    before, since = await exam.runs(), exam.bench.now
    link.send(request.body + END)
    await asyncio.sleep(RUNNING / 3 if exam.device.echo else 0.05)
    link.fin()
    await _again(exam, S.CUT_RUNNING, request, before, since, RUNNING + exam.device.transaction / 2 + 0.5)


async def cut_answer(exam: Exam) -> None:
    """The connection goes while a large answer is on its way."""
    link = await exam.online()
    request = exam.request(answer_bytes=300 << 10)
    before, since = await exam.runs(), exam.bench.now
    received = link.received
    link.send(request.body + END)
    await exam.bench.until(lambda: link.received > received, exam.device.transaction + EXTRA)
    link.rst()
    await _again(exam, S.CUT_ANSWER, request, before, since, 1.0)


async def cut_answered(exam: Exam) -> None:
    """The connection goes after the answer."""
    link = await exam.online()
    before, since = await exam.runs(), exam.bench.now
    sale = await exam.sale(link)
    await asyncio.sleep(SETTLE)
    link.fin()
    if sale.message is None:
        exam.report(S.CUT_ANSWERED, Verdict.INCONCLUSIVE, "the first was not answered")
        return
    await _again(exam, S.CUT_ANSWERED, sale.request, before, max(since, link.closed or since), 0.0, sale.message.body)


async def second(exam: Exam) -> None:
    """A second request while one runs."""
    link = await exam.online()
    one, two = exam.request(delay=2.0 if exam.device.echo else 0.0), exam.request()
    before, sent = await exam.runs(), exam.bench.now
    link.send(one.body + END)
    await asyncio.sleep(0.5 if exam.device.echo else 0.02)
    link.send(two.body + END)
    first: Sale = await exam.answered(link, one, sent, before)
    other = await exam.answered(link, two, sent, before)
    after = await exam.runs()
    runs = after - before if after is not None and before is not None else None
    if first.answer is None:
        exam.report(S.SECOND, Verdict.FAIL, "the first was not answered any more")
    elif other.answer is None:
        exam.report(S.SECOND, Verdict.FAIL, "the second was not answered")
    elif runs is not None and runs > 2:
        exam.report(S.SECOND, Verdict.FAIL, f"{runs} runs for two transactions")
    else:
        told = other.answer.request_sha256 or other.answer.request_bytes is not None
        exam.report(S.SECOND, Verdict.PASS, "the second was run after the first" if told
                    else "the second was refused at once")
    if link.open and (first.answer is None or other.answer is None):
        link.fin()


async def _survives(exam: Exam, case: Case, link: Link, what: str) -> None:
    """Whether the next transaction works, on this connection or the next."""
    since = exam.bench.now
    sale = await exam.sale(link) if link.open else None
    if sale is None or sale.answer is None:
        link.fin()
        again = await exam.bench.until(lambda: exam.current(since), exam.device.retry)
        if again is None:
            exam.report(case, Verdict.FAIL, f"after {what} the device did not come back")
            return
        sale = await exam.sale(again)
    works = sale.answer is not None
    exam.report(case, Verdict.PASS if works else Verdict.FAIL,
                f"the next transaction {'works' if works else 'is not answered'}, "
                f"on {'the same' if sale.link is link else 'a new'} connection")


async def garbage(exam: Exam) -> None:
    """64 random bytes."""
    link = await exam.online()
    link.send(WRONG_ANSWERS[-1].data)
    await exam.bench.until(lambda: link.closed is not None or link.of(What.RESPONSE, exam.bench.now - 1), 2.0)
    await exam.bench.until(lambda: exam.current() is not None, exam.device.retry)
    await _survives(exam, S.GARBAGE, exam.current() or link, "garbage")
    await exam.probe()


async def endless(exam: Exam) -> None:
    """A message without an end, until the device leaves or 4 MiB."""
    link = await exam.online()
    link.ack = None
    link.send(b'{"Command":"Sale","Echo":"')
    for _ in range(ENDLESS // CHUNK):
        if not link.send(b"A" * CHUNK):
            break
        await asyncio.sleep(0.01)
    await exam.bench.until(lambda: link.closed is not None, 2.0)
    left = link.closed is not None
    if not left:
        link.rst()
    await exam.bench.until(lambda: exam.current() is not None, exam.device.retry)
    await _survives(exam, S.ENDLESS, exam.current() or link, "an endless message")


async def long(exam: Exam) -> None:
    """Hours of transactions, idle times and cuts in turn."""
    end = time.monotonic() + exam.hours * 3600
    source = random.Random(2)
    sales = cuts = 0
    while time.monotonic() < end:
        link = await exam.online()
        for _ in range(source.randrange(1, 20)):
            sale = await exam.sale(link)
            finding = judged(exam, sale)
            sales += 1
            if finding.verdict is not Verdict.PASS:
                exam.report(S.LONG, finding.verdict, f"transaction {sales}: {finding.seen}")
                return
            await asyncio.sleep(source.random() * 3)
        await asyncio.sleep(source.random() * 2 * exam.device.heartbeat)
        since = exam.bench.now
        source.choice((Link.fin, Link.rst, Link.half_close))(link)
        cuts += 1
        back = await exam.back(since, 10.0)
        if back is None:
            exam.report(S.LONG, Verdict.FAIL, f"cut {cuts}: not back within 10 s")
            return
        await exam.settle()
    exam.report(S.LONG, Verdict.PASS, f"{exam.hours:g} h: {sales} transactions, {cuts} cuts")


SCENES: tuple[Scene[Exam], ...] = (
    scene(S.CUT_REQUEST, seconds=2, play=cut_request),
    scene(S.CUT_RUNNING, seconds=4, play=cut_running),
    scene(S.CUT_ANSWER, seconds=3, play=cut_answer),
    scene(S.CUT_ANSWERED, seconds=2, play=cut_answered),
    scene(S.SECOND, seconds=3, play=second),
    scene(S.GARBAGE, seconds=3, play=garbage),
    scene(S.ENDLESS, seconds=5, play=endless),
    scene(S.LONG, seconds=lambda exam: exam.hours * 3600, play=long),
)
