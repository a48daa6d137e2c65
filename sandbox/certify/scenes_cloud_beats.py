"""Scenes of a cloud: heartbeats, idle for long, and what the whole run showed."""
import asyncio

from econduit_terminal.sandbox.certify.cloud_exam import CloudExam
from econduit_terminal.sandbox.certify.cloud_link import Terminal
from econduit_terminal.sandbox.certify.judge import HEARTBEAT, shown
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.scenes_cloud import said
from econduit_terminal.sandbox.certify.table import cloud as C
from econduit_terminal.sandbox.certify.table.answers import END, FAILED
from econduit_terminal.sandbox.certify.table.model import Case, Profile, Verdict


async def ack(exam: CloudExam) -> None:
    """One heartbeat, then four more."""
    wire = await exam.registered()
    since = exam.now
    wire.beat()
    acks = await exam.ack(wire, since)
    exam.holds(C.ACK, bool(acks), f"after {acks[0].t - since:.3f} s" if acks
               else said(wire, wire.since(since)[0] if wire.since(since) else None))
    if not acks:
        return
    exam.ack_times.append(acks[0].t - since)
    for _ in range(4):
        wire.beat()
        await asyncio.sleep(0.1)
    acks = await exam.ack(wire, since, 5)
    await asyncio.sleep(0.5)
    count = len([message for message in wire.since(since) if message.ack])
    exam.holds(C.ACK_TWICE, count == 5, f"{count} for five heartbeats")
    exam.report(C.ACK_TIME, Verdict.INFO, f"{exam.ack_times[0] * 1000:.1f} ms")


async def no_ack(exam: CloudExam) -> None:
    """AckHeartbeat "false"."""
    wire = await exam.registered(Terminal(exam.terminal.type, exam.terminal.id, ack=False))
    since = exam.now
    wire.beat()
    await asyncio.sleep(0.5)
    wire.beat()
    await exam.until(lambda: wire.since(since) or wire.closed is not None or None, 1.5)
    came = wire.since(since)
    exam.holds(C.NO_ACK, not came and wire.open, "nothing came", f"{shown(came[0].body)} came" if came
               else "the cloud closed it")


async def beats_split(exam: CloudExam) -> None:
    """Three glued, one byte by byte."""
    wire = await exam.registered()
    since = exam.now
    wire.send((HEARTBEAT + END) * 3)
    await exam.ack(wire, since, 3, 2.0)
    await wire.send_pieces(HEARTBEAT + END)
    acks = await exam.ack(wire, since, 4)
    exam.holds(C.BEATS_SPLIT, len(acks) == 4, f"{len(acks)} acknowledgements for four heartbeats")


async def idle(exam: CloudExam) -> None:
    """Nothing but heartbeats."""
    total, every = (24.0, 12.0) if exam.profile is Profile.QUICK else (190.0, 60.0)
    await _idle(exam, C.IDLE, total, every)


async def hours(exam: CloudExam) -> None:
    """Heartbeats alone, for hours."""
    await _idle(exam, C.LONG, exam.hours * 3600, 60.0)


async def _idle(exam: CloudExam, case: Case, total: float, every: float) -> None:
    wire = await exam.registered()
    start, beats = exam.now, 0
    while exam.now < start + total:
        await exam.until(lambda: wire.closed is not None or None, every)
        since = exam.now
        if not wire.beat() or not await exam.ack(wire, since):
            exam.report(case, Verdict.FAIL, f"after {since - start:.0f} s: "
                        + ("no acknowledgement" if wire.open else "closed"))
            return
        beats += 1
    exam.report(case, Verdict.PASS, f"{exam.now - start:.0f} s, {beats} heartbeats, each acknowledged")


async def over_the_run(exam: CloudExam) -> None:
    """Every answer and every acknowledgement of the run; with --only, some are made now."""
    if not any(answer.body.startswith(FAILED) for answer in exam.answers):
        wire, since = await exam.connect(), exam.now
        wire.send(exam.terminal.register()[:60] + END)
        await exam.answer(wire, since)
    if not exam.acks:
        wire, since = await exam.registered(), exam.now
        wire.beat()
        await exam.ack(wire, since)
    odd = [answer for answer in exam.answers if answer.answer is None or answer.answer != answer.body]
    exam.holds(C.ANSWER_TEXT, not odd, f"all {len(exam.answers)} answers are the document's texts",
               f"{shown(odd[0].body)} is none of the three" if odd else "")
    if not exam.acks:
        exam.report(C.ACK_ENDS, Verdict.INCONCLUSIVE, "none was seen")
        return
    wrong = [ack for ack in exam.acks if ack.end[:2] != END or ack.body != b'{"Status":"OK"}']
    if any(ack.end[:2] != END for ack in wrong):
        exam.report(C.ACK_ENDS, Verdict.FAIL, f"{wrong[0].end.hex(' ') or 'nothing'} behind {shown(wrong[0].body)}")
    else:
        exam.report(C.ACK_ENDS, Verdict.NON_STRICT if wrong else Verdict.PASS,
                    f"not byte by byte the document's: {shown(wrong[0].body)}" if wrong else f"all {len(exam.acks)}")


SCENES: tuple[Scene[CloudExam], ...] = (
    scene(C.ACK, C.ACK_TWICE, C.ACK_TIME, seconds=1, play=ack),
    scene(C.NO_ACK, seconds=2, play=no_ack),
    scene(C.BEATS_SPLIT, seconds=0.5, play=beats_split),
)
LAST: tuple[Scene[CloudExam], ...] = (
    scene(C.IDLE, seconds=lambda exam: 24.0 if exam.profile is Profile.QUICK else 190.0, play=idle),
    scene(C.LONG, seconds=lambda exam: exam.hours * 3600, play=hours),
    scene(C.ANSWER_TEXT, C.ACK_ENDS, seconds=0.1, play=over_the_run),
)
