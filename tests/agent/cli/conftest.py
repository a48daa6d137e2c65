import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

LIMIT = 10
SERVE = Path(__file__).parents[2] / "support/status_server.py"


@pytest.fixture
def agent():
    """agent(*arguments, env=…) -> CompletedProcess of econduit-agent"""
    def run(*arguments, **env):
        return subprocess.run([sys.executable, "-m", "econduit_terminal.agent", *map(str, arguments)],
                              capture_output=True, text=True, timeout=LIMIT, env={**os.environ, **env})
    return run


@pytest.fixture
def settings(tmp_path):
    """A directory with settings that work, its socket beside them."""
    (tmp_path / "own.ini").write_text(
        "[terminal]\ntype = Maker\nmodel = Model1\nid = 29531204\nsoftware_version = v1.2\n"
        f"[local]\nsocket = {tmp_path}/agent.sock\n")
    return tmp_path


@pytest.fixture
def canned(tmp_path):
    """canned(answer): serves that HTTP body at tmp_path/agent.sock to everyone; returns the socket's path."""
    servers = []

    def serve(body: bytes):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.server.asked.append(self.rfile.readline())
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + body)

        path = tmp_path / "agent.sock"
        path.unlink(missing_ok=True)
        server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def watch(start_python):
    """watch(socket) -> a running econduit-agent watch."""
    return lambda socket: start_python("-m", "econduit_terminal.agent", "watch", "--socket", socket,
                                       stderr=subprocess.PIPE)


@pytest.fixture
def status_server(start_python):
    """status_server(socket) -> a real Api with a StatusStore in another process, ready; say(line) to it."""
    def start(socket):
        process = start_python(SERVE, socket)
        assert process.stdout.readline() == '["ready"]\n'
        return process
    return start
