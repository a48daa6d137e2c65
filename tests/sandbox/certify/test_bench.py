"""Two ports with moods."""
import asyncio
import socket
import time

import pytest

from econduit_terminal.sandbox.certify.bench import Bench, Mood
from econduit_terminal.sandbox.certify.inbox import What


async def refused(port) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port.number), 2)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


def test_a_port_listens_refuses_and_turns_away(on_a_bench):
    async def play(exam):
        port = exam.bench.primary
        assert not await refused(port)
        await port.close()
        assert await refused(port) and port.mood is Mood.CLOSED
        await port.turn_away()
        reader, _ = await asyncio.open_connection("127.0.0.1", port.number)
        assert await asyncio.wait_for(reader.read(1), 5) == b"" and port.dials == 2
        await port.open()
        assert not await refused(port)
    on_a_bench(play)


def test_a_deaf_port_answers_no_syn_and_hears_again(on_a_bench):
    async def play(exam):
        port = exam.bench.primary
        if not await port.deafen():
            pytest.skip("this kernel answers SYNs with a full accept queue")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port.number), 0.5)
        await port.open()
        assert not await refused(port)
    on_a_bench(play)


def test_until_sees_every_change_and_ends_in_time(on_a_bench):
    async def play(exam):
        start = time.monotonic()
        assert await exam.bench.until(lambda: None, 0.1) is None
        assert time.monotonic() - start < 10
        values = iter([None, False, "x"])
        waiting = asyncio.get_running_loop().create_task(exam.bench.until(lambda: next(values), 5))
        for _ in range(2):
            await asyncio.sleep(0.01)
            exam.bench.changed()
        assert await waiting == "x"
    on_a_bench(play)


def test_who_dials_without_a_word_is_forgotten(on_a_bench):
    async def play(exam):
        for _ in range(5):
            await refused(exam.bench.primary)
        await exam.bench.until(lambda: not exam.bench.links, 5)
        assert exam.bench.primary.dials == 5
    on_a_bench(play)


def test_other_commands_are_no_heartbeats_once_one_is_known(on_a_bench):
    async def play(exam):
        _, writer = await asyncio.open_connection("127.0.0.1", exam.bench.primary.number)
        for command in ("Register", "Status", "TerminalHeartbeat", "Status"):
            writer.write(f'{{"Command":"{command}"}}\x04\x04'.encode())
        await exam.bench.until(lambda: len(exam.bench.messages(What.OTHER)) == 2, 5)
        assert len(exam.bench.messages(What.HEARTBEAT)) == 1
        writer.close()
    on_a_bench(play)


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bench = Bench("127.0.0.1", (taken.getsockname()[1], None))
        with pytest.raises(OSError, match=f"port {taken.getsockname()[1]}.*--ports"):
            asyncio.run(bench.open())
