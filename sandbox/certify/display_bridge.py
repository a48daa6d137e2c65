"""Our terminal's display as device.toml reads one: `display_bridge AGENT_SOCKET PORT`, http://127.0.0.1:PORT/.

The text is that of GET /status; the colour is the one that the display page itself gives to this state. A socket that
nobody serves is a display that says nothing.
"""
import http.client
import http.server
import json
import re
import socket
import sys
from pathlib import Path

TIMEOUT = 2.0
"""Seconds for each step of a call to the agent."""


class Local(http.client.HTTPConnection):
    """HTTP over the agent's Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Called by http.client. Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def get(path: Path, what: str) -> bytes:
    """What the agent answers. Raises OSError, HTTPException."""
    connection = Local(path)
    try:
        connection.request("GET", what)
        return connection.getresponse().read()
    finally:
        connection.close()


def color(page: str, online: bool) -> str:
    """The colour that the display page gives to a state, by its own style sheet."""
    found = re.search(rf"--{'online' if online else 'offline'}:\s*([^;}}]+)", page)
    return found[1].strip() if found else ""


def reading(path: Path) -> dict[str, object]:
    """The display's JSON. Raises OSError, HTTPException, ValueError."""
    status = json.loads(get(path, "/status"))
    return {"display": status["display"], "online": status["online"],
            "color": color(get(path, "/").decode("utf-8", "replace"), status["online"])}


def main() -> int:
    """Serves until it is ended."""
    path, port = Path(sys.argv[1]), int(sys.argv[2])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                body, status = json.dumps(reading(path)).encode(), 200
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                body, status = str(error).encode(), 503
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("ready", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
