"""Scenes of section 3: what the device registers with, and what it makes of each answer."""
import asyncio

from econduit_terminal.sandbox.certify import judge
from econduit_terminal.sandbox.certify.device import Ack
from econduit_terminal.sandbox.certify.display import OFFLINE, ONLINE, POLL
from econduit_terminal.sandbox.certify.exam import SETTLE, DeviceGone, Exam, Play
from econduit_terminal.sandbox.certify.inbox import What, json_object
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.person import Cannot
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import terminal as T, terminal_sales as S
from econduit_terminal.sandbox.certify.table.answers import END, FAILED, WRONG_ANSWERS, Shape
from econduit_terminal.sandbox.certify.table.model import Case, Verdict

LATE = 1.5
"""Seconds that an answer takes when it takes its time."""
LIT, DARK = 5.0, 10.0
"""Seconds for which a device's display may take to say that it is online, or offline."""
SLOW = 1.0
"""Seconds behind the truth from which a display is asked to be dark first."""


def _nobody(link: Link) -> bool:
    return False


async def register_again(exam: Exam) -> Link:
    """A new connection with its Register, not answered yet. Raises DeviceGone."""
    exam.policy = _nobody
    since = exam.bench.now
    if exam.current() is None:
        since = -1.0
    exam.bench.cut_all()
    caller = await exam.caller(exam.device.retry, since)
    if caller is None:
        raise DeviceGone
    return caller


def hold(exam: Exam) -> float:
    """How long a refused terminal is watched: more than one heartbeat where that is quick."""
    return min(max(1.0, 1.6 * exam.device.heartbeat), 3.0)


async def _takes(exam: Exam, link: Link, shape: Shape = Shape.TERMINATED) -> str:
    """What shows that the device takes itself for registered: an answer, a heartbeat, its display; "" for nothing."""
    request = exam.request()
    since = exam.bench.now
    quick = exam.device.heartbeat <= 2.0
    if shape is Shape.BARE and ((exam.device.display_url and not exam.failed(S.OFFLINE)) or quick):
        # What is sent next would end the answer: the device must take it before.
        shows = await exam.bench.until(lambda: bool(exam.display.turned(ONLINE, link.opened)
                                                    or link.of(What.HEARTBEAT)) or link.closed is not None, 3.0)
        if not shows or link.closed is not None:
            return ""
    link.send(request.body + END)

    def look() -> str | None:
        if any(exam.belongs(message, request) for message in link.of(What.RESPONSE, since)):
            return "it answers a transaction"
        return "it sends heartbeats" if link.of(What.HEARTBEAT, since + 0.05) else None

    limit = exam.device.transaction + 2 if exam.device.echo else max(exam.device.transaction + 2,
                                                                     1.2 * exam.device.heartbeat)
    found = await exam.bench.until(lambda: look() or link.closed is not None, limit)
    if isinstance(found, str):
        return found
    return "its display says so" if exam.display.turned(ONLINE, link.opened) else ""


async def first(exam: Exam) -> None:
    """The first registration and the usual answer to it; if that is not taken, another shape for the whole run."""
    current = exam.current()
    exam.policy = _nobody
    link = await exam.caller(exam.device.retry) if current is None else current
    if link is None or link.register is None:
        raise DeviceGone
    fields = json_object(link.register.body)
    for case, finding in (
            (T.REGISTER_JSON, judge.register_json(link.register.body)),
            (T.REGISTER_NAMES, judge.register_names(fields)),
            (T.REGISTER_TYPES, judge.register_types(fields)), (T.REGISTER_ORDER, judge.register_order(fields)),
            (T.REGISTER_VALUES, judge.register_values(
                fields, exam.device.terminal_type, exam.device.terminal_id,
                {Ack.TRUE: ("true",), Ack.FALSE: ("false",), Ack.BOTH: ("true", "false")}[exam.device.ack]))):
        exam.report(case, finding.verdict, finding.seen)
    for shape in Shape:
        if current is None:
            await link.accept(shape)
        current = None
        taken = await _takes(exam, link, shape)
        exam.report(T.OK_SHAPES[shape], Verdict.PASS if taken else Verdict.FAIL, taken
                    or "the device does not take it as success")
        if taken:
            exam.ok_shape = shape
            return
        link = await register_again(exam)


def _shape(shape: Shape) -> Play:
    async def play(exam: Exam) -> None:
        link = await register_again(exam)
        await link.accept(shape)
        taken = await _takes(exam, link, shape)
        exam.report(T.OK_SHAPES[shape], Verdict.PASS if taken else Verdict.FAIL, taken
                    or "the device does not take it as success")
    return play


