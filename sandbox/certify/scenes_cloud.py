"""Scenes of a cloud: registrations."""
import asyncio

from econduit_terminal.sandbox.certify.cloud_exam import ANSWER, CloudExam, Refused
from econduit_terminal.sandbox.certify.cloud_link import Wire
from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.judge import HEARTBEAT, shown
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import cloud as C
from econduit_terminal.sandbox.certify.table.answers import END, EOT, FAILED, INVALID_TYPE, OK
from econduit_terminal.sandbox.certify.table.model import Case, Verdict

HELD = 0.7
"""Seconds in which nothing may come for a message that has not ended."""


def said(wire: Wire, answer: object) -> str:
    """What a registration came to, in words."""
    body = getattr(answer, "body", None)
    return f"answered {shown(body)}" if body is not None else "closed" if wire.closed is not None else "no answer"


async def ok(exam: CloudExam) -> None:
    """A right registration; then the connection is left alone."""
    wire = await exam.connect()
    since = exam.now
    wire.send(exam.terminal.register() + END)
    answer = await exam.answer(wire, since)
    exam.holds(C.OK, answer is not None and answer.answer == OK, f"{said(wire, answer)} after "
               f"{(answer.t - since if answer else ANSWER):.2f} s")
    if answer is None or answer.answer != OK:
        return
    await exam.until(lambda: wire.closed is not None or len(wire.messages) > 1 or None, 5.0)
    exam.holds(C.STAYS, wire.open and len(wire.messages) == 1, "open after 5 s, nothing came",
               "the cloud closed it" if wire.closed is not None else f"{shown(wire.messages[-1].body)} came unasked")


async def secondary(exam: CloudExam) -> None:
    """The other endpoint."""
    try:
        wire = await exam.connect(secondary=True)
    except DeviceGone as reason:
        exam.report(C.SECONDARY, Verdict.FAIL, f"no connection can be made: {reason}")
        return
    since = exam.now
    wire.send(exam.terminal.register() + END)
    answer = await exam.answer(wire, since)
    exam.holds(C.SECONDARY, answer is not None and answer.answer == OK, said(wire, answer))


async def dropped(exam: CloudExam) -> None:
    """Reset and registered again, five times."""
    for _ in range(5):
        try:
            wire = await exam.registered()
        except Refused as reason:
            exam.report(C.DROPPED, Verdict.FAIL, str(reason))
            return
        wire.reset()
    exam.report(C.DROPPED, Verdict.PASS, "five times OK-REGISTRATION")


async def _held(exam: CloudExam, case: Case, first: bytes, then: bytes) -> None:
    wire = await exam.connect()
    since = exam.now
    wire.send(first)
    await asyncio.sleep(HELD)
    early = wire.since(since)
    if early:
        exam.report(case, Verdict.FAIL, f"answered {shown(early[0].body)} before the end was sent")
        return
    wire.send(then)
    answer = await exam.answer(wire, since)
    exam.holds(case, answer is not None and answer.answer == OK, said(wire, answer) + " after the end")


async def alone(exam: CloudExam) -> None:
    """One 0x04, a pause, the other."""
    await _held(exam, C.ALONE, exam.terminal.register() + EOT, EOT)


async def unended(exam: CloudExam) -> None:
    """No end, a pause, EOT EOT."""
    await _held(exam, C.UNENDED, exam.terminal.register(), END)


async def bytewise(exam: CloudExam) -> None:
    """Each byte in its own segment."""
    wire = await exam.connect()
    since = exam.now
    await wire.send_pieces(exam.terminal.register() + END)
    answer = await exam.answer(wire, since)
    await asyncio.sleep(0.3)
    more = len(wire.messages)
    exam.holds(C.BYTEWISE, answer is not None and answer.answer == OK and more == 1, said(wire, answer),
               said(wire, answer) + (f", {more} messages in all" if more > 1 else ""))


async def split_end(exam: CloudExam) -> None:
    """A heartbeat whose end is split."""
    wire = await exam.registered()
    since = exam.now
    await wire.send_pieces(HEARTBEAT + END, len(HEARTBEAT) + 1, 0.3)
    acks = await exam.ack(wire, since)
    exam.holds(C.SPLIT_END, len(acks) == 1, f"{len(acks)} acknowledgements")


async def surplus_end(exam: CloudExam) -> None:
    """EOT EOT with nothing before."""
    wire = await exam.registered()
    since = exam.now
    wire.send(END)
    await asyncio.sleep(0.1)
    wire.beat()
    acks = await exam.ack(wire, since)
    exam.holds(C.SURPLUS_END, len(acks) == 1 and wire.open, f"{len(acks)} acknowledgements"
               + ("" if wire.open else ", closed"))


async def invalid_type(exam: CloudExam) -> None:
    """A type that does not exist; then a right registration."""
    wire = await exam.connect()
    since = exam.now
    wire.send(exam.terminal.register(TerminalType=exam.invalid_type) + END)
    answer = await exam.answer(wire, since)
    exam.holds(C.INVALID_TYPE, answer is not None and answer.body.startswith(INVALID_TYPE), said(wire, answer))


async def _refuses(exam: CloudExam, case: Case, data: bytes, wanted: tuple[bytes, ...], what: str) -> None:
    wire = await exam.connect()
    since = exam.now
    wire.send(data)
    answer = await exam.answer(wire, since)
    # Whether it is the text and nothing else is another case's.
    exam.holds(case, answer is not None and answer.body.startswith(wanted), f"{what}: {said(wire, answer)}")


