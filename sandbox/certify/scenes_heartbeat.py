"""Scenes of section 4: an idle device, its heartbeats, and what it makes of each acknowledgement."""
import asyncio
import itertools

from econduit_terminal.sandbox.certify import judge
from econduit_terminal.sandbox.certify.device import Ack
from econduit_terminal.sandbox.certify.exam import SETTLE, Exam
from econduit_terminal.sandbox.certify.inbox import Message, What
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import terminal as T, terminal_sales as S
from econduit_terminal.sandbox.certify.table.answers import ACK, END, Shape
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Profile, Verdict

BEATS = 4
"""Heartbeats that are measured: the first, and three intervals."""
ALONE = 20.0
"""Seconds for which an idle connection is left alone at least."""


async def _beat(exam: Exam, link: Link, since: float, within: float) -> Message | None:
    """The first heartbeat over a connection after a moment."""
    found = await exam.bench.until(lambda: next(iter(link.of(What.HEARTBEAT, since)), None) or link.closed is not None,
                                   within)
    return found if isinstance(found, Message) else None


def _unasked(exam: Exam, link: Link, since: float, answered: bool = False) -> bool:
    """Whether a response came that belongs to no transaction of ours. `answered`: one has been answered since then,
    and where answers tell nothing, one is its."""
    responses = link.of(What.RESPONSE, since)
    if not exam.device.echo:
        return len(responses) > answered
    return any(not any(exam.belongs(message, request) for request in exam.sales.values()) for message in responses)


async def idle(exam: Exam) -> None:
    """A fresh connection is left alone: do heartbeats come, how far apart, does it stay?"""
    declared = exam.device.heartbeat
    link = await exam.online()
    since = exam.bench.now
    link.fin()
    link = await exam.online(after=since)
    registered = link.answered or exam.bench.now
    exam.report(T.MINUTE, *_both(judge.minute(declared)))
    beats: list[Message] = []
    late = False
    limit = 1.1 * declared + 0.5
    count = BEATS if declared < 10 else BEATS - 1
    while len(beats) < count:
        after = beats[-1].began + 0.001 if beats else registered
        beat = await _beat(exam, link, after, max(0.0, after + limit - exam.bench.now))
        if beat is None and link.closed is None and not late:
            late = True
            limit = 2.2 * declared + 2
            continue
        if beat is None:
            break
        beats.append(beat)
    await asyncio.sleep(SETTLE)
    if beats:
        await exam.bench.until(lambda: link.closed is not None, registered + ALONE - exam.bench.now)
    last_ack = max(link.acks, default=-10.0)
    if link.closed is not None and not link.by_us:
        _left(exam, link, last_ack)
    elif link.acks and _unasked(exam, link, link.acks[0]):
        exam.report(T.ACK_SHAPES[Shape.TERMINATED], Verdict.FAIL, "the acknowledgement was run as a transaction")
    if link.open:
        exam.report(T.STAYS_IDLE, Verdict.PASS, f"open for {exam.bench.now - link.opened:.1f} s, "
                    f"{len(link.of(What.HEARTBEAT))} heartbeats")
    if not beats:
        exam.report(T.COMES, Verdict.FAIL, f"no heartbeat within {limit:.1f} s")
        return
    beats = link.of(What.HEARTBEAT, registered)
    first, silent = beats[0].began - registered, (link.closed or exam.bench.now) - beats[-1].began
    spacing = judge.interval([after.began - before.began for before, after in itertools.pairwise(beats)], declared)
    # Where all of them are too far apart, that is the other case's.
    first_late = first > 1.1 * declared + 0.5 and spacing.verdict is not Verdict.FAIL
    stops = silent > 2.2 * declared + 2
    exam.report(T.COMES, Verdict.FAIL if len(beats) < 2 or stops or first_late else Verdict.PASS,
                f"the first after {first:.1f} s, {len(beats)} in all"
                + (f", then none for {silent:.1f} s" if stops else ""))
    exam.report(T.INTERVAL, *_both(spacing))
    if exam.device.ack is Ack.FALSE:
        exam.report(T.ACK_FALSE, Verdict.PASS if link.open and len(beats) > 2 else Verdict.FAIL,
                    f"{len(beats)} heartbeats without acknowledgement, "
                    + ("it stays" if link.open else "the device left"))
    if link.open:
        await _after_sale(exam, link)


