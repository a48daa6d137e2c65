"""A name server for the laboratory: ``lab_dns.py ADDRESS NAME=IPV4…``. A records only, UDP only."""
import socket
import struct
import sys


def answer(question: bytes, records: dict[str, str]) -> bytes:
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1:at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    asked = question[12:at + 5]
    kind = struct.unpack("!H", asked[-4:-2])[0]
    address = records.get(".".join(labels).lower())
    found = kind == 1 and address is not None
    head = question[:2] + struct.pack("!HHHHH", 0x8180 if address else 0x8183, 1, found, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(address) if found else b""
    return head + asked + record


def main(address: str, *records: str) -> None:
    known = dict(record.split("=") for record in records)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            question, client = server.recvfrom(512)
            server.sendto(answer(question, known), client)


main(*sys.argv[1:])
