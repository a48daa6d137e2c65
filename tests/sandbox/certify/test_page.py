"""The page for the person, by plain HTTP (in a browser: tests/browser)."""
import asyncio
import json

import pytest

from econduit_terminal.sandbox.certify.page import Page
from econduit_terminal.sandbox.certify.person import Prompt
from econduit_terminal.sandbox.certify.table.terminal import FIN


async def http(page, request, body=b"", host=None):
    head, content = await asked(page, request, body, host)
    return int(head.split(b" ")[1]), content


async def asked(page, request, body=b"", host=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", page._port)
    head = f"{request} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{page._port}'}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"\r\n" + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return head, content


def with_page(play):
    async def whole():
        page = Page("127.0.0.1", 0)
        await page.open()
        try:
            await asyncio.wait_for(play(page), 30)
        finally:
            await page.close()
    asyncio.run(whole())


def test_it_shows_where_the_run_is_and_names_no_other_host():
    async def play(page):
        page.clock = lambda: 1.5
        page.begins([FIN], 1.0, 4.0)
        page.said("a line")
        status, content = await http(page, "GET /")
        assert status == 200 and b"http://" not in content and b"https://" not in content and b"src=" not in content
        state = json.loads((await http(page, "GET /state"))[1])
        assert state["now"]["cases"] == "2.9" and state["now"]["done"] == 0.25 and state["clock"] == 1.5
        assert state["log"] == [{"verdict": "", "text": "a line"}] and state["prompt"] is None
    with_page(play)


def test_a_prompt_is_answered_once_and_only_with_what_it_offers():
    async def play(page):
        asked = asyncio.get_running_loop().create_task(page.answer(Prompt(7, "Pull the cable", False)))
        await asyncio.sleep(0)
        assert json.loads((await http(page, "GET /state"))[1])["prompt"]["answers"] == ["done", "cannot"]
        for wrong in (b'{"number":6,"answer":"done"}', b'{"number":7,"answer":"yes"}', b"[]", b"{",
        b'{"answer":"done"}'):
            assert (await http(page, "POST /answer", wrong))[0] == 409
        assert (await http(page, "POST /answer", b'{"number":7,"answer":"cannot","note":"no\\n cable"}'))[0] == 200
        assert await asked == ("cannot", "no cable")
        assert (await http(page, "POST /answer", b'{"number":7,"answer":"done"}'))[0] == 409
    with_page(play)


def test_events_begin_with_the_state_and_go_on():
    async def play(page):
        reader, writer = await asyncio.open_connection("127.0.0.1", page._port)
        writer.write(f"GET /events HTTP/1.1\r\nHost: localhost:{page._port}\r\n\r\n".encode())
        await reader.readuntil(b"event: state\n")
        page.said("news")
        await reader.readuntil(b"event: log\n")
        assert b"news" in await reader.readline()
        writer.close()      # a person who closes the page
        await asyncio.sleep(0.05)
        for _ in range(300):
            page.said("x")
        assert (await http(page, "GET /state"))[0] == 200
    with_page(play)


@pytest.mark.parametrize("request_, host, status", [("GET /nope", None, 404), ("POST /", None, 404), ("GET /",
    "evil.example", 403)])
def test_other_requests(request_, host, status):
    async def play(page):
        assert (await http(page, request_, host=host))[0] == status
    with_page(play)


def test_no_other_page_may_frame_it():
    async def play(page):
        head, _ = await asked(page, "GET /")
        assert b"frame-ancestors 'none'" in head and b"X-Frame-Options: DENY" in head
    with_page(play)


def test_a_taken_port_is_named():
    async def play(page):
        with pytest.raises(OSError, match="--page"):
            await Page("127.0.0.1", page._port).open()
    with_page(play)