def _left(exam: Exam, link: Link, last_ack: float) -> None:
    after = (link.closed or 0.0) - last_ack
    if 0 <= after < 0.5 and exam.ack_shape is not None:
        exam.report(T.ACK_SHAPES[Shape.TERMINATED], Verdict.FAIL, f"the device left {after:.2f} s after the "
                    f"acknowledgement")
        exam.report(T.STAYS_IDLE, Verdict.INCONCLUSIVE, f"the device left after an acknowledgement (case "
                    f"{T.ACK_SHAPES[Shape.TERMINATED].id})")
    elif exam.device.ack is Ack.FALSE and link.of(What.HEARTBEAT):
        exam.report(T.ACK_FALSE, Verdict.FAIL, "the device left a connection whose heartbeats it did not ask to be "
                    "acknowledged")
        exam.report(T.STAYS_IDLE, Verdict.INCONCLUSIVE, f"see case {T.ACK_FALSE.id}")
    else:
        exam.report(T.STAYS_IDLE, Verdict.FAIL, f"the device ended the idle connection after "
                    f"{(link.closed or 0.0) - link.opened:.1f} s")


async def _after_sale(exam: Exam, link: Link) -> None:
    """A transaction on the idle connection: the acknowledgements were not run, and heartbeats go on."""
    sent = exam.bench.now
    acks = len(link.acks)
    runs = await exam.runs()
    sale = await exam.sale(link)
    after = await exam.runs()
    if exam.ack_shape is not None:
        extra = after - runs - 1 if runs is not None and after is not None else 0
        if sale.answer and extra > 0 and acks:
            exam.report(T.ACK_SHAPES[Shape.TERMINATED], Verdict.FAIL, f"{extra} acknowledgements were run as "
                        f"transactions")
        exam.report(T.ACK_SHAPES[Shape.TERMINATED], Verdict.PASS, f"{acks} acknowledged, none was run, heartbeats "
                    f"followed")
    beat = await _beat(exam, link, max(sent + 0.05, exam.bench.now - 0.01), 1.3 * exam.device.heartbeat + 1)
    exam.report(T.RESUMES, Verdict.PASS if beat else Verdict.FAIL,
                f"{beat.began - sent:.1f} s after the transaction" if beat else "none after a transaction")


async def acks(exam: Exam) -> None:
    """The other shapes of an acknowledgement. The heartbeat that confirms one is acknowledged in the next."""
    limit = 1.3 * exam.device.heartbeat + 1
    shapes = (Shape.BARE, Shape.CRLF, Shape.SPLIT)
    beat: Message | None = None
    for shape, following in zip(shapes, (*shapes[1:], exam.ack_shape), strict=True):
        case = T.ACK_SHAPES[shape]
        link = await exam.online()
        if beat is None:
            link.ack = shape
            beat = await _beat(exam, link, exam.bench.now, limit)
        if beat is None:
            exam.report(case, Verdict.INCONCLUSIVE, "no heartbeat to acknowledge")
            await exam.settle()
            continue
        wrong = await _wrong_after_ack(exam, link, beat)
        if not wrong:
            link.ack = following
            beat = await _beat(exam, link, beat.began + 0.05, limit)
            wrong = "" if beat else "no further heartbeat came"
        exam.report(case, Verdict.FAIL if wrong else Verdict.PASS,
                    wrong or "it stays, nothing was run, heartbeats go on")
        if wrong:
            beat = None
            link.fin()


async def _wrong_after_ack(exam: Exam, link: Link, beat: Message) -> str:
    """What is wrong after a heartbeat was acknowledged, or ""."""
    await asyncio.sleep(SETTLE)
    before = await exam.runs()
    sale = await exam.sale(link) if link.open else None
    after = await exam.runs()
    if link.closed is not None and not link.by_us:
        return "the device left the connection"
    answered = sale is not None and sale.answer is not None
    if _unasked(exam, link, beat.began, answered) or (before is not None and after is not None and after - before > 1):
        return "the acknowledgement was run as a transaction"
    if sale is not None and not answered and not exam.failed(S.TERMINATED):
        return "the next transaction was not answered"
    return ""


async def no_ack(exam: Exam) -> None:
    """One heartbeat is not acknowledged."""
    link = await exam.online()
    link.ack = None
    beat = await _beat(exam, link, exam.bench.now, 1.3 * exam.device.heartbeat + 1)
    if beat is None:
        exam.report(T.NO_ACK, Verdict.INCONCLUSIVE, "no heartbeat came")
        return
    limit = 2 * exam.device.heartbeat + 10
    await exam.bench.until(lambda: link.closed is not None, limit)
    if link.closed is not None:
        exam.report(T.NO_ACK, Verdict.PASS, f"the device left {link.closed - beat.ended:.1f} s after the heartbeat")
    else:
        exam.report(T.NO_ACK, Verdict.FAIL,
                    f"still there after {limit:g} s, {len(link.of(What.HEARTBEAT, beat.began))} "
                    "heartbeats without an acknowledgement")