async def _refused(exam: Exam, case: Case, data: bytes, watch: float) -> None:
    """Answers wrongly (or, with no data, not at all), watches that nothing follows, answers the next one rightly."""
    by_display = True
    if exam.device.display_url and (not data or _lag(exam) > SLOW):
        # One that lags shows the last registration now: it is only judged by its display out of the dark.
        link, dark = await _register_in_the_dark(exam)
        by_display = dark is not None
    else:
        link = await register_again(exam)
    exam.refused.add(link)
    link.ack = None
    if exam.device.display_url:
        # What the display shows of the connection itself has been read by then, and is another case's.
        await asyncio.sleep(2.5 * POLL)
    before, sent = await exam.runs(), exam.bench.now
    request = exam.request()

    def fault() -> str | None:
        others = [one for one in exam.bench.links if one.opened >= sent and one.answered is None and one.register]
        # While another registration waits for its answer, what is seen may be that one's: only silence is judged by it.
        for one in [link, *others] if not data else [link]:
            behind = one.messages[one.messages.index(one.register) + 1:] if one.register else []
            if any(message.what is What.HEARTBEAT for message in behind):
                return "a heartbeat came"
        if any(exam.belongs(message, request) for message in link.of(What.RESPONSE, sent)):
            return "a transaction was run over this connection"
        turned = exam.display.turned(ONLINE, sent) if by_display else None
        if turned and not (data and any(one.opened < turned.t + 0.2 for one in others)):
            return f"the display said “{ONLINE}” after {turned.t - sent:.1f} s"
        return None

    async def over() -> str | None:
        if data:
            link.send(data)
            await asyncio.sleep(SETTLE)
        else:
            await exam.bench.until(lambda: fault() or link.closed is not None, watch)
        link.send(request.body + END)
        # Once the device has left, its display alone could still be wrong: a moment more.
        await exam.bench.until(lambda: fault() or link.closed is not None, watch)
        return await exam.bench.until(fault, SETTLE) if link.closed is not None else fault()

    found = await over()
    left = "the device stayed" if link.closed is None else f"the device left after {link.closed - sent:.1f} s"
    if link.open and await exam.caller(0.5):
        exam.parked.append((link, case))
    await exam.settle()
    came = await exam.bench.until(lambda: exam.current(sent), exam.device.retry)
    if data.startswith(b"FAILED"):
        exam.report(T.RETRIES, Verdict.PASS if came else Verdict.FAIL,
                    f"registered again after {came.opened - sent:.1f} s" if came
                    else f"not within {exam.device.retry:g} s")
    countable = came is not None and before is not None and not exam.failed(S.TERMINATED)
    if found is None and countable and await exam.probe():
        found = "a transaction was run, though its answer was not sent"
    exam.report(case, Verdict.FAIL if found else Verdict.PASS, found or f"no heartbeat, nothing run; {left}")
    if came is None:
        raise DeviceGone


def _wrong(name: str, data: bytes) -> Play:
    async def play(exam: Exam) -> None:
        await _refused(exam, T.WRONG[name], data, hold(exam))
    return play


async def no_answer(exam: Exam) -> None:
    """The Register is never answered."""
    await _refused(exam, T.NO_ANSWER, b"", max(hold(exam), 3.0))


def _lag(exam: Exam) -> float:
    """Seconds after which the display has shown what was true before, by what it took in section 6, or at first."""
    times = [seconds for _, seconds in exam.display_times]
    first = next((link.answered for link in exam.bench.links if link.answered is not None), None)
    if not times and first is not None and (shown := exam.display.turned(ONLINE, first - 0.1)):
        times = [max(0.0, shown.t - first)]
    return min(LIT, 1.5 * max(times) + SETTLE) if times else LIT


async def _register_in_the_dark(exam: Exam) -> tuple[Link, float | None]:
    """A new connection with its Register, and since when its device was seen to be offline and nothing else (None: it
    was not). Raises DeviceGone."""
    exam.policy = _nobody
    await exam.bench.close()
    exam.bench.cut_all()
    try:
        dark = await exam.display.wait_for(OFFLINE, DARK, exam.bench.now) is not None
    except Cannot:
        dark = False
    await asyncio.sleep(_lag(exam))
    since = exam.bench.now
    await exam.bench.open()
    caller = await exam.caller(exam.device.retry, since)
    if caller is None:
        raise DeviceGone
    return caller, since if dark else None


