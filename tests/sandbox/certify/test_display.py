"""What a display shows."""
import asyncio
import http.server
import json
import threading

import pytest

from econduit_terminal.sandbox.certify.display import OFFLINE, ONLINE, Reading, UrlDisplay, counter, is_red, understand
from econduit_terminal.sandbox.certify.person import Cannot


@pytest.mark.parametrize("color, red", [
    ("red", True), ("#f00", True), ("#d0021b", True), ("rgb(208, 2, 27)", True), ("rgba(200,0,0,1)", True), ("RED",
    True),
    ("#ff0000ff", True), ("darkred", True), ("green", False), ("#808080", False), ("#0a7a33", False), ("orange",
    False), ("", False),
    ("#ffa500", False), ("black", False), ("rgb(90,0,0)", False)])
def test_red(color, red):
    assert is_red(color) is red


@pytest.mark.parametrize("content", [None, [], {}, {"display": 1}, "POS Online"])
def test_what_is_no_display(content):
    with pytest.raises(ValueError):
        understand(content, 0.0)


def test_a_reading():
    assert understand({"display": "POS Offline", "color": "red", "runs": 3}, 1.0) == Reading(1.0, "POS Offline", True,
        3)
    assert understand({"display": "x", "runs": True}, 1.0) == Reading(1.0, "x")


def test_it_is_read_all_the_time_and_turns_are_found():
    state = {"display": OFFLINE, "color": "red"}

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if state else 500)
            self.end_headers()
            self.wfile.write(json.dumps(state).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    async def play():
        loop = asyncio.get_running_loop()
        display = UrlDisplay(f"http://127.0.0.1:{server.server_port}/", loop.time, lambda: None)
        task = loop.create_task(display.watch())
        assert (await display.wait_for(OFFLINE, 5)).red and await display.red()
        assert await display.runs() is None
        state["runs"] = 1
        await asyncio.sleep(0.5)
        state["runs"] = 2
        assert await display.runs() == 2, "not what was read before"
        since = loop.time()
        state["display"] = ONLINE
        assert await display.wait_for(ONLINE, 5) and display.turned(ONLINE, since) and not display.turned(OFFLINE,
            since)
        assert await display.wait_for(OFFLINE, 0.2) is None
        assert await display.wait_for(ONLINE, 0, loop.time()) is None, "what was read before says nothing about now"
        assert await display.wait_for(ONLINE, 5, loop.time())
        state.clear()
        while not display.failure:
            await asyncio.sleep(0.02)
        with pytest.raises(Cannot, match="cannot be read"):
            await display.wait_for(OFFLINE, 0.1)
        task.cancel()

    try:
        asyncio.run(asyncio.wait_for(play(), 30))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("command, number", [("echo 12", 12), ("echo runs: 7", 7), ("false", None), ("echo none",
    None)])
def test_a_counter(command, number):
    assert asyncio.run(counter(command)) == number