async def ack_false(exam: Exam) -> None:
    """A device that can do both is set to "false" for a while."""
    if exam.device.ack is not Ack.BOTH:
        return
    await exam.hands.do("ack_false", "Set AckHeartbeat to \"false\" on the device, and let it register again")
    link = await _registered_with(exam, "false")
    if link is None:
        exam.report(T.ACK_FALSE, Verdict.FAIL, "no registration with AckHeartbeat \"false\"")
    else:
        await exam.bench.until(lambda: len(link.of(What.HEARTBEAT)) >= 3 or link.closed is not None,
                               4 * exam.device.heartbeat + 2)
        beats = len(link.of(What.HEARTBEAT))
        exam.report(T.ACK_FALSE, Verdict.PASS if beats >= 3 and link.open else Verdict.FAIL,
                    f"{beats} heartbeats without acknowledgement, " + ("it stays" if link.open else "the device left"))
    await exam.hands.do("ack_true", "Set AckHeartbeat to \"true\" again")
    await _registered_with(exam, "true")


async def _registered_with(exam: Exam, value: str) -> Link | None:
    def look() -> Link | None:
        link = exam.current()
        fields = link.register.fields if link and link.register else {}
        return link if str(fields.get("AckHeartbeat", "")).lower() == value else None

    return await exam.bench.until(look, exam.device.retry)


async def surplus(exam: Exam) -> None:
    """An acknowledgement that nobody asked for."""
    link = await exam.online()
    await asyncio.sleep(0.05)
    since, before = exam.bench.now, await exam.runs()
    link.send(ACK + END)
    await asyncio.sleep(SETTLE)
    sale = await exam.sale(link)
    after = await exam.runs()
    if link.closed is not None and not link.by_us:
        exam.report(T.SURPLUS, Verdict.FAIL, "the device left the connection")
    elif _unasked(exam, link, since, sale.answer is not None) or (
            before is not None and after is not None and after - before > 1):
        exam.report(T.SURPLUS, Verdict.FAIL, "it was run as a transaction")
    else:
        exam.report(T.SURPLUS, Verdict.PASS if sale.answer else Verdict.FAIL,
                    "dropped" if sale.answer else "the next transaction was not answered")


def long_sale(exam: Exam) -> float:
    """Seconds of the transaction in which no heartbeat may come."""
    quick = min(max(3.0, 3 * exam.device.heartbeat + 0.5), 150.0)
    return quick if exam.profile is Profile.QUICK else 150.0


async def none_in_sale(exam: Exam) -> None:
    """A long transaction."""
    if not exam.device.echo:
        exam.report(T.NONE_IN_SALE, Verdict.INCONCLUSIVE,
                    "without an echo application nothing makes a transaction last")
        return
    delay = long_sale(exam)
    link = await exam.online()
    sale = await exam.sale(link, exam.request(delay=delay), within=delay + exam.device.transaction + 5)
    until = sale.message.began if sale.message else exam.bench.now
    beats = [beat for beat in link.of(What.HEARTBEAT, sale.sent + SETTLE) if beat.ended < until - 0.05]
    took = until - sale.sent
    if beats:
        exam.report(T.NONE_IN_SALE, Verdict.FAIL, f"{len(beats)} heartbeats in a transaction of {took:.1f} s, the "
                    f"first after "
                    f"{beats[0].began - sale.sent:.1f} s")
    elif sale.answer is None or took < min(delay, 1.5 * exam.device.heartbeat) - 0.5:
        exam.report(T.NONE_IN_SALE, Verdict.INCONCLUSIVE, f"the transaction was meant to take {delay:g} s, it took "
                    f"{took:.1f} s")
    else:
        exam.report(T.NONE_IN_SALE, Verdict.PASS, f"none in {took:.1f} s")


def _both(finding: Finding) -> tuple[Verdict, str]:
    return finding.verdict, finding.seen


_CASES: tuple[Case, ...] = (T.STAYS_IDLE, T.COMES, T.INTERVAL, T.MINUTE, T.RESUMES, T.ACK_SHAPES[Shape.TERMINATED])
SCENES: tuple[Scene[Exam], ...] = (
    scene(*_CASES, seconds=lambda exam: max(ALONE, 5 * exam.device.heartbeat) + 1, play=idle),
    scene(*(T.ACK_SHAPES[shape] for shape in (Shape.BARE, Shape.CRLF, Shape.SPLIT)),
          seconds=lambda exam: 4 * exam.device.heartbeat + 2, play=acks),
    scene(T.NO_ACK, seconds=lambda exam: exam.device.heartbeat + 6, play=no_ack),
    scene(T.ACK_FALSE, seconds=lambda exam: 4 * exam.device.heartbeat if exam.device.ack is Ack.BOTH else 0.0,
          play=ack_false),
    scene(T.SURPLUS, seconds=1, play=surplus),
    scene(T.NONE_IN_SALE, seconds=long_sale, play=none_in_sale),
)
