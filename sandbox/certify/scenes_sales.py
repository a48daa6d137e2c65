"""Scenes of section 5 that the document demands: transactions in every shape TCP can bring them."""
import asyncio
import itertools
import random
from collections.abc import Sequence

from econduit_terminal.sandbox.certify import judge, requests
from econduit_terminal.sandbox.certify.device import Format
from econduit_terminal.sandbox.certify.exam import EXTRA, SETTLE, Exam, Play, Sale
from econduit_terminal.sandbox.certify.inbox import What
from econduit_terminal.sandbox.certify.requests import Request
from econduit_terminal.sandbox.certify.scene import Scene, scene
from econduit_terminal.sandbox.certify.table import terminal as T, terminal_sales as S
from econduit_terminal.sandbox.certify.table.answers import ACK, END
from econduit_terminal.sandbox.certify.table.model import Case, Finding, Verdict

LARGE = 64 << 10
LARGE_ANSWER = 300 << 10
SPLITS = 12
WIDE = "Zo\u00eb \u4e2d\u6587 \u20ac"
"""Characters of two and three bytes."""
NO_ECHO = "without an echo application nothing tells or makes this"


def judged(exam: Exam, sale: Sale, bytes_too: bool = True) -> Finding:
    """The finding for a sale that must be run once, `bytes_too`: with every byte as it was sent."""
    limit = exam.device.transaction + EXTRA + sale.request.delay
    return judge.sold(sale.request, sale.answer, sale.runs, sale.link.closed is not None and not sale.link.by_us, limit,
                      bytes_too)


async def _sell(exam: Exam, case: Case, *sales: tuple[Request, Sequence[bytes], float]) -> None:
    """Sends each transaction in its pieces; the first that fails is the finding."""
    finding = Finding(Verdict.INCONCLUSIVE, "nothing was sent")
    for request, pieces, pause in sales:
        sale = await exam.sale(await exam.online(), request, pieces=pieces, pause=pause)
        finding = judged(exam, sale)
        if finding.verdict is not Verdict.PASS:
            # An unfinished message must not spoil what comes next.
            sale.link.fin()
            break
    exam.report(case, finding.verdict, finding.seen)


async def terminated(exam: Exam) -> None:
    """Two plain transactions; the connection stays; each is answered once."""
    link = await exam.online()
    sales = [await exam.sale(link)]
    if sales[0].answer is not None:
        await asyncio.sleep(SETTLE)
        sales.append(await exam.sale(await exam.online() if link.closed is not None else link))
    await asyncio.sleep(SETTLE)
    findings = [judged(exam, sale, bytes_too=False) for sale in sales]
    worst = next((finding for finding in findings if finding.verdict is not Verdict.PASS), findings[-1])
    if worst.verdict is Verdict.PASS and exam.device.echo:
        for sale in sales:
            count = sum(exam.belongs(message, sale.request) for message in sale.link.of(What.RESPONSE, sale.sent))
            if count > 1:
                worst = Finding(Verdict.FAIL, f"{count} responses to one transaction")
    if worst.verdict is Verdict.PASS and (count := len(link.of(What.RESPONSE, sales[0].sent))) > len(sales):
        worst = Finding(Verdict.FAIL, f"{count} responses to {len(sales)} transactions")
    exam.report(S.TERMINATED, worst.verdict, worst.seen)
    if sales[0].answer is None:
        elsewhere = next((one for one in exam.bench.links if one is not link
                          for message in one.of(What.RESPONSE, sales[0].sent)
                          if exam.belongs(message, sales[0].request)), None)
        exam.report(T.STAYS_AFTER_SALE, Verdict.FAIL if elsewhere else Verdict.INCONCLUSIVE,
                    f"the answer came over {elsewhere.name}, the transaction had come over {link.name}" if elsewhere
                    else "no transaction was answered")
    else:
        left = link.closed is not None and not link.by_us
        exam.report(T.STAYS_AFTER_SALE, Verdict.FAIL if left else Verdict.PASS,
                    "the device ended the connection after a transaction" if left
                    else "two transactions over one connection")


