"""One connection of a device, on real sockets."""
import asyncio

from econduit_terminal.sandbox.certify.inbox import What
from econduit_terminal.sandbox.certify.table.answers import Shape

REGISTER = b'{"Command":"Register","TerminalID":"1","AckHeartbeat":"true"}\x04\x04'
BEAT = b'{"Command":"TerminalHeartbeat"}\x04\x04'


async def dial(exam):
    return await asyncio.open_connection("127.0.0.1", exam.bench.primary.number)


def test_a_registration_is_answered_and_a_heartbeat_acknowledged(on_a_bench):
    async def play(exam):
        reader, writer = await dial(exam)
        writer.write(REGISTER)
        assert await reader.readexactly(17) == b"OK-REGISTRATION\x04\x04"
        link = await exam.online(1)
        link.ack = Shape.SPLIT
        writer.write(BEAT)
        assert await reader.readexactly(17) == b'{"Status":"OK"}\x04\x04'
        assert len(link.acks) == 1 and link.register.tail == b"\x04\x04" and len(link.of(What.HEARTBEAT)) == 1
        writer.close()
        await exam.bench.until(lambda: link.closed is not None, 5)
        assert not link.by_us and not link.send(b"x")
    on_a_bench(play)


def test_an_acknowledgement_waits_for_a_message_in_pieces(on_a_bench):
    async def play(exam):
        reader, writer = await dial(exam)
        writer.write(REGISTER)
        await reader.readexactly(17)
        link = await exam.online(1)
        sending = asyncio.get_running_loop().create_task(link.send_pieces([b"one ", b"message"], 0.3))
        await asyncio.sleep(0.1)
        writer.write(BEAT)
        assert await reader.readexactly(11) == b"one message"
        assert await reader.readexactly(17) == b'{"Status":"OK"}\x04\x04'
        assert await sending
    on_a_bench(play)


def test_fin_reset_and_half_close(on_a_bench):
    async def play(exam):
        for how in ("fin", "rst", "half_close"):
            reader, writer = await dial(exam)
            writer.write(REGISTER)
            await reader.readexactly(17)
            link = await exam.online(1)
            getattr(link, how)()
            try:
                assert await asyncio.wait_for(reader.read(1), 5) == b"" and how != "rst"
            except ConnectionResetError:
                assert how == "rst"
            assert not link.open
            writer.close()
    on_a_bench(play)


def test_a_message_without_any_end_is_taken_when_nothing_more_comes(on_a_bench):
    async def play(exam):
        _, writer = await dial(exam)
        writer.write(b'"Command":"Register","TerminalID":"1"}')
        link = await exam.bench.until(lambda: next((one for one in exam.bench.links if one.register), None), 5)
        assert link.register.tail == b""
        writer.close()
    on_a_bench(play)


def test_a_pause_inside_a_message_does_not_end_it(on_a_bench, monkeypatch):
    """A segment that was lost comes again after a second; the device can do nothing about it."""
    monkeypatch.setattr("econduit_terminal.sandbox.certify.link.QUIET", 0.1)

    async def play(exam):
        reader, writer = await dial(exam)
        writer.write(REGISTER[:30])
        await asyncio.sleep(0.4)
        writer.write(REGISTER[30:])
        assert await reader.readexactly(17) == b"OK-REGISTRATION\x04\x04"
        link = await exam.online(1)
        assert len(link.messages) == 1 and link.register.fields["TerminalID"] == "1"
        writer.close()
    on_a_bench(play)


def test_a_flood_is_cut(on_a_bench, monkeypatch):
    monkeypatch.setattr("econduit_terminal.sandbox.certify.link.MAX_BYTES", 100_000)

    async def play(exam):
        _, writer = await dial(exam)
        try:
            for _ in range(100):
                writer.write(b"x" * 10_000)
                await writer.drain()
        except OSError:
            pass
        link = exam.bench.links[0]
        await exam.bench.until(lambda: link.closed is not None, 5)
        assert link.by_us and link.received <= 400_000
    on_a_bench(play)
