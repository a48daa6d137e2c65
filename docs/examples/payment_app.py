#!/usr/bin/env python3
"""A payment application at tcp://127.0.0.1:9100: one request a connection, in JSON or XML, answered in kind."""
import json
import socketserver
import sys
import xml.etree.ElementTree as ET


def understood(data):
    """The request's fields and its format once it is whole; None while the rest is still on its way."""
    try:
        if data.lstrip().startswith(b"<"):
            return {field.tag: field.text or "" for field in ET.fromstring(data)}, "xml"
        return json.loads(data), "json"
    except (ValueError, ET.ParseError):
        return None


def pay(request):
    """Here the card is read and the host is asked. Keep the RefID: whoever asks for it again must not pay again."""
    approved = request.get("Amount") != "5.05"
    return {"ResultCode": "Approved" if approved else "Declined", "AuthCode": "A1B2C3" if approved else "",
            "TransType": request.get("Command", ""), "Amount": request.get("Amount", ""),
            "RefID": request.get("RefID", ""), "Message": "APPROVED" if approved else "DECLINED"}


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        data = b""
        while (found := understood(data)) is None:
            part = self.request.recv(65536)
            if not part:
                return              # the terminal went away before its request was whole: nothing ran
            data += part
        request, form = found
        answer = pay(request)
        if form == "xml":
            root = ET.Element("response")
            for name, value in answer.items():
                ET.SubElement(root, name).text = value
            self.request.sendall(ET.tostring(root))
        else:
            self.request.sendall(json.dumps(answer).encode())


if __name__ == "__main__":
    port = int(sys.argv[1]) if sys.argv[1:] else 9100
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Connection) as server:
        print("ready", flush=True)
        server.serve_forever()
