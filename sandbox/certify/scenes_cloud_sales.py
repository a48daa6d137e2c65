"""Scenes of a cloud: transactions by its URL, end to end."""
import asyncio
import json

from econduit_terminal.sandbox.certify.cloud_exam import Called, CloudExam, Refused
from econduit_terminal.sandbox.certify.cloud_link import Terminal, Wire
from econduit_terminal.sandbox.certify.judge import shown
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.scenes_cloud import approval
from econduit_terminal.sandbox.certify.table import cloud as C
from econduit_terminal.sandbox.certify.table.answers import END, EOT
from econduit_terminal.sandbox.certify.table.model import Case, Verdict


def told(called: Called | None) -> str:
    """What the caller was told, in words."""
    return "no answer to the caller" if called is None else f"the caller got {called.status}: {shown(called.body)}"


async def _requested(exam: CloudExam, case: Case) -> tuple[Wire, "asyncio.Task[Called]", str] | None:
    """A sale is called and has come over the connection; None when it has not."""
    wire = await exam.registered()
    ref, since = exam.new_ref(), exam.now
    call = exam.call(exam.call_url(ref))
    request = await exam.request(wire, since)
    if request is None:
        exam.report(case, Verdict.FAIL, "no transaction came over the connection; "
                    + (told(await exam.called(call, 0.1)) if call.done() else "the call waits"))
        return None
    return wire, call, ref


async def sale(exam: CloudExam) -> None:
    """The whole way; every value as it was given."""
    found = await _requested(exam, C.SALE)
    if found is None:
        return
    wire, call, ref = found
    wire.send(approval(exam, ref, "Z9Y8X7") + END)
    called = await exam.called(call, 10.0)
    await exam.until(lambda: wire.closed is not None or None, 0.5)
    count = len(wire.requests())
    exam.holds(C.SALE, called is not None and called.status == 200 and bool(called.fields) and count == 1,
               told(called) if count == 1 else f"the request came {count} times")
    if wire.closed is not None:
        exam.report(C.STAYS, Verdict.FAIL, "the cloud closed it after a transaction")
    fields = called.fields if called else {}
    wanted = {name.lower(): value for name, value in json.loads(approval(exam, ref, "Z9Y8X7")).items()
              if isinstance(value, str)}
    wrong = {name: fields.get(name) for name, value in wanted.items() if fields.get(name) != value}
    exam.holds(C.SALE_FIELDS, not wrong, "every value as answered", f"not as answered: {wrong}")


async def _answered(exam: CloudExam, case: Case, pieces: int, filler: int) -> None:
    found = await _requested(exam, case)
    if found is None:
        return
    wire, call, ref = found
    body = approval(exam, ref, filler=filler)
    if pieces:
        await wire.send_pieces(body + END, pieces)
    else:
        wire.send(body + END)
    called = await exam.called(call, 20.0)
    fields = called.fields if called else {}
    good = fields.get("refid") == ref and called is not None and called.approved and len(fields.get("filler",
                                                                                                    "")) == filler
    exam.holds(case, good, f"the caller got {len(called.body) if called else 0:,} bytes", told(called))


async def bytewise(exam: CloudExam) -> None:
    """Byte by byte."""
    await _answered(exam, C.SALE_BYTEWISE, 1, 0)


async def large(exam: CloudExam) -> None:
    """300 KiB."""
    await _answered(exam, C.SALE_LARGE, 0, 300 << 10)


async def alone(exam: CloudExam) -> None:
    """Half an answer and one 0x04; the rest later."""
    found = await _requested(exam, C.SALE_ALONE)
    if found is None:
        return
    wire, call, ref = found
    body = approval(exam, ref)
    half = body.index(b'"Message"')
    wire.send(body[:half] + EOT)
    early = await exam.called(call, 1.0)
    if early is not None:
        exam.report(C.SALE_ALONE, Verdict.FAIL, f"before the end: {told(early)}")
        return
    wire.send(body[half:] + END)
    called = await exam.called(call, 10.0)
    exam.holds(C.SALE_ALONE, called is not None, f"after the end: {told(called)}")


async def lost(exam: CloudExam) -> None:
    """The terminal goes."""
    found = await _requested(exam, C.SALE_LOST)
    if found is None:
        return
    wire, call, _ = found
    wire.reset()
    called = await exam.called(call, 5.0)
    call.cancel()
    exam.holds(C.SALE_LOST, called is None or not called.approved, told(called) if called
               else "the caller is not told \"Approved\"",
               told(called))


