"""Our terminal's display as a device.toml reads one."""
import http.server
import json
import socket
import socketserver
import threading
from pathlib import Path

import pytest

import econduit_terminal.agent.api
from econduit_terminal.sandbox.certify.display import is_red
from econduit_terminal.sandbox.certify.display_bridge import color, reading

PAGE = Path(econduit_terminal.agent.api.__path__[0], "display", "index.html")


def test_the_colours_are_those_of_the_display_page():
    page = PAGE.read_text()
    assert is_red(color(page, False)) and not is_red(color(page, True)) and color("", True) == ""


def test_a_reading_comes_over_the_agents_socket(tmp_path):
    class Agent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"display": "POS Offline",
            "online": False}).encode() if self.path == "/status" else PAGE.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "local"

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    with Server(str(tmp_path / "agent.sock"), Agent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shown = reading(tmp_path / "agent.sock")
        server.shutdown()
    assert (shown["display"], shown["online"]) == ("POS Offline", False) and is_red(shown["color"])


def test_nobody_serves(tmp_path):
    with pytest.raises(OSError):
        reading(tmp_path / "agent.sock")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "agent.sock"))
    sock.close()
    with pytest.raises(OSError):
        reading(tmp_path / "agent.sock")
