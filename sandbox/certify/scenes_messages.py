"""The scene behind all others: what the messages of the whole run show, each Register, heartbeat and response."""
import asyncio

from econduit_terminal.sandbox.certify import judge
from econduit_terminal.sandbox.certify.device import Ack
from econduit_terminal.sandbox.certify.exam import SETTLE, Exam
from econduit_terminal.sandbox.certify.inbox import Message, What, is_heartbeat, kind_of
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.scenes_registration import LATE, register_again
from econduit_terminal.sandbox.certify.table import terminal as T
from econduit_terminal.sandbox.certify.table.answers import END
from econduit_terminal.sandbox.certify.table.model import Verdict
from econduit_terminal.sandbox.certify.unasked import unasked

SHORTEST_RUN = 10.0
"""Seconds that a device is watched while it is registered, at least, before what a whole run shows is judged."""
ON_ITS_WAY = 2.0
"""Seconds for which the rest of a message's end may be on its way."""


def _settled(exam: Exam, what: What) -> list[Message]:
    """Messages whose end was seen, or would have been: the examiner did not end the connection right behind it."""
    def enough(link: Link, message: Message) -> float:
        return ON_ITS_WAY if message is link.messages[-1] and message.tail != END and link.by_us else SETTLE

    return [message for link, message in exam.bench.messages(what)
            if link.closed is None or link.closed > message.ended + enough(link, message)]


def _online(exam: Exam) -> float:
    """Seconds that the device has been registered in this run."""
    return sum((exam.bench.now if link.closed is None else link.closed) - link.answered
               for link in exam.bench.links if link.answered is not None)


async def _something_of_each(exam: Exam) -> None:
    """With --only, nothing may have been seen yet of what is judged over the run: a transaction, a heartbeat."""
    if not _settled(exam, What.RESPONSE):
        await exam.sale(await exam.online())
    await exam.bench.until(lambda: any(is_heartbeat(message) for _, message in exam.bench.messages(What.HEARTBEAT)),
                           1.3 * exam.device.heartbeat + 1)


async def over_the_run(exam: Exam) -> None:
    """What all messages of the run show."""
    await _something_of_each(exam)
    registers = [(link, link.register) for link in exam.bench.links if link.register]
    current = exam.current()
    waited = any(link.answered is not None and register.ended < link.answered - SETTLE for link, register in registers)
    if len(registers) < 2 or not waited or (current is not None and current.of(What.RESPONSE)):
        # What a device sends while it waits for the answer, and by itself after it returned, must be seen, too.
        # The end of a message counts where nobody ended the connection behind it; a second connection that is held
        # beside the first shows itself to who waits.
        await asyncio.sleep(max(2 * SETTLE, SHORTEST_RUN - _online(exam)))
        await exam.settle()
        link = await register_again(exam)
        await asyncio.sleep(LATE)
        if link.closed is None:
            await link.accept(exam.ok_shape)
        await exam.settle()
        registers = [(link, link.register) for link in exam.bench.links if link.register]
    await asyncio.sleep(SETTLE)
    await exam.bench.until(lambda: all(link.messages[-1].tail == END for link in exam.bench.open_links()
                                       if link.messages), ON_ITS_WAY)
    bodies = list(dict.fromkeys(message.body for _, message in registers if message))
    exam.report(T.IDENTICAL, Verdict.FAIL if len(bodies) > 1 and exam.device.ack is not Ack.BOTH else Verdict.PASS,
                f"{len(bodies)} different ones; first {judge.shown(bodies[0], 200)}, then {judge.shown(bodies[1], 200)}"
                if len(bodies) > 1 else f"{len(registers)} times the same")
    other = [link.messages[0] for link in exam.bench.links
             if link.messages and kind_of(link.messages[0].body, False) is not What.REGISTER]
    exam.report(T.FIRST, Verdict.FAIL if other else Verdict.PASS, f"{len(other)} of {len(registers)} connections began "
                f"with {judge.shown(other[0].body, 80)}" if other else
                f"{len(registers)} connections, each began with a Register")
    double = [link for link in exam.bench.links if len(link.of(What.REGISTER)) > 1 and link not in exam.refused]
    others = [f"{judge.shown(message.body, 80)} came over {link.name}"
              for link, message in exam.bench.messages(What.OTHER)]
    odd = others[0] if others else unasked(exam.bench.links, exam.bench.log, exam.ref_of if exam.device.echo else None)
    exam.report(T.ONCE, Verdict.FAIL if double or odd else Verdict.PASS,
                f"{len(double[0].of(What.REGISTER))} registrations on {double[0].name}" if double
                else odd or "once on each connection, and nothing that was not asked for")
    for case, what in ((T.REGISTER_ENDS, What.REGISTER), (T.HEARTBEAT_ENDS, What.HEARTBEAT),
                       (T.RESPONSE_ENDS, What.RESPONSE)):
        finding = judge.ends(_settled(exam, what))
        if finding.verdict is Verdict.INCONCLUSIVE:
            finding = judge.ends(message for _, message in exam.bench.messages(what) if message.tail == END)
        exam.report(case, finding.verdict, finding.seen)
    content = judge.heartbeat_content([message.body for _, message in exam.bench.messages(What.HEARTBEAT)])
    exam.report(T.CONTENT, content.verdict, content.seen)
    for link, case in exam.parked:
        if link.of(What.HEARTBEAT):
            exam.report(case, Verdict.FAIL, "a heartbeat came later over the refused connection")
        link.fin()


LAST: tuple[Scene[Exam], ...] = (
    scene(T.REGISTER_ENDS, T.HEARTBEAT_ENDS, T.RESPONSE_ENDS, T.IDENTICAL, T.FIRST, T.ONCE, T.CONTENT, seconds=1,
          play=over_the_run),
)
