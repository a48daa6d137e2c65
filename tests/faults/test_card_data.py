"""Test card numbers, track data and verification values go through every path, and are looked for everywhere else."""
import base64
import json
import subprocess
import sys

import pytest

from econduit_terminal.agent.transactions.failpoints import STEPS

PAN, SPACED, TRACK, CVV = "5555555555554444", "4111 1111 1111 1111", ";5555555555554444=25121019876543210?", "CVV2"
CARD = json.dumps({"Account": PAN, "Printed": SPACED, "Track2": TRACK, CVV: "917",
                   "Track1": f"%B{PAN}^DOE/JOHN^2512101987654?"})[1:-1]
NEEDLES = [needle.encode() for needle in (PAN, SPACED, "25121019876543210", "2512101987654", CVV, "DOE/JOHN", "917\"",
                                          PAN.encode().hex())]
# Answers with what it was asked, or fails in its own way with card data on every channel.
APPLICATION = """
import sys, time
request = sys.stdin.read()
sys.stderr.write(request)
if "half" in request: sys.stdout.write(request[:-1]); sys.exit(1)
if "silent" in request: sys.exit(3)
if "late" in request: sys.stdout.write(request[:-1]); sys.stdout.flush(); time.sleep(60)
if "twice" in request: sys.stdout.write(request)
sys.stdout.write(request)
"""


def sale(ref, note):
    return f'{{"RefID":"{ref}","Command":"Sale","Note":"{note}",{CARD}}}'


REQUESTS = {
    "answered": sale("1", "echo"), "half an answer": sale("2", "half"), "no answer": sale("3", "silent"),
    "too late": sale("4", "late"), "two answers": sale("5", "twice"),
    "a card number as RefID and command": f'{{"RefID":"{PAN}","Command":"{SPACED}",{CARD}}}',
    "bad JSON": '{"RefID":"6",' + CARD + ",,}\x04\x04", "no JSON": f"SALE {PAN} {TRACK} {CVV}=917\x04\x04",
}


@pytest.fixture
def here(terminal, tmp_path):
    program = tmp_path / "application.py"
    program.write_text(APPLICATION)
    here = terminal(application=f"exec:{sys.executable} {program}", timeout="3s")
    here.where = tmp_path / "terminal-0"
    return here


def send(here, request):
    """The cloud sends these bytes; until the answer is delivered and the journal says so."""
    before = len(raw_answers(here))
    here.cloud.misbehave("raw", terminal=here.id, data=base64.b64encode(request.encode()).decode())
    here.until(lambda: len(raw_answers(here)) > before, lambda: f"an answer\n{here.log()}")


def raw_answers(here):
    return [event for event in here.cloud.events(terminal=here.id) if event["kind"] in ("response", "unsolicited")]


def settled(here):
    """Until the journal has written what was delivered, and emptied its log: a reader like this may hold that back."""
    here.flush()
    here.until(lambda: "answered" not in here.journal().values(), "everything delivered")
    files = [here.where / "state" / f"journal.sqlite3{end}" for end in ("", "-wal")]
    here.until(lambda: not any(needle in file.read_bytes() for file in files for needle in NEEDLES),
               "no card data in the journal's files")


def found(here):
    """Where card data stands that must not: files, the local API, the commands."""
    places = {str(file): file.read_bytes() for file in here.where.rglob("*") if file.is_file()}
    assert {"agent.log", "status.json", "journal.sqlite3", "journal.sqlite3-wal"} <= {
        place.rpartition("/")[2] for place in places}
    places["GET /status"] = here.client.status().to_line()
    places["GET /metrics"] = here.client.metrics().encode()
    for arguments in (["transactions", "--json"], ["transactions"], ["status", "--json"], ["status"]):
        done = subprocess.run([sys.executable, "-m", "econduit_terminal.agent", *arguments, "--config-dir",
                               here.where / "settings"], capture_output=True, timeout=30)
        assert done.returncode == 0
        places[" ".join(arguments)] = done.stdout + done.stderr
    return [(place, needle) for place, text in places.items() for needle in NEEDLES if needle in text]


def test_every_way_a_transaction_can_go(here):
    here.start()
    for request in REQUESTS.values():
        send(here, request)
    for request in (REQUESTS["answered"], REQUESTS["half an answer"]):
        send(here, request)     # again
    settled(here)
    assert found(here) == []
    asked = [event["body"] for event in raw_answers(here)]
    assert asked[0] == REQUESTS["answered"]                 # it did pass through
    assert "held card data" in asked[len(REQUESTS)]


@pytest.mark.parametrize("step", STEPS)
def test_after_a_power_failure_at_every_step(here, step):
    here.start(crash_at=step)
    here.cloud.misbehave("raw", terminal=here.id, data=base64.b64encode(REQUESTS["answered"].encode()).decode())
    here.crashed()
    here.start()
    send(here, REQUESTS["answered"])
    settled(here)
    assert found(here) == []


def test_messages_without_an_end_and_beyond_the_limit(here):
    here.start()
    mark = here.cloud.mark()
    body = '{"RefID":"7",' + CARD + ',"Rest":"' + "4444 " * (300 << 10)
    here.cloud.misbehave("raw", terminal=here.id, data=base64.b64encode(body.encode()).decode())
    here.cloud.wait_event("registered", mark, 20, terminal=here.id)
    send(here, REQUESTS["answered"])
    settled(here)
    assert found(here) == []