async def unchanged(exam: Exam) -> None:
    """A request in an unusual spelling."""
    if not exam.device.echo:
        exam.report(S.UNCHANGED, Verdict.INCONCLUSIVE, NO_ECHO)
        return
    request = requests.unusual(exam.device.format, exam.new_ref(), exam.device.terminal_id)
    sale = await exam.sale(await exam.online(), request)
    finding = judged(exam, sale)
    if sale.answer is not None and not sale.answer.request_sha256 and sale.answer.request_bytes is None:
        finding = Finding(Verdict.INCONCLUSIVE, "the answer does not tell what the application was handed")
    exam.report(S.UNCHANGED, finding.verdict, finding.seen)
    if sale.answer is None:
        sale.link.fin()


async def bare(exam: Exam) -> None:
    """Without EOT EOT; a second one at once, which must not be glued to it."""
    first, second = exam.request(), exam.request()
    await _sell(exam, S.BARE, (first, [first.body], 0.0), (second, [second.body], 0.0))


async def bytewise(exam: Exam) -> None:
    """Byte by byte, with characters of several bytes, then cut in two or three at changing places."""
    source = random.Random(1)
    first = exam.request(echo=WIDE)
    whole = first.body + END
    sales: list[tuple[Request, Sequence[bytes], float]] = [(first, [whole[at:at + 1] for at in range(len(whole))],
                                                            0.002)]
    for turn in range(SPLITS):
        request = exam.request()
        whole = request.body + END
        places = sorted({source.randrange(1, len(whole)), source.randrange(1, len(whole))}
                        | ({len(whole) - 1} if turn == 0 else set()))
        edges = [0, *places, len(whole)]
        sales.append((request, [whole[a:b] for a, b in itertools.pairwise(edges)], 0.02))
    await _sell(exam, S.BYTEWISE, *sales)


def _pause(seconds: float, case: Case) -> Play:
    async def play(exam: Exam) -> None:
        sales: list[tuple[Request, Sequence[bytes], float]] = []
        for end in (END, b"") if not exam.failed(S.BARE) else (END,):
            request = exam.request()
            half = len(request.body) // 2
            sales.append((request, [request.body[:half], request.body[half:] + end], seconds))
        await _sell(exam, case, *sales)
    return play


async def glued(exam: Exam) -> None:
    """Two in one segment. The second may be refused while the first runs."""
    link = await exam.online()
    one, two = exam.request(), exam.request()
    before, sent = await exam.runs(), exam.bench.now
    link.send(one.body + END + two.body + END)
    first = await exam.answered(link, one, sent, before)
    if not exam.device.echo:
        await exam.bench.until(lambda: len(link.of(What.RESPONSE, sent)) > 1, exam.device.transaction + EXTRA)
        count = len(link.of(What.RESPONSE, sent))
        exam.report(S.GLUED, Verdict.PASS if count == 2 else Verdict.FAIL, f"{count} answers to two transactions")
        return
    second = await exam.answered(link, two, sent, before)
    after = await exam.runs()
    runs = after - before if after is not None and before is not None else None
    wrong = judge.altered(one, first.answer) if first.answer else "the first was not answered"
    if not wrong and second.answer is None:
        wrong = "the second was neither run nor refused: no answer"
    if not wrong and second.answer:
        wrong = judge.altered(two, second.answer)
    told = second.answer is not None and (second.answer.request_sha256 or second.answer.request_bytes is not None)
    if not wrong and runs is not None and runs > (2 if told else 1) and not _acked(link.acks, sent):
        wrong = f"{runs} runs for two transactions"
    if wrong and link.open:
        link.fin()
    exam.report(S.GLUED, Verdict.FAIL if wrong else Verdict.PASS,
                wrong or ("both were run and answered" if told else "the first was run, the second refused"))


def _acked(acks: list[float], since: float) -> bool:
    return any(ack >= since - 1.0 for ack in acks)


async def glued_to_ack(exam: Exam) -> None:
    """An acknowledgement and a transaction in one segment."""
    link = await exam.online()
    link.ack = None
    since = exam.bench.now
    beat = await exam.bench.until(lambda: bool(link.of(What.HEARTBEAT, since)) or link.closed is not None,
                                  1.3 * exam.device.heartbeat + 1)
    if not beat or link.closed is not None:
        exam.report(S.GLUED_TO_ACK, Verdict.INCONCLUSIVE, "no heartbeat came")
        return
    request = exam.request()
    sale = await exam.sale(link, request, pieces=[ACK + END + request.body + END])
    link.ack = exam.ack_shape
    finding = judged(exam, sale)
    exam.report(S.GLUED_TO_ACK, finding.verdict, finding.seen)
    if finding.verdict is not Verdict.PASS:
        link.fin()


