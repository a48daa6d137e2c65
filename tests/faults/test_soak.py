"""Hundreds of transactions with a fault in every third, chosen by a seed: `ECONDUIT_SOAK_SEED=… pytest tests/faults/…`.

Several terminals at once, each with its transactions one after the other. Whatever happens: a request is run once at
most, an approval reaches the cloud unless the agent was killed between handing over and writing down, what never ran
was never approved, and the cloud is never told two different things about one transaction.
"""
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from econduit_terminal.agent.transactions.failpoints import STEPS

TERMINALS = 4
EACH = 128
OUTCOMES = {"2.50": "Approved", "6.01": "Approved", "9.05": "Approved", "9.08": "Approved", "9.11": "Approved",
            "9.13": "Approved", "5.05": "Declined", "9.01": "no answer", "9.02": "no answer", "9.12": "no answer"}
BREAKS = tuple((on, how) for on in ("request", "sent", "response") for how in ("close", "rst"))
UNKNOWN_AFTER = {"kill", "crash handed", "crash asked", "crash answering"}
"""The faults after which nobody can know the outcome (a kill comes at any moment)."""
ASK_AGAIN = 0.5
PATIENCE = 15.0


class Share:
    """One terminal's transactions. `story`: (RefID, amount, fault) of each."""

    def __init__(self, here, seed):
        self.here = here
        self.dice = random.Random(seed)
        self.story = []

    def run(self):
        self.here.start()
        for number in range(EACH):
            fault = self.dice.choice(("crash", "cut", "kill", "stop", "twice")) if number % 3 == 2 else "none"
            ref, amount = f"{self.here.id}-{number}", self.dice.choice(list(OUTCOMES))
            self.story.append((ref, amount, fault))
            mark = self.here.cloud.mark()
            getattr(self, f"_{fault}")(ref, amount, mark)
            self._until_told(ref, mark)

    def _none(self, ref, amount, mark):
        self.here.ask(amount, ref)

    def _twice(self, ref, amount, mark):
        self.here.ask(amount, ref)
        self.here.ask_again(ref)

    def _cut(self, ref, amount, mark):
        on, how = self.dice.choice(BREAKS)
        after = {"after": self.dice.randrange(1, 40)} if on == "request" else {}
        self.here.cloud.misbehave("break", terminal=self.here.id, on=on, how=how, times=1, **after)
        self.here.ask(amount, ref)
        self.here.cloud.wait_event("registered", mark, PATIENCE, terminal=self.here.id)

    def _kill(self, ref, amount, mark):
        self.here.ask(amount, ref)
        time.sleep(self.dice.random() * 0.01)       # not a wait: the moment is what the dice decide
        self.here.kill()
        self.here.start()

    def _stop(self, ref, amount, mark):
        self.here.ask(amount, ref)
        time.sleep(self.dice.random() * 0.02)
        self.here.stop()
        self.here.start()

    def _crash(self, ref, amount, mark):
        step = self.dice.choice(STEPS)
        self.story[-1] = (ref, amount, f"crash {step}")
        self.here.until(lambda: "answered" not in self.here.journal().values(), "all delivered")
        self.here.kill()        # the step will be of this transaction, not of what an earlier one left to do
        self.here.start(crash_at=step)
        self.here.ask(amount, ref)
        self.here.crashed()
        self.here.start()

    def _until_told(self, ref, mark):
        """The POS asks again until it is told: a request that is lost with its connection is lost."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ask = time.monotonic() + ASK_AGAIN
            while time.monotonic() < ask:
                if set(self.here.got(ref, mark)) - {"restarting"}:
                    return
                time.sleep(0.01)
            assert time.monotonic() < deadline, f"{self.story[-1]}: no answer\n{self.here.log()[-3000:]}"
            self.here.ask_again(ref)

    def mistakes(self):
        """What is wrong, a line each."""
        codes = {}
        for run in self.here.app.runs():
            codes.setdefault(run["RefID"], []).append(run["AuthCode"])
        said = {}
        for answer in self.here.answers():
            said.setdefault(answer["RefID"], []).append(answer)
        for ref, amount, fault in self.story:
            ran = codes.get(ref, [])
            words = {self.here.word(answer) for answer in said[ref]} - {"card data deleted"}
            words -= {"restarting"} if fault == "stop" else set()
            approvals = {answer["AuthCode"] for answer in said[ref] if answer["ResultCode"] == "Approved"}
            story = f"{ref} {amount} {fault}: run {len(ran)} times, the cloud was told {sorted(words)}"
            if len(ran) > 1:
                yield f"run more than once: {story}"
            if not approvals <= set(ran):
                yield f"approved without a run: {story}"
            if words != {OUTCOMES[amount]} and not (fault in UNKNOWN_AFTER and words == {"interrupted"}):
                yield f"the wrong answer: {story}"


def test_soak(terminal, tmp_path, capsys):
    seed = int(os.environ.get("ECONDUIT_SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    with capsys.disabled():
        print(f" ECONDUIT_SOAK_SEED={seed} ", end="", flush=True)
    shares = [Share(terminal(), f"{seed}-{number}") for number in range(TERMINALS)]
    with ThreadPoolExecutor(TERMINALS) as pool:
        for done in [pool.submit(share.run) for share in shares]:
            done.result()
    assert sum(len(share.story) for share in shares) >= 500
    assert [mistake for share in shares for mistake in share.mistakes()] == [], f"ECONDUIT_SOAK_SEED={seed}"
