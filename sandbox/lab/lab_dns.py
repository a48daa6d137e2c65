"""A name server for the laboratory, UDP only: `lab_dns.py ADDRESS FILE`. The file is read at each question.

A line in it is a name, `*` or `*.domain`, and what is answered: addresses, or `NXDOMAIN`, `SERVFAIL`,
`REFUSED`, `TRUNCATED` (and TCP is not served), `SILENCE`. The first line that fits counts; a name that fits none
does not exist.
"""
import ipaddress
import socket
import struct
import sys
from pathlib import Path

A, AAAA = 1, 28
CODES = {"SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5, "TRUNCATED": 0x200}


def records(text: str, name: str) -> list[str]:
    for line in text.splitlines():
        pattern, *what = line.split()
        if pattern in (name, "*") or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return what
    return ["NXDOMAIN"]


def answer(question: bytes, text: str) -> bytes | None:
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1:at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    asked = question[12:at + 5]
    kind = struct.unpack("!H", asked[-4:-2])[0]
    what = records(text, ".".join(labels).lower())
    if what == ["SILENCE"]:
        return None
    code = CODES.get(what[0], 0)
    found = [] if code else [one for one in map(ipaddress.ip_address, what)
                             if kind == (AAAA if one.version == 6 else A)]
    head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    return head + asked + b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(one.packed)) + one.packed for one in found)


def main(address: str, file: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            question, client = server.recvfrom(512)
            answered = answer(question, Path(file).read_text())
            print("asked", client[0], flush=True)
            if answered is not None:
                server.sendto(answered, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