async def large(exam: Exam) -> None:
    """64 KiB."""
    if exam.device.request:
        exam.report(S.LARGE, Verdict.INCONCLUSIVE, NO_ECHO)
        return
    empty = exam.request(echo="x")
    request = exam.request(echo="The quick brown fox. "[:1 + (LARGE - len(empty.body)) % 21] + "The quick brown fox, "
                           * ((LARGE - len(empty.body)) // 21))
    await _sell(exam, S.LARGE, (request, [request.body + END], 0.0))


def _answer(case: Case, size: int) -> Play:
    async def play(exam: Exam) -> None:
        if not exam.device.echo:
            exam.report(case, Verdict.INCONCLUSIVE, NO_ECHO)
            return
        sale = await exam.sale(await exam.online(), exam.request(answer_bytes=size), within=exam.device.transaction
                               + 10)
        _report_answer(exam, case, sale)
    return play


def _report_answer(exam: Exam, case: Case, sale: Sale) -> None:
    finding = judge.answer_whole(sale.request, sale.answer, sale.link.closed is not None and not sale.link.by_us,
                                 exam.device.transaction + 10)
    if finding.verdict is Verdict.FAIL:
        part = f"; {sale.link.unfinished:,} bytes of an unfinished one" if sale.link.unfinished else ""
        finding = Finding(finding.verdict, finding.seen + part)
        sale.link.fin()
    exam.report(case, finding.verdict, finding.seen)


async def slow_reader(exam: Exam) -> None:
    """A large answer to a cloud that does not read for a while."""
    if not exam.device.echo:
        exam.report(S.SLOW_READER, Verdict.INCONCLUSIVE, NO_ECHO)
        return
    link = await exam.online()
    request = exam.request(answer_bytes=LARGE_ANSWER)
    before, sent = await exam.runs(), exam.bench.now
    link.send(request.body + END)
    link.pause_reading()
    await asyncio.sleep(2.0)
    link.resume_reading()
    _report_answer(exam, S.SLOW_READER, await exam.answered(link, request, sent, before, exam.device.transaction + 10))


async def series(exam: Exam) -> None:
    """Ten in a row, each as soon as the one before is answered."""
    link, finding = await exam.online(), Finding(Verdict.INCONCLUSIVE, "nothing was sent")
    for number in range(10):
        sale = await exam.sale(link, at_once=True)
        finding = judged(exam, sale)
        if finding.verdict is not Verdict.PASS:
            exam.report(S.SERIES, finding.verdict, f"transaction {number + 1}: {finding.seen}")
            link.fin()
            return
    exam.report(S.SERIES, finding.verdict, "ten were run once and answered")


async def lrc(exam: Exam) -> None:
    """STX with the check byte 0x04."""
    if exam.device.format is Format.STX:
        one, two = (requests.with_lrc(4, exam.new_ref()) for _ in range(2))
        await _sell(exam, S.LRC, (one, [one.body + END], 0.0), (two, [two.body], 0.0))


SCENES_EARLY: tuple[Scene[Exam], ...] = (scene(S.TERMINATED, T.STAYS_AFTER_SALE, seconds=1, play=terminated),)
SCENES: tuple[Scene[Exam], ...] = (
    scene(S.UNCHANGED, seconds=0.2, play=unchanged),
    scene(S.BARE, seconds=0.5, play=bare),
    scene(S.BYTEWISE, seconds=2, play=bytewise),
    *(scene(case, seconds=2 * seconds + 0.2, play=_pause(seconds, case)) for seconds, case in S.PAUSES.items()),
    scene(S.GLUED, seconds=0.5, play=glued),
    scene(S.GLUED_TO_ACK, seconds=lambda exam: exam.device.heartbeat, play=glued_to_ack),
    scene(S.LARGE, seconds=0.5, play=large),
    scene(S.ANSWER, seconds=0.2, play=_answer(S.ANSWER, 2000)),
    scene(S.LARGE_ANSWER, seconds=0.5, play=_answer(S.LARGE_ANSWER, LARGE_ANSWER)),
    scene(S.SLOW_READER, seconds=3, play=slow_reader),
    scene(S.SERIES, seconds=0.5, play=series),
    scene(S.LRC, seconds=0.2, play=lrc),
)
