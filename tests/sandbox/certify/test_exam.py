"""What scenes work with: a device that is played by a plain socket."""
import asyncio
import json

import pytest

from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.table import terminal as T
from econduit_terminal.sandbox.certify.table.model import Verdict

REGISTER = b'{"Command":"Register","TerminalID":"1","AckHeartbeat":"true"}\x04\x04'
DEVICE = '[device]\ntransaction = "500ms"\nretry = "1s"\n[application]\necho = true\n'


async def registered(exam):
    reader, writer = await asyncio.open_connection("127.0.0.1", exam.bench.primary.number)
    writer.write(REGISTER)
    await reader.readuntil(b"\x04\x04")
    return reader, writer


def answer(request: bytes, runs: int) -> bytes:
    return json.dumps({"RefID": json.loads(request)["RefID"], "AuthCode": f"{runs:06d}"}).encode() + b"\x04\x04"


def test_runs_are_counted_by_what_answers_tell(on_a_bench):
    async def play(exam):
        reader, writer = await registered(exam)
        link = await exam.online()
        found = []
        for runs in (5, 6, 8):
            asked = asyncio.get_running_loop().create_task(exam.sale(link))
            request = (await reader.readuntil(b"\x04\x04"))[:-2]
            writer.write(answer(request, runs))
            found.append((await asked).runs)
        assert found == [None, 1, 2]
        writer.close()
    on_a_bench(play, DEVICE)


def test_another_transactions_answer_is_not_taken(on_a_bench):
    async def play(exam):
        reader, writer = await registered(exam)
        link = await exam.online()
        asked = asyncio.get_running_loop().create_task(exam.sale(link, within=0.5))
        await reader.readuntil(b"\x04\x04")
        writer.write(b'{"RefID":"OTHER","AuthCode":"000001"}\x04\x04')
        assert (await asked).answer is None
        writer.close()
    on_a_bench(play, DEVICE)


def test_a_device_that_does_not_come_is_gone(on_a_bench):
    async def play(exam):
        with pytest.raises(DeviceGone):
            await exam.online(0.1)
        assert await exam.back(0.0, 0.1) is None and await exam.caller(0.1) is None and not await exam.revive()
    on_a_bench(play, DEVICE)


def test_two_at_once_are_noticed(on_a_bench):
    async def play(exam):
        _, old = await registered(exam)
        _, new = await registered(exam)
        await asyncio.sleep(1.1)
        old.write(b'{"Command":"TerminalHeartbeat"}\x04\x04')
        await exam.bench.until(lambda: exam.failed(T.ONE_CONNECTION), 5)
        assert exam.failed(T.ONE_CONNECTION)
        old.close()
        new.close()
    on_a_bench(play, DEVICE)


def test_the_worse_finding_counts(on_a_bench):
    async def play(exam):
        exam.report(T.FIN, Verdict.PASS, "a")
        exam.report(T.FIN, Verdict.FAIL, "b")
        exam.report(T.FIN, Verdict.PASS, "c")
        assert exam.findings[T.FIN].seen == "b" and exam.failed(T.FIN)
    on_a_bench(play, DEVICE)
