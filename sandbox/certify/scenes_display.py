"""Scenes of sections 6 and 7: what the display says, and the cables that a person (or a hook) pulls."""
import asyncio

from econduit_terminal.sandbox.certify.display import OFFLINE, ONLINE
from econduit_terminal.sandbox.certify.exam import DeviceGone, Exam, Play
from econduit_terminal.sandbox.certify.person import Cannot
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import terminal as T, terminal_sales as S
from econduit_terminal.sandbox.certify.table.answers import END
from econduit_terminal.sandbox.certify.table.model import Case, Verdict

SOON, IN_TIME = 5.0, 10.0
"""Seconds until the display shows that the device is online, and that it is not (cases 6.1, 6.2)."""
REFUSED_FOR = 1.0
"""Seconds for which ports stay closed once the display is offline: the device is to be refused before it returns."""
RETURN = 12.0
"""Seconds for which a device that was refused is waited for at least: what case 2.15 allows."""
AWAY = 8.0
BACK_GOOD, BACK_ENOUGH = 20.0, 60.0
"""Seconds that the network is away, and until a registration after it (section 7)."""


async def display(exam: Exam) -> None:
    """Online, everything closed, online again."""
    link = await exam.online()
    await _shows(exam, S.ONLINE, ONLINE, SOON, link.answered or exam.bench.now)
    await exam.bench.close()
    since = exam.bench.now
    exam.bench.cut_all()
    reading = await _shows(exam, S.OFFLINE, OFFLINE, IN_TIME, since)
    if reading:
        try:
            red = await exam.display.red()
        except Cannot as reason:
            exam.report(S.RED, Verdict.INCONCLUSIVE, str(reason))
        else:
            exam.report(S.RED, Verdict.PASS if red else Verdict.NON_STRICT, "red" if red else "not red")
    else:
        exam.report(S.RED, Verdict.INCONCLUSIVE, f"“{OFFLINE}” was not shown")
    await asyncio.sleep(REFUSED_FOR)
    await exam.bench.open()
    patience = max(exam.device.retry, RETURN)
    try:
        link = await exam.online(patience)
    except DeviceGone:
        exam.report(T.RESTARTS[2], Verdict.FAIL, f"not registered within {patience:g} s after both ports had been "
                    "closed for a moment")
        raise
    await _shows(exam, S.BACK_ONLINE, ONLINE, SOON, link.answered or exam.bench.now)
    exam.report(S.DISPLAY_TIMES, Verdict.INFO,
                "; ".join(f"{what}: {seconds:.2f} s" for what, seconds in exam.display_times)
                or "not measured")


async def _shows(exam: Exam, case: Case, text: str, within: float, since: float) -> bool:
    try:
        reading = await exam.display.wait_for(text, within, since)
    except Cannot as reason:
        exam.report(case, Verdict.INCONCLUSIVE, str(reason))
        return False
    if reading is None:
        latest = exam.display.latest
        exam.report(case, Verdict.FAIL, f"it says “{latest.text}” after {within:g} s" if latest
                    else f"it does not say “{text}”")
        return False
    if exam.device.display_url:
        turned = exam.display.turned(text, since - 0.1)
        took = max(0.0, (turned or reading).t - since)
        exam.display_times.append((text, took))
        exam.report(case, Verdict.PASS, f"“{text}” after {took:.2f} s")
    else:
        exam.report(case, Verdict.PASS, f"“{text}”")
    return True


def _loss(case: Case, out: str, back: str, words: tuple[str, str], sale: bool) -> Play:
    async def play(exam: Exam) -> None:
        link = await exam.online()
        request, before, sent = exam.request(delay=3.0 if exam.device.echo else 0.0), await exam.runs(), exam.bench.now
        if sale:
            link.send(request.body + END)
            await asyncio.sleep(0.5)
        asked = exam.bench.now
        await exam.hands.do(out, words[0])
        gone = exam.bench.now
        offline = ""
        try:
            if exam.device.display and not sale:
                # It may be back by another way before the hook has returned.
                reading = (exam.display.turned(OFFLINE, asked)
                           or await exam.display.wait_for(OFFLINE, IN_TIME, gone))
                offline = "" if reading else f"the display did not say “{OFFLINE}” within {IN_TIME:g} s"
            await asyncio.sleep(max(0.0, AWAY - (exam.bench.now - gone)))
        finally:
            returned = exam.bench.now
            await exam.hands.do(back, words[1])
        asked = exam.bench.now
        found = await exam.back(gone, BACK_ENOUGH)
        if found is not None and found[0].register is not None:
            # Counted from the return; before it, the device found another way.
            found = found[0], max(0.0, found[0].register.ended - returned)
            exam.returns.append((case.title, found[1]))
        if found is None and link.open and (await exam.sale(link)).answer:
            found = link, exam.bench.now - asked
            words_ = "the old connection outlived it"
        else:
            words_ = f"registered again after {found[1]:.2f} s" if found else f"not registered within {BACK_ENOUGH:g} s"
        if found is None:
            exam.report(case, Verdict.FAIL, words_)
            return
        if sale:
            await _ask_again(exam, case, request.ref, before, sent, words_)
            return
        if offline:
            exam.report(case, Verdict.FAIL, offline)
            return
        exam.report(case, Verdict.PASS if found[1] <= BACK_GOOD else Verdict.NON_STRICT, words_)
    return play


async def _ask_again(exam: Exam, case: Case, ref: str, before: int | None, sent: float, words: str) -> None:
    """After the loss: the same request again. At most one run."""
    request = exam.sales[ref]
    link = await exam.online()
    sale = await exam.answered(link, request, sent, before, 3.0, anywhere=True)
    if sale.answer is None:
        link.send(request.body + END)
        sale = await exam.answered(link, request, exam.bench.now - 0.01, before)
    after = await exam.runs()
    runs = after - before if before is not None and after is not None else None
    if sale.answer is None:
        exam.report(case, Verdict.FAIL, words + "; the transaction was never answered, nor when asked again")
    elif runs is not None and runs > 1:
        exam.report(case, Verdict.FAIL, words + f"; the transaction was run {runs} times")
    else:
        exam.report(case, Verdict.PASS, words + "; the transaction was run once and answered" if runs else words
                    + "; answered")


_CABLE = ("Pull the network cable out of the device now", "Plug the network cable in again")
_WIFI = ("Take the device out of Wi-Fi range now, or switch the access point off", "Bring the Wi-Fi back")
_UPLINK = ("Take the internet away behind the router now; leave the device's cable in", "Bring the internet back")
_LOSSES = ((S.CABLE, "cable", _CABLE, False), (S.CABLE_SALE, "cable", _CABLE, True), (S.WIFI, "wifi", _WIFI, False),
           (S.WIFI_SALE, "wifi", _WIFI, True), (S.UPLINK, "uplink", _UPLINK, False),
           (S.UPLINK_SALE, "uplink", _UPLINK, True))
SCENES: tuple[Scene[Exam], ...] = (
    scene(S.ONLINE, S.OFFLINE, S.RED, S.BACK_ONLINE, S.DISPLAY_TIMES, seconds=5, play=display),
    *(scene(case, seconds=AWAY + 5, play=_loss(case, f"{what}_out", f"{what}_in", words, sale))
      for case, what, words, sale in _LOSSES),
)