async def late_answer(exam: Exam) -> None:
    """The answer takes its time; meanwhile nobody is online."""
    seen = bool(exam.device.display_url)
    link, dark = await _register_in_the_dark(exam) if seen else (await register_again(exam), None)
    since = exam.bench.now
    await asyncio.sleep(LATE)
    if seen:
        turned = exam.display.turned(ONLINE, dark if dark is not None else link.opened)
        exam.report(S.NOT_BEFORE, Verdict.FAIL if turned else Verdict.INCONCLUSIVE if dark is None else Verdict.PASS,
                    f"“{ONLINE}” {max(0.0, turned.t - since):.1f} s after the registration, without an answer" if turned
                    else f"“{OFFLINE}” was not shown before" if dark is None else "not online before the answer")
    elif exam.device.display:
        latest = await exam.display.wait_for(ONLINE, 0)
        exam.report(S.NOT_BEFORE, Verdict.FAIL if latest else Verdict.PASS, "online without an answer" if latest
                    else "not online before the answer")
    if link.closed is not None:
        exam.report(T.LATE_ANSWER, Verdict.FAIL, f"the device left after {link.closed - since:.1f} s")
        return
    await link.accept(exam.ok_shape)
    taken = await _takes(exam, link)
    exam.report(T.LATE_ANSWER, Verdict.PASS if taken else Verdict.FAIL, taken
                or "the device does not take it as success")


async def at_once(exam: Exam) -> None:
    """The answer and a transaction in one segment."""
    link = await register_again(exam)
    request = exam.request()
    before, sent = await exam.runs(), exam.bench.now
    exam.policy = lambda link: True
    await link.accept(Shape.TERMINATED, request.body + END)
    sale = await exam.answered(link, request, sent, before)
    finding = judge.sold(request, sale.answer, sale.runs, link.closed is not None, exam.device.transaction + 2)
    exam.report(T.AT_ONCE, finding.verdict, finding.seen)


async def withdrawn(exam: Exam) -> None:
    """FAILED-REGISTRATION to a registered terminal."""
    link = await exam.online()
    before = await exam.runs()
    since = exam.bench.now
    link.send(FAILED + END)
    # It may register again over this connection, or over a new one.
    exam.refused.add(link)
    await exam.bench.until(lambda: link.of(What.RESPONSE, since) or link.of(What.REGISTER, since)
                           or link.closed is not None, 2.0)
    if link.open and link.of(What.REGISTER, since):
        await link.accept(exam.ok_shape)
    over_it = link.open and link.of(What.REGISTER, since)
    again = None if over_it else await exam.bench.until(lambda: exam.current(since),
                                                        1.0 if link.open else exam.device.retry)
    if link.of(What.RESPONSE, since):
        exam.report(T.WITHDRAWN, Verdict.FAIL, "it was run as a transaction")
    elif not again and not link.open:
        exam.report(T.WITHDRAWN, Verdict.FAIL, f"the device left and did not register again within "
                    f"{exam.device.retry:g} s")
    else:
        extra = await exam.probe() if before is not None else None
        exam.report(T.WITHDRAWN, Verdict.FAIL if extra else Verdict.PASS, "it was run as a transaction" if extra else
                    f"registered again after {again.opened - since:.1f} s" if again else
                    "registered again over this connection" if over_it else "the connection works on")


SCENES_FIRST: tuple[Scene[Exam], ...] = (
    scene(T.REGISTER_JSON, T.REGISTER_NAMES, T.REGISTER_TYPES, T.REGISTER_ORDER, T.REGISTER_VALUES,
          T.OK_SHAPES[Shape.TERMINATED], seconds=2, play=first),
)
SCENES: tuple[Scene[Exam], ...] = (
    *(scene(T.OK_SHAPES[shape], seconds=1, play=_shape(shape)) for shape in Shape if shape is not Shape.TERMINATED),
    scene(T.AT_ONCE, seconds=1, play=at_once),
    scene(T.LATE_ANSWER, S.NOT_BEFORE, seconds=3, play=late_answer),
    *(scene(T.WRONG[answer.name], seconds=lambda exam: hold(exam) + 1, play=_wrong(answer.name, answer.data))
      for answer in WRONG_ANSWERS[2:]),
    scene(T.NO_ANSWER, seconds=8, play=no_answer),
    scene(T.WITHDRAWN, seconds=4, play=withdrawn),
    *(scene(T.WRONG[answer.name], T.RETRIES, seconds=lambda exam: hold(exam) + 5, play=_wrong(answer.name, answer.data))
      for answer in WRONG_ANSWERS[:2]),
)
