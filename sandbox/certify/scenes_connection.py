"""Scenes of section 2: the connection is cut in every way, endpoints go away, the device comes back."""
import asyncio
from collections.abc import Callable

from econduit_terminal.sandbox.certify import judge
from econduit_terminal.sandbox.certify.bench import Mood
from econduit_terminal.sandbox.certify.exam import SETTLE, Exam, Play
from econduit_terminal.sandbox.certify.inbox import What
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import terminal as T
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Verdict

TURN_AWAY = 4.0
"""Seconds."""
RATE = 10.0
"""Connections a second (case 2.14)."""


def _report(exam: Exam, case: Case, finding: Finding) -> None:
    exam.report(case, finding.verdict, finding.seen)


async def _homes(exam: Exam, count: int) -> list[str] | None:
    """Closes the connection so often, with both endpoints listening: where the device registers; None: nowhere."""
    ports = []
    for _ in range(count):
        link = await exam.online()
        await asyncio.sleep(SETTLE)
        since = exam.bench.now
        link.fin()
        back = await exam.back(since, exam.device.retry)
        if back is None:
            return None
        ports.append(back[0].port)
    return ports


async def primary_first(exam: Exam) -> None:
    """Both listen: where does the device register?"""
    ports = await _homes(exam, 3)
    if ports is None:
        exam.report(T.PRIMARY_FIRST, Verdict.INCONCLUSIVE, "the device did not come back")
        return
    count = ports.count("primary")
    exam.report(T.PRIMARY_FIRST, Verdict.PASS if count == len(ports) else Verdict.NON_STRICT if count else Verdict.FAIL,
                f"registered at: {', '.join(ports)}")


def _cut(case: Case, how: Callable[[Link], None], good: float, enough: float) -> Play:
    async def play(exam: Exam) -> None:
        link = await exam.online()
        await asyncio.sleep(SETTLE)
        since = exam.bench.now
        how(link)
        back = await exam.back(since, enough, case.title)
        _report(exam, case, judge.returned(back[1] if back else None, good, enough))
    return play


async def fin_mid_registration(exam: Exam) -> None:
    """The Register came, the connection goes."""
    link = await exam.online()
    with exam.accepting(lambda link: False):
        since = exam.bench.now
        link.fin()
        caller = await exam.caller(exam.device.retry, since)
        if caller is None:
            exam.report(T.FIN_MID_REGISTRATION, Verdict.INCONCLUSIVE, "the device did not register again after a FIN")
            return
        exam.refused.add(caller)
        since = exam.bench.now
        caller.fin()
    back = await exam.back(since, 20.0, T.FIN_MID_REGISTRATION.title)
    _report(exam, T.FIN_MID_REGISTRATION, judge.returned(back[1] if back else None, 5.0, 20.0))


async def close_on_accept(exam: Exam) -> None:
    """Everybody is turned away for a while."""
    link = await exam.online()
    for port in exam.bench.ports:
        await port.turn_away()
    before = sum(port.dials for port in exam.bench.ports)
    link.fin()
    await asyncio.sleep(TURN_AWAY)
    dials = sum(port.dials for port in exam.bench.ports) - before
    since = exam.bench.now
    await exam.bench.open()
    back = await exam.back(since, 30.0, T.CLOSE_ON_ACCEPT.title)
    _report(exam, T.CLOSE_ON_ACCEPT, judge.returned(back[1] if back else None, 10.0, 30.0))
    rate = dials / TURN_AWAY
    exam.report(T.DIAL_RATE, Verdict.PASS if rate <= RATE else Verdict.FAIL, f"{dials} connections in {TURN_AWAY:g} s")


