"""A sale is in progress when the network goes away: the approval reaches the cloud, the card is charged once."""
import fcntl
import json
import sys
import time

import pytest
from lab_terminal import Terminal, start_cloud

from econduit_terminal.sandbox.lab.netlab import CLOUD

HELD = "8.88"       # the sandbox's payment application works on it for as long as somebody locks its file
CALL = """import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], sys.argv[2].encode() or None, 20).read().decode())"""


@pytest.fixture
def sale(lab, tmp_path):
    """A terminal online, and a sale that its application works on: an object with what happened."""
    start_cloud(lab)
    app = lab.terminal.start(sys.executable, "-u", "-m", "econduit_terminal.sandbox", "payment-app", "--listen",
                             f"unix://{tmp_path}/app.sock", "--ledger", tmp_path / "ledger", "--hold",
                             tmp_path / "hold", "--announce")
    app.line("app.sock")
    terminal = Terminal(lab, tmp_path, more=f"[transactions]\napplication = unix://{tmp_path}/app.sock\n").start()
    terminal.online()
    with (tmp_path / "hold").open("w") as hold:
        fcntl.flock(hold, fcntl.LOCK_EX)
        sale = Sale(lab, terminal, app, tmp_path, hold)
        sale.call(f"/services/api.asmx/runTransaction?command=sale&key=sandbox&password=sandbox&amount={HELD}&refID=1"
                  "&terminalId=29531204&wait=0")
        app.line('"run"')
        yield sale
    terminal.close()


class Sale:
    def __init__(self, lab, terminal, app, folder, hold):
        self.lab, self.terminal, self.app, self.folder, self.hold = lab, terminal, app, folder, hold

    def call(self, path, body=""):
        done = self.lab.cloud.run(sys.executable, "-c", CALL, f"http://{CLOUD}:9080{path}", body)
        return json.loads(done.stdout)

    def application_answers(self):
        fcntl.flock(self.hold, fcntl.LOCK_UN)
        self.app.line('"done"')

    def answers(self):
        return [json.loads(event["body"])["ResultCode"] for event in self.call("/sandbox/events?since=0")
                if event["kind"] in ("response", "unsolicited")]

    def runs(self):
        return len((self.folder / "ledger").read_text().splitlines())

    def check_the_approval_comes_once(self):
        """After the return of the network."""
        began = time.monotonic()
        deadline = began + 25
        while not self.answers():
            assert time.monotonic() < deadline, self.terminal.agent.text
        self.call("/sandbox/raw", json.dumps({"terminal": "29531204", "text": '{"RefID":"2","Command":"Sale"}'}))
        while len(self.answers()) < 2:      # whatever else was to come has come before this one
            assert time.monotonic() < deadline, self.terminal.agent.text
        assert self.answers() == ["Approved", "Approved"] and self.runs() == 2


def test_silence_swallows_the_answer(lab, sale):
    began = time.monotonic()
    lab.router.drop()
    sale.application_answers()
    sale.terminal.offline(after=began)
    sale.terminal.agent.line("not acknowledged on connection 1, kept for the next")
    lab.router.allow()
    sale.check_the_approval_comes_once()


def test_the_cable_is_pulled_while_the_card_is_in_the_reader(lab, sale):
    began = time.monotonic()
    lab.cable_out()
    sale.terminal.offline(after=began)
    sale.application_answers()
    lab.cable_in()
    sale.check_the_approval_comes_once()


def test_a_short_silence_is_nobody_s_business(lab, sale):
    lab.router.drop()
    sale.application_answers()
    time.sleep(0.5)         # the fault itself: shorter than any timer
    lab.router.allow()
    sale.check_the_approval_comes_once()
