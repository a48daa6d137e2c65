"""Whatever happens to the file, in any order: nothing that was handed over is forgotten, no waiting answer is lost."""
import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings as chosen, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_files import WHAT_HAPPENS

from econduit_terminal.agent.journal import fallback as module
from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Answered, Entry, Outcome, Retention
from econduit_terminal.agent.journal.fallback import RETRY, FallbackJournal
from econduit_terminal.agent.transactions.identity import Command, Identity

RETENTION = Retention(1000.0, 600.0)


class Failing:
    """A connection whose next commit fails, and all that come after where the disk stays broken."""

    def __init__(self, real, code, for_good):
        self.real, self.code, self.armed, self.for_good = real, code, True, for_good

    def __getattr__(self, name):
        return getattr(self.real, name)

    def execute(self, sql, *values):
        if self.armed and sql.startswith(("BEGIN", "COMMIT")):
            self.armed = self.for_good or sql != "COMMIT"
            error = sqlite3.OperationalError("disk trouble")
            error.sqlite_errorcode = self.code
            raise error
        return self.real.execute(sql, *values)


class FallbackMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "state" / "journal.sqlite3"
        self.next, self.up, self.time = 1000, 10.0, 0.0
        self.rows: dict[int, str] = {}      # the model: what became of each
        self.overwritten = False            # what was in the file may be gone, and its answers with it
        self.journal = self.start()

    def start(self):
        self.up += 1
        return FallbackJournal(self.path, self.now(), lambda: self.time)

    def now(self):
        self.up += 0.001
        return Moment(1_800_000_000.0 + self.up, "boot", self.up)

    def teardown(self):
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)

    def of(self, *states):
        return [id for id, state in self.rows.items() if state in states]

    @rule()
    def hand_over(self):
        self.next += 1
        now = self.now()
        entry = Entry(self.next, b"%d" % self.next, str(self.next), "Sale", 10, now.wall, now)
        assert self.journal.hand_over(entry, identity(self.next), RETENTION) is None
        self.rows[self.next] = "handed"

    @precondition(lambda self: self.of("handed"))
    @rule(data=st.data())
    def answer(self, data):
        id = data.draw(st.sampled_from(self.of("handed")))
        assert self.journal.answer(id, Answered(b"answer %d" % id, Outcome.ANSWER, None, 0.1), self.now())
        self.rows[id] = "answered"

    @precondition(lambda self: self.of("answered", "expired"))
    @rule(data=st.data())
    def deliver(self, data):
        id = data.draw(st.sampled_from(self.of("answered", "expired")))
        assert self.journal.deliver(id, self.now())
        self.rows[id] = "delivered"

    @precondition(lambda self: self.of("answered"))
    @rule(data=st.data())
    def expire(self, data):
        id = data.draw(st.sampled_from(self.of("answered")))
        assert self.journal.expire(id)
        self.rows[id] = "expired"

    @rule()
    def look(self):
        self.journal.check()

    @precondition(lambda self: self.journal.durable)
    @rule(code=st.sampled_from([sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT]),
          for_good=st.booleans())
    def the_disk_fails(self, code, for_good):
        self.journal._journal._db = Failing(self.journal._journal._db, code, for_good)

    @rule()
    def it_is_tried_again(self):
        self.time += RETRY

    @precondition(lambda self: self.journal.durable and self.path.is_file())
    @rule(what=st.sampled_from(sorted(WHAT_HAPPENS.keys() - {"a directory in its place"})))
    def somebody_takes_the_file_away(self, what):
        shutil.rmtree(f"{self.path.parent}.old", ignore_errors=True)
        with suppress(FileNotFoundError):       # taken away already, and not looked at since
            WHAT_HAPPENS[what][0](self.path)
        self.overwritten |= "written" in WHAT_HAPPENS[what][1]

    @rule()
    def another_process(self):
        """After an orderly end, or a crash; what memory alone held is gone, as is said while it is so."""
        self.journal.check()
        if not self.journal.durable:
            self.time += RETRY
            self.journal.check()
        assert self.journal.durable
        self.journal.close()
        self.journal = self.start()
        assert self.journal.durable and self.journal.problem is None
        for id in self.of("handed"):
            self.rows[id] = "unknown"

    @invariant()
    def nothing_is_forgotten(self):
        if not hasattr(self, "journal"):
            return
        now = self.now()
        for id, state in self.rows.items():
            found = self.journal.find(identity(id), now, RETENTION)
            assert found is not None, (id, state)
            if self.overwritten and state == "answered" and found.first.answer is None:
                self.rows[id] = state = found.first.state       # an answer that went with the file is not sent any more
            assert (found.first.state, found.first.delivered is not None) == (state, state == "delivered")
            if state in ("answered", "expired") and not self.overwritten:
                assert found.first.answer == b"answer %d" % id
        if not self.overwritten:
            assert [entry.id for entry in self.journal.pending()] == self.of("answered")

    @invariant()
    def files_are_few_and_closed(self):
        if hasattr(self, "journal"):
            assert len(list(self.path.parent.glob("*.damaged-*"))) <= 3 * module.DAMAGED_KEPT
            assert len(os.listdir("/proc/self/fd")) < 200


def identity(id):
    return Identity(b"%d" % id, b"ref %d" % id, Command.SALE)


FallbackMachine.TestCase.settings = chosen(max_examples=60, stateful_step_count=25, deadline=None)
TestFallback = FallbackMachine.TestCase
