"""A POS that sells without a pause: `pos.py URL TERMINAL SEED`, in the cloud's host. Plain standard library.

Each sale has a RefID of its own and is asked for again until the terminal says what became of it. A JSON line for each
on standard output when it is told; at the end (SIGTERM) one for the sale that is still open.
"""
import http.client
import itertools
import json
import os
import random
import signal
import sys
import time
import urllib.parse
from types import FrameType
from typing import Any

WAIT = 8.0
"""Seconds that the cloud waits for the terminal's answer to one call."""
AGAIN, PAUSE = 0.5, 0.4
"""Seconds between two calls for one sale, and between two sales."""
AMOUNTS = [*["2.50"] * 20, *["6.05"] * 6, *["5.05"] * 2, "6.40", "6.80", "7.02", "9.03", "9.05", "9.09", "9.11", "9.13"]
"""Approved at once, after a while, declined, and answers in every manner that is one: see payment_app/outcomes.py."""
NOT_NOW = ("Terminal Is Offline", "terminal busy", "terminal restarting")
"""How answers begin that ask for another try."""


def ask(url: urllib.parse.SplitResult, terminal: str, ref: str, amount: str) -> dict[str, Any] | None:
    """One call of the public API; None where the cloud does not answer or the terminal has not yet."""
    query = urllib.parse.urlencode({"command": "sale", "key": "sandbox", "password": "sandbox", "amount": amount,
                                    "refID": ref, "terminalId": terminal, "wait": WAIT})
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=WAIT + 5)
    try:
        connection.request("GET", f"/services/api.asmx/runTransaction?{query}")
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    final = answer.get("ResultFinal") and not str(answer.get("Message", "")).startswith(NOT_NOW)
    return answer if final else None


def main(address: str, terminal: str, seed: str) -> None:
    """Sells until SIGTERM."""
    url, dice = urllib.parse.urlsplit(address), random.Random(seed)
    now: dict[str, Any] = {}

    def end(_number: int, _frame: FrameType | None) -> None:
        if now:
            os.write(1, json.dumps({**now, "ended": time.monotonic(), "answer": None}).encode() + b"\n")
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    for number in itertools.count(1):
        now = {"ref": f"{seed}-{number}", "amount": dice.choice(AMOUNTS), "asked": 0, "began": time.monotonic()}
        answer = None
        while answer is None:
            now["asked"] += 1
            answer = ask(url, terminal, now["ref"], now["amount"])
            if answer is None:
                time.sleep(AGAIN)
        told = [str(answer.get(name, "")) for name in ("RefID", "ResultCode", "AuthCode", "Message")]
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        print(json.dumps({**now, "ended": time.monotonic(), "answer": told}), flush=True)
        now = {}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        time.sleep(dice.uniform(0, 2 * PAUSE))


if __name__ == "__main__":
    main(*sys.argv[1:])
