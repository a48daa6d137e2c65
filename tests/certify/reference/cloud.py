"""A reference cloud: the smallest that does what the document says. Standard library alone, nothing of ours.

    cloud.py PRIMARY_PORT SECONDARY_PORT HTTP_PORT
"""
import http.server
import json
import socket
import sys
import threading
import urllib.parse

END = b"\x04\x04"
NAMES = {"Command", "TerminalType", "TerminalModel", "TerminalID", "SoftwareVersion", "AckHeartbeat"}


class Connection:
    idle = 300.0

    def __init__(self, cloud, sock):
        self.cloud, self.sock, self.id, self.ack, self.buffer = cloud, sock, None, False, b""
        self.lock, self.answered, self.answer, self.waits = threading.Lock(), threading.Event(), None, False

    def send(self, data):
        with self.lock:
            self.sock.sendall(data)

    def serve(self):
        self.sock.settimeout(self.idle)
        try:
            while data := self.sock.recv(65536):
                self.buffer += data
                for message in self.messages():
                    self.take(message)
        except OSError:
            pass
        self.leave()

    def leave(self):
        if self.cloud.terminals.get(self.id) is self:
            del self.cloud.terminals[self.id]
        self.answered.set()
        self.sock.close()

    def messages(self):
        while END in self.buffer:
            message, _, self.buffer = self.buffer.partition(END)
            if message:
                yield message

    def take(self, message):
        fields = read(message)
        if self.id is None:
            answer = self.cloud.judge(fields)
            if answer == b"OK-REGISTRATION":
                self.id, self.ack = fields["TerminalID"], fields["AckHeartbeat"] == "true"
                self.cloud.terminals[self.id] = self
            self.send(self.text(answer))
            if self.id is None:
                raise OSError("refused")
        elif fields.get("Command") == "TerminalHeartbeat":
            self.beat()
        else:
            self.response(message)

    def text(self, answer):
        return answer + END

    def beat(self):
        if self.ack:
            self.send(b'{"Status":"OK"}' + END)

    def response(self, message):
        self.cloud.answers[read(message).get("RefID")] = message
        self.answer = message
        self.answered.set()

    def sell(self, request, timeout):
        self.answered.clear()
        self.answer = None
        self.send(json.dumps(request).encode() + END)
        self.answered.wait(timeout)
        return self.answer


class Cloud:
    connection = Connection

    def __init__(self):
        self.terminals, self.answers, self.types = {}, {}, {"TerminalManufacturer"}

    def judge(self, fields):
        if fields.get("Command") != "Register" or not fields.keys() >= NAMES or not fields["TerminalID"]:
            return b"FAILED-REGISTRATION"
        return b"OK-REGISTRATION" if fields["TerminalType"] in self.types else b"FAILED-INVALID-TERMINAL-TYPE"

    def listen(self, port):
        server = socket.create_server(("127.0.0.1", port), backlog=100)

        def accept():
            while True:
                connection = self.connection(self, server.accept()[0])
                threading.Thread(target=connection.serve, daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()

    def run(self, given):
        """What a POS is told: (a JSON text)."""
        terminal = self.terminals.get(given.get("terminalId"))
        if terminal is None:
            return failed(given, "Terminal Is Offline")
        request = {"Command": "Sale", "Amount": given.get("amount"), "RefID": given.get("refID")}
        return self.told(terminal.sell(request, 8.0), given)

    def told(self, answer, given):
        if answer is None:
            return failed(given, "Receive Error")
        return answer if read(answer) else failed(given, "not understood")

    def status(self, given):
        return self.answers.get(given.get("refID")) or failed(given, "unknown")


def failed(given, words):
    return json.dumps({"ResultCode": "Failed", "Message": words, "RefID": given.get("refID")}).encode()


def read(message):
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def main(cloud, ports):
    class Pos(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urllib.parse.urlsplit(self.path)
            given = dict(urllib.parse.parse_qsl(parts.query))
            body = cloud.status(given) if parts.path.endswith("checkStatus") else cloud.run(given)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    for port in ports[:2]:
        cloud.listen(port)
    http.server.ThreadingHTTPServer(("127.0.0.1", ports[2]), Pos).serve_forever()


if __name__ == "__main__":
    main(Cloud(), [int(word) for word in sys.argv[1:4]])