async def late(exam: CloudExam) -> None:
    """The terminal goes, comes back and answers."""
    found = await _requested(exam, C.SALE_LATE)
    if found is None:
        return
    wire, call, ref = found
    wire.reset()
    await asyncio.sleep(0.3)
    wire = await exam.registered()
    wire.send(approval(exam, ref, "LATE01") + END)
    called = await exam.called(call, 3.0)
    if called is None or not called.approved:
        await asyncio.sleep(0.5)
        url = exam.call_url(ref, "checkStatus") + f"&date={_today()}"
        called = await exam.called(exam.call(url), 10.0)
    exam.holds(C.SALE_LATE, called is not None and called.fields.get("authcode") == "LATE01", told(called))
    call.cancel()


def _today() -> str:
    """MMddyyyy, US Central as the public pages say; a zone's rules are not needed for a date that is only a hint."""
    from datetime import UTC, datetime, timedelta
    return (datetime.now(UTC) - timedelta(hours=6)).strftime("%m%d%Y")


async def nobody(exam: CloudExam) -> None:
    """No connection at all."""
    await exam.settle()
    await asyncio.sleep(0.5)
    called = await exam.called(exam.call(exam.call_url(exam.new_ref())), 30.0)
    exam.holds(C.SALE_NOBODY, called is not None and not called.approved, told(called))


async def beats(exam: CloudExam) -> None:
    """A heartbeat between."""
    found = await _requested(exam, C.SALE_BEATS)
    if found is None:
        return
    wire, call, ref = found
    wire.beat()
    early = await exam.called(call, 0.5)
    wire.send(approval(exam, ref) + END)
    called = early or await exam.called(call, 10.0)
    exam.holds(C.SALE_BEATS, early is None and called is not None and called.fields.get("refid") == ref, told(called))


async def series(exam: CloudExam) -> None:
    """Ten in a row."""
    wire = await exam.registered()
    for number in range(10):
        ref, since = exam.new_ref(), exam.now
        call = exam.call(exam.call_url(ref))
        if await exam.request(wire, since) is None:
            exam.report(C.SERIES, Verdict.FAIL, f"transaction {number + 1} did not come")
            return
        wire.send(approval(exam, ref, f"S{number:05d}") + END)
        called = await exam.called(call, 10.0)
        if called is None or called.fields.get("refid") != ref or called.fields.get("authcode") != f"S{number:05d}":
            exam.report(C.SERIES, Verdict.FAIL, f"transaction {number + 1}: {told(called)}")
            return
    exam.report(C.SERIES, Verdict.PASS, "ten answers to ten callers")


async def two_terminals(exam: CloudExam) -> None:
    """A transaction for each of two terminals that are connected at once."""
    other = Terminal(exam.terminal.type, exam.terminal.id[:-1] + ("1" if exam.terminal.id[-1:] != "1" else "2"))
    wires = {exam.terminal: await exam.registered()}
    try:
        wires[other] = await exam.registered(other)
    except Refused as reason:
        exam.report(C.TWO_TERMINALS, Verdict.INFO, f"not tried: a second terminal, {other.id}, is not taken ({reason})")
        return
    for terminal, wire in wires.items():
        ref, since = exam.new_ref(), exam.now
        call = exam.call(exam.call_url(ref, terminal=terminal.id))
        request = await exam.request(wire, since, 5.0)
        if request is not None:
            wire.send(approval(exam, ref) + END)
            await exam.called(call)
        call.cancel()
        strange = [one.name for one in wires.values() if one is not wire and one.requests(since)]
        if request is None or strange:
            exam.report(C.TWO_TERMINALS, Verdict.FAIL, f"the transaction for {terminal.id} "
                        + (f"came over {strange[0]}, the connection of the other" if strange else "did not come"))
            return
    exam.report(C.TWO_TERMINALS, Verdict.PASS, "each came over its own connection")


SCENES: tuple[Scene[CloudExam], ...] = (
    scene(C.SALE, C.SALE_FIELDS, C.STAYS, seconds=1, play=sale),
    scene(C.TWO_TERMINALS, seconds=1, play=two_terminals),
    scene(C.SALE_BYTEWISE, seconds=1, play=bytewise),
    scene(C.SALE_ALONE, seconds=1.5, play=alone),
    scene(C.SALE_LARGE, seconds=0.5, play=large),
    scene(C.SALE_BEATS, seconds=1, play=beats),
    scene(C.SERIES, seconds=1, play=series),
    scene(C.SALE_LOST, seconds=5.5, play=lost),
    scene(C.SALE_LATE, seconds=5, play=late),
    scene(C.SALE_NOBODY, seconds=1, play=nobody),
)
