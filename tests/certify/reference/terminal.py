"""A reference terminal: the smallest that does what the document says. Standard library alone, nothing of ours.

    terminal.py PRIMARY_PORT SECONDARY_PORT DISPLAY_PORT [attribute=value …]

It is its own payment application, which echoes. `terminal_mutants.py` makes mutants of it, with one fault each.
"""
import contextlib
import hashlib
import http.server
import json
import select
import socket
import sys
import threading
import time

END = b"\x04\x04"


class Terminal:
    ack, heartbeat, answer_timeout, connect_timeout, pause = "true", 1.0, 3.0, 2.0, 0.1
    online, runs, busy, sock, buffer, next_beat, unacknowledged = False, 0, None, None, b"", 0.0, None

    def __init__(self, primary, secondary):
        self.ports, self.done = (primary, secondary), {}

    def display(self):
        return {"display": "POS Online" if self.online else "POS Offline", "color": "green" if self.online else "red",
                "online": self.online, "runs": self.runs}

    def register(self):
        return json.dumps({"Command": "Register", "TerminalType": "TerminalManufacturer", "TerminalModel": "Model1",
                           "TerminalID": "29531204", "SoftwareVersion": "SomeProcessor v1.2",
                           "AckHeartbeat": self.ack}).encode() + END

    def beat(self):
        return b'{"Command":"TerminalHeartbeat"}' + END

    def success(self, answer):
        return answer == b"OK-REGISTRATION"

    def application(self, request):
        self.runs += 1
        fields = read(request)
        answer = {"ResultCode": "Approved", "RefID": fields.get("RefID", ""), "AuthCode": f"{self.runs:06d}",
                  "RequestBytes": str(len(request)), "RequestSHA256": hashlib.sha256(request).hexdigest(), "Filler": ""}
        answer["Filler"] = "x" * (int(fields.get("AnswerBytes", 0)) - len(json.dumps(answer)))
        return json.dumps(answer).encode(), float(fields.get("Delay", 0))

    def frames(self):
        while self.buffer:
            self.buffer = self.buffer.lstrip(b"\x04 \r\n\t")
            end = self.buffer.find(END)
            if self.buffer.startswith(b"{"):
                try:
                    text = self.buffer.decode()
                    end = len(text[:json.JSONDecoder().raw_decode(text)[1]].encode())
                except ValueError:
                    pass
            if end < 0:
                return
            frame, self.buffer = self.buffer[:end], self.buffer[end:]
            if frame:
                yield frame

    def message(self, frame):
        if read(frame) == {"Status": "OK"}:
            self.unacknowledged = None
        elif frame in (b"FAILED-REGISTRATION", b"FAILED-INVALID-TERMINAL-TYPE"):
            raise OSError("withdrawn")
        else:
            self.request(frame)

    def request(self, frame):
        if frame in self.done:
            self.send(self.done[frame] + END)
        elif self.busy and frame != self.busy[0]:
            busy = {"ResultCode": "Failed", "Message": "busy", "RefID": read(frame).get("RefID")}
            self.send(json.dumps(busy).encode() + END)
        elif not self.busy:
            answer, delay = self.application(frame)
            self.busy = frame, answer, time.monotonic() + delay
            self.finish()

    def finish(self):
        if self.busy and time.monotonic() >= self.busy[2]:
            (request, answer, _), self.busy = self.busy, None
            self.done[request] = answer
            self.send(answer + END)

    def send(self, data):
        self.sock.settimeout(30)
        self.sock.sendall(data)

    def session(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), self.connect_timeout)
        self.buffer, self.unacknowledged = b"", None
        self.send(self.register())
        deadline = time.monotonic() + self.answer_timeout
        while time.monotonic() < deadline or self.online:
            if self.online:
                self.idle(time.monotonic())
            if select.select([self.sock], [], [], 0.02)[0]:
                data = self.sock.recv(65536)
                self.buffer += data
                if not data or len(self.buffer) > 2 << 20:
                    return
            self.online = self.online or self.answered()
            for frame in self.frames() if self.online else ():
                self.message(frame)

    def idle(self, now):
        self.finish()
        if self.unacknowledged and now > self.unacknowledged + 5:
            raise OSError("not acknowledged")
        if not self.busy and now >= self.next_beat:
            self.send(self.beat())
            self.next_beat = now + self.heartbeat
            if self.ack == "true":
                self.unacknowledged = self.unacknowledged or now

    def answered(self):
        ends = self.buffer[15:16] in (b"", b"\x04", b"\r", b"\n", b"{", b"<", b"\x02")
        if self.buffer.startswith(b"OK-REGISTRATION") and ends:
            answer, self.buffer = self.buffer[:15], self.buffer[15:]
        else:
            answer, end, rest = self.buffer.partition(END)
            if not end:
                return False
            self.buffer = rest
        if not self.success(answer):
            raise OSError("refused")
        self.next_beat = time.monotonic() + self.heartbeat
        return True

    def forever(self):
        while True:
            for port in self.ports:
                with contextlib.suppress(OSError):
                    self.session(port)
                was_online, self.online = self.online, False
                if self.sock:
                    self.sock.close()
                time.sleep(self.pause)
                if was_online:
                    break


def read(request):
    try:
        found = json.loads(request)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def serve_display(terminal, port):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(terminal.display()).encode())

        log_message = lambda *_: None  # noqa: E731

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(kind, words):
    terminal = kind(int(words[0]), int(words[1]))
    for name, _, value in (word.partition("=") for word in words[3:]):
        setattr(terminal, name, type(getattr(terminal, name))(value))
    serve_display(terminal, int(words[2]))
    terminal.forever()


if __name__ == "__main__":
    main(Terminal, sys.argv[1:])
