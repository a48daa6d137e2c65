"""Terminals that are right in a way of their own: nothing in the document speaks against them, and they pass.

    terminal_odd.py NAME PRIMARY_PORT SECONDARY_PORT DISPLAY_PORT [attribute=value …]

`cases`: those that an examiner might blame them in.
"""
import json
import re
import sys
import time
from dataclasses import dataclass

from terminal import Terminal, main, read


@dataclass(frozen=True)
class Odd:
    kind: type
    cases: tuple[str, ...]
    device: tuple[tuple[str, str], ...] = ()
    """What is declared otherwise than usual: text in device.toml → its replacement."""


ODD: dict[str, Odd] = {}


def odd(*cases, **device):
    def keep(kind):
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        ODD[name] = Odd(kind, cases, tuple(device.items()))
        return kind
    return keep


@odd("1.1", "1.2", "1.3", "3.1", "3.26", "3.27", "4.4", "5.1", "5.2", heartbeat="3s", transaction="4s")
class StopsInEveryMessage(Terminal):
    """A lost segment, a second until it comes again."""
    heartbeat = 3.0

    def send(self, data):
        half = len(data) // 2
        super().send(data[:half])
        time.sleep(1.0)
        super().send(data[half:])


@odd("5.1", "3.12", "3.14", "3.16", "3.22", "6.1", "6.2", "6.4", "6.5")
class ShowsEverythingTwoSecondsLate(Terminal):
    pause = 1.1         # so that it is late just when the next case looks

    def application(self, request):
        answer, delay = super().application(request)
        return answer, delay + 0.4

    def __init__(self, *words):
        self.shown = [(0.0, False)]
        super().__init__(*words)

    def __setattr__(self, name, value):
        if name == "online" and value != self.online:
            self.shown.append((time.monotonic(), value))
        super().__setattr__(name, value)

    def display(self):
        online = [value for when, value in self.shown if when < time.monotonic() - 2][-1]
        return {"display": "POS Online" if online else "POS Offline", "color": "red"}


@odd("3.27", "3.29")
class RegistersAgainOverTheSameConnection(Terminal):
    """Where it is told that it is registered no more, and the connection stands."""
    def message(self, frame):
        if frame != b"FAILED-REGISTRATION":
            super().message(frame)
            return
        self.send(self.register())
        self.buffer = self.buffer.lstrip(b"\x04")
        while not self.answered():
            data = self.sock.recv(65536)
            if not data:
                raise OSError("closed")
            self.buffer += data


@odd("4.6", "4.7", "4.8", "4.9", "4.12", "5.1", "5.8", "5.21", "5.24", echo="false")
class TellsNothing(Terminal):
    """An application that answers, and no more."""
    def application(self, request):
        super().application(request)
        return json.dumps({"ResultCode": "Approved", "RefID": read(request).get("RefID", "")}).encode(), 0.0


if __name__ == "__main__":
    main(ODD[sys.argv[1]].kind, sys.argv[2:])