def _restart(seconds: int) -> Play:
    case = T.RESTARTS[seconds]

    async def play(exam: Exam) -> None:
        await exam.online()
        await exam.bench.close()
        exam.bench.cut_all()
        await asyncio.sleep(seconds)
        since = exam.bench.now
        await exam.bench.open()
        enough = 10.0 + seconds
        back = await exam.back(since, enough, case.title)
        _report(exam, case, judge.returned(back[1] if back else None, 3.0 + seconds // 3, enough))
    return play


# Failover

async def _moves(exam: Exam, case: Case, within: float, policy: Callable[[Link], bool]) -> float | None:
    """Cuts the connection and waits for a registration at the secondary."""
    with exam.accepting(policy):
        since = exam.bench.now
        exam.bench.cut_all()
        back = await exam.back(since, within, case.title, port="secondary")
        await asyncio.sleep(SETTLE)
    _report(exam, case, judge.returned(back[1] if back else None, within, within, "registered at the secondary"))
    return back[1] if back else None


async def _at_the_primary(exam: Exam) -> bool:
    """Has the device register at the primary, by closing the secondary: it may think little of the primary that turned
    it away in an earlier case."""
    if (await exam.online()).port == "primary" or exam.bench.secondary is None:
        return True
    await exam.bench.secondary.close()
    since = exam.bench.now
    exam.bench.cut_all()
    back = await exam.back(since, exam.device.retry, port="primary")
    await exam.bench.open()
    return back is not None


async def failover_refused(exam: Exam) -> None:
    """The primary's port is closed, and listens again."""
    known = await _at_the_primary(exam)
    await exam.online()
    await exam.bench.primary.close()
    if await _moves(exam, T.FAILOVER_REFUSED, 30.0, lambda link: True) is None:
        exam.report(T.BACK_AT_PRIMARY, Verdict.INCONCLUSIVE, "the device did not come to the secondary")
        return
    if not known:
        exam.report(T.BACK_AT_PRIMARY, Verdict.INCONCLUSIVE, "the device did not come to the primary before")
        return
    await exam.bench.open()
    ports = await _homes(exam, 1) or []
    if ports != ["primary"]:
        # Once more: what had refused a moment ago may be asked last.
        ports += await _homes(exam, 2) or []
    exam.report(T.BACK_AT_PRIMARY, Verdict.PASS if "primary" in ports else Verdict.FAIL,
                f"registered at: {', '.join(ports) or 'neither of both'}")


async def failover_blackholed(exam: Exam) -> None:
    """The primary's kernel drops every SYN."""
    await exam.online()
    if not await exam.bench.primary.deafen():
        exam.report(T.FAILOVER_BLACKHOLED, Verdict.INCONCLUSIVE, "this system's kernel answers SYNs even with a full "
                    "queue")
        return
    await _moves(exam, T.FAILOVER_BLACKHOLED, 45.0, lambda link: True)
    assert exam.bench.primary.mood is Mood.DEAF


async def failover_silent(exam: Exam) -> None:
    """The primary takes the connection and says nothing."""
    await exam.online()
    await _moves(exam, T.FAILOVER_SILENT, 45.0, lambda link: link.port == "secondary")
    _leave_unanswered(exam)


async def failover_refuses(exam: Exam) -> None:
    """The primary answers FAILED-REGISTRATION."""
    await exam.online()

    def policy(link: Link) -> bool:
        if link.port == "primary":
            exam.refused.add(link)
            link.send(b"FAILED-REGISTRATION\x04\x04")
            return False
        return True

    await _moves(exam, T.FAILOVER_REFUSES, 45.0, policy)


def _leave_unanswered(exam: Exam) -> None:
    """Connections that were not answered in this scene are not answered later either: they are closed."""
    for link in exam.bench.open_links():
        if link.answered is None:
            exam.refused.add(link)


# At the end of the run

async def over_the_run(exam: Exam) -> None:
    """What is judged from everything that happened."""
    link = exam.current()
    if T.STAYS_IDLE not in exam.findings and link is not None:
        # With --only, nothing has been left alone yet.
        await asyncio.sleep(max(0.0, min(8.0, 6 * exam.device.heartbeat) - (exam.bench.now - link.opened)))
    await asyncio.sleep(SETTLE)
    times = [f"{what}: {seconds:.2f} s" for what, seconds in exam.returns]
    exam.report(T.RETURN_TIMES, Verdict.INFO, "; ".join(times) or "no return was measured")
    ports = {link.port for link, _ in exam.bench.messages(What.REGISTER)}
    wanted = {port.name for port in exam.bench.ports} if exam.device.secondary else {"primary"}
    missing = wanted - ports
    exam.report(T.CONFIGURABLE, Verdict.INCONCLUSIVE if missing else Verdict.PASS,
                f"no registration at the {', '.join(sorted(missing))}" if missing
                else f"registered at: {', '.join(sorted(ports))}")
    exam.report(T.ONE_CONNECTION, Verdict.PASS, "never two at once")




SCENES_EARLY: tuple[Scene[Exam], ...] = (
    scene(T.FIN, seconds=1, play=_cut(T.FIN, Link.fin, 3.0, 10.0)),
    scene(T.PRIMARY_FIRST, seconds=2, play=primary_first),
)
SCENES: tuple[Scene[Exam], ...] = (
    scene(T.RST, seconds=1, play=_cut(T.RST, Link.rst, 3.0, 10.0)),
    scene(T.HALF_CLOSE, seconds=1, play=_cut(T.HALF_CLOSE, Link.half_close, 3.0, 10.0)),
    scene(T.FIN_MID_REGISTRATION, seconds=2, play=fin_mid_registration),
    scene(T.CLOSE_ON_ACCEPT, T.DIAL_RATE, seconds=TURN_AWAY + 2, play=close_on_accept),
    scene(T.FAILOVER_REFUSED, T.BACK_AT_PRIMARY, seconds=4, play=failover_refused),
    scene(T.FAILOVER_BLACKHOLED, seconds=6, play=failover_blackholed),
    scene(T.FAILOVER_SILENT, seconds=6, play=failover_silent),
    scene(T.FAILOVER_REFUSES, seconds=4, play=failover_refuses),
    *(scene(case, seconds=seconds + 3, play=_restart(seconds)) for seconds, case in T.RESTARTS.items()),
)
LAST: tuple[Scene[Exam], ...] = (scene(T.RETURN_TIMES, T.CONFIGURABLE, T.ONE_CONNECTION, seconds=1, play=over_the_run),)