async def missing(exam: CloudExam) -> None:
    """Fields are missing."""
    for name in ("TerminalType", "TerminalID"):
        await _refuses(exam, C.MISSING, exam.terminal.register(**{name: None}) + END, (FAILED, INVALID_TYPE),
                       f"without {name}")
    await _refuses(exam, C.MISSING, exam.terminal.register(TerminalID="") + END, (FAILED, INVALID_TYPE),
                   "with an empty TerminalID")


async def not_json(exam: CloudExam) -> None:
    """Half a registration."""
    await _refuses(exam, C.NOT_JSON, exam.terminal.register()[:60] + END, (FAILED,), "half of one")


async def no_register(exam: CloudExam) -> None:
    """A heartbeat first."""
    wire = await exam.connect()
    wire.beat()
    await exam.until(lambda: wire.closed is not None or None, 1.0)
    wrong = [message for message in wire.messages if message.ack or message.answer == OK]
    exam.holds(C.NO_REGISTER, not wrong, said(wire, wire.messages[0] if wire.messages else None),
               f"answered {shown(wrong[0].body)}" if wrong else "")


async def after_failure(exam: CloudExam) -> None:
    """Wrongly, then rightly."""
    wire = await exam.connect()
    since = exam.now
    wire.send(exam.terminal.register(TerminalType=None) + END)
    await exam.answer(wire, since)
    wire.close()
    try:
        await exam.registered()
    except Refused as reason:
        exam.report(C.AFTER_FAILURE, Verdict.FAIL, str(reason))
    else:
        exam.report(C.AFTER_FAILURE, Verdict.PASS, "OK-REGISTRATION")


async def twice(exam: CloudExam) -> None:
    """Two connections of one TerminalID; where there is a URL, a transaction must come over the newer."""
    older = await exam.registered()
    try:
        newer = await exam.registered()
    except Refused as reason:
        exam.report(C.TWICE, Verdict.FAIL, str(reason))
        return
    if not exam.url:
        exam.report(C.TWICE, Verdict.PASS, "OK-REGISTRATION on both (no --url: not tried where a transaction goes)")
        return
    ref, since = exam.new_ref(), exam.now
    call = exam.call(exam.call_url(ref))
    request = await exam.request(newer, since)
    if request is not None:
        newer.send(approval(exam, ref) + END)
        await exam.called(call)
    exam.holds(C.TWICE, request is not None and not older.requests(since), "the transaction came over the newer",
               "the transaction did not come over the newer" if request is None else "the transaction came over both")


def approval(exam: CloudExam, ref: str, auth: str = "A1B2C3", filler: int = 0) -> bytes:
    """An answer to a sale."""
    more = ',"Filler":"' + "x" * filler + '"' if filler else ""
    return (f'{{"TerminalID":"{exam.terminal.id}","ResultCode":"Approved","AuthCode":"{auth}","TransType":"Sale",'
            f'"Amount":2.50,"AmountString":"2.50","CardType":"Visa","Last4":"1111","Message":"APPROVED",'
            f'"RefID":"{ref}","Name":"Zo\u00eb \u0141"{more}}}').encode()


async def glued(exam: CloudExam) -> None:
    """A registration and a heartbeat in one segment."""
    wire = await exam.connect()
    since = exam.now
    wire.send(exam.terminal.register() + END + HEARTBEAT + END)
    answer = await exam.answer(wire, since)
    acks = await exam.ack(wire, since)
    exam.holds(C.GLUED, answer is not None and answer.answer == OK and len(acks) == 1,
               f"{said(wire, answer)}, {len(acks)} acknowledgements")


async def further_field(exam: CloudExam) -> None:
    """A field that the document does not know."""
    wire = await exam.connect()
    since = exam.now
    wire.send(exam.terminal.register(Battery="80") + END)
    answer = await exam.answer(wire, since)
    exam.holds(C.LARGE_REGISTER, answer is not None and answer.answer == OK, said(wire, answer))


FIRST: tuple[Scene[CloudExam], ...] = (scene(C.OK, C.STAYS, seconds=5.2, play=ok),)
SCENES: tuple[Scene[CloudExam], ...] = (
    scene(C.ALONE, seconds=1, play=alone),
    scene(C.UNENDED, seconds=1, play=unended),
    scene(C.BYTEWISE, seconds=1, play=bytewise),
    scene(C.SPLIT_END, seconds=0.3, play=split_end),
    scene(C.SURPLUS_END, seconds=0.3, play=surplus_end),
    scene(C.SECONDARY, seconds=0.2, play=secondary),
    scene(C.DROPPED, seconds=0.5, play=dropped),
    scene(C.INVALID_TYPE, seconds=0.2, play=invalid_type),
    scene(C.MISSING, seconds=0.3, play=missing),
    scene(C.NOT_JSON, seconds=0.2, play=not_json),
    scene(C.NO_REGISTER, seconds=1, play=no_register),
    scene(C.AFTER_FAILURE, seconds=0.3, play=after_failure),
    scene(C.GLUED, seconds=0.3, play=glued),
    scene(C.LARGE_REGISTER, seconds=0.2, play=further_field),
    scene(C.TWICE, seconds=1, play=twice),
)
