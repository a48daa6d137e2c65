"""The check beside one connection: what it asks of the kernel, of the line and of a dial; the times are the table's."""
from dataclasses import replace

import gevent
import pytest
from gevent.event import Event

from econduit_terminal.agent.cloud.dialed import Dialed, DialFailed, DialResults, EndpointFailure
from econduit_terminal.agent.cloud.liveness import Rules, Verdict
from econduit_terminal.agent.cloud.liveness_check import REASONS, GivenUp, LivenessCheck
from econduit_terminal.agent.cloud.policy import Finding
from econduit_terminal.agent.cloud.tcp_info import TcpInfo
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.reason import reason_of

HERE, OTHER = Endpoint("192.0.2.1", 80), Endpoint("192.0.2.2", 9001)
HEARD = TcpInfo(
    state=1, probes=0, snd_mss=1448, unacked=0, sacked=0, last_data_recv=9.0, last_ack_recv=0.1, rtt=0.001, rttvar=0.0,
    bytes_received=0, segs_in=5, notsent_bytes=0, outq=0, behind_hole=False)


class Kernel:
    """A connection, as far as the check knows one."""

    def __init__(self):
        self.number, self.last_data, self.on_write = 7, 100.0, None
        self.says: TcpInfo | None = HEARD
        self.idle_times: list[int] = []
        self.hurried: list[bool] = []
        self.resets_on_close = False

    def info(self):
        return self.says

    def silent(self, age, **changes):
        self.says = replace(HEARD, probes=1, last_ack_recv=age, **changes)

    def keepalive_after(self, idle):
        self.idle_times.append(idle)

    def hurry(self, on):
        if self.hurried[-1:] != [on]:
            self.hurried.append(on)

    def reset_on_close(self):
        self.resets_on_close = True


class Socket:
    closed = False

    def close(self):
        self.closed = True


class Line:
    """Where the background dial goes: `opens` and `fails` end it."""

    def __init__(self):
        self.dials: list[tuple] = []
        self.socket = Socket()
        self._result: object = None
        self._over = Event()

    def dial(self, endpoints, mss):
        self.dials.append((endpoints, mss))
        self._over.wait()
        return self._result

    def opens(self):
        self._end(Dialed(self.socket, HERE, 0.0))

    def fails(self):
        self._end(DialFailed(DialResults({HERE: EndpointFailure(Finding.SILENT, "no answer")})))

    def _end(self, result):
        self._result = result
        self._over.set()
        gevent.idle()


class Bench:
    """A check that was started at 0.0, and what is around it."""

    def __init__(self):
        self.kernel, self.line, self.rules = Kernel(), Line(), Rules(0.3, 2.0)
        self.wakes = self.beats = 0
        self.it = LivenessCheck(self.kernel, self.rules, [HERE, OTHER], self.line.dial, self.wake)
        self.it.start(0.0)

    def wake(self):
        self.wakes += 1

    def beat(self):
        self.beats += 1
        return True

    def check(self, now, idle=True):
        return self.it.check(now, self.beat if idle else None)

    def doubt(self, now=2.3, idle=True, **changes):
        """Silence since 0.0 is looked at."""
        self.it._phase.clear()
        self.kernel.silent(now, **changes)
        assert self.check(now, idle) is None

    def until(self, end, idle=True, **changes):
        """Checks when they are due, the silence goes on. Returns the verdict."""
        while (now := self.it.next_check) <= end:
            self.kernel.silent(now, **changes)
            if given_up := self.check(now, idle):
                return now, given_up
            gevent.idle()
        return None


@pytest.fixture
def bench():
    it = Bench()
    yield it
    it.it.close()


ASKED = {"unacked": 1, "outq": 33}


def test_nothing_is_due_before_the_registration():
    it = LivenessCheck(Kernel(), Rules(0.3, 2.0), [], lambda endpoints, mss: None, lambda: None)
    assert it.next_check is None and it.check(99.0, None) is None and it.give_up_hole() is None


def test_one_early_probe_sets_the_moment_of_all_others(bench):
    """A fleet that came back together must not ask together."""
    early = bench.it.next_check
    assert 1.0 <= early < 2.0
    bench.check(early - 0.001)
    assert bench.kernel.idle_times == []
    bench.check(early)
    assert bench.kernel.idle_times == [1]
    bench.check(bench.it.next_check)
    assert bench.kernel.idle_times == [1, 2] and bench.it.next_check >= 2.2
    assert len({Bench().it.next_check for _ in range(20)}) > 10



def test_a_healthy_line_is_asked_nothing(bench):
    bench.it._phase.clear()
    for now in (2.3, 4.5, 6.7):
        assert bench.check(now) is None
    assert (bench.beats, bench.kernel.idle_times, bench.line.dials, bench.kernel.hurried) == (0, [], [], [])


def test_between_two_looks_the_kernel_is_not_read(bench):
    bench.it._phase.clear()
    bench.kernel.says = None
    assert bench.check(1.0) is None and bench.it.next_check is not None


def test_a_doubt_sends_a_heartbeat_whose_retransmissions_hurry(bench):
    bench.doubt()
    assert bench.beats == 1 and bench.kernel.idle_times == [] and bench.kernel.hurried == [True]


def test_during_a_transaction_the_kernel_is_asked_for_a_probe(bench):
    bench.doubt(idle=False)
    assert bench.beats == 0 and bench.kernel.idle_times == [2]


def test_where_an_ack_is_awaited_already_a_probe_asks(bench):
    bench.beat = lambda: False
    bench.doubt()
    assert bench.kernel.idle_times == [2]


def test_the_line_works_and_the_connection_does_not(bench):
    bench.doubt()
    assert bench.until(2.75, **ASKED) is None
    assert bench.line.dials == [([HERE, OTHER], None)]
    woken = bench.wakes
    bench.line.opens()
    assert bench.wakes == woken + 1
    assert bench.check(2.76) is None
    at, given_up = bench.until(9.0, **ASKED)
    assert at == pytest.approx(3.36) and given_up == GivenUp(Verdict.FORGOTTEN, True, given_up.successor, None)
    assert given_up.successor.socket is bench.line.socket and bench.kernel.resets_on_close
    bench.it.close()
    assert not bench.line.socket.closed, "it is the caller's now"
    assert bench.rules.last_dial is None, "a dial that was of use is not counted"


@pytest.mark.parametrize("dial", ["fails", "stays silent"])
def test_the_line_is_silent(bench, dial):
    bench.doubt()
    bench.until(2.75, **ASKED)
    if dial == "fails":
        bench.line.fails()
    at, given_up = bench.until(9.0, **ASKED)
    assert at == pytest.approx(3.9) and given_up == GivenUp(Verdict.SILENT, True, None, None)
    assert bench.rules.last_dial == pytest.approx(2.7)


def test_silence_that_no_dial_met_says_so(bench):
    bench.rules.last_dial = 2.0
    bench.doubt()
    assert bench.until(9.0, **ASKED)[1] == GivenUp(Verdict.SILENT, False, None, None)


def test_an_answer_closes_the_dial_unused(bench):
    bench.doubt()
    bench.until(2.75, **ASKED)
    bench.line.opens()
    bench.kernel.says = replace(HEARD, segs_in=6)
    assert bench.check(2.8) is None
    assert bench.line.socket.closed and bench.kernel.hurried == [True, False] and not bench.kernel.resets_on_close
    assert bench.it.next_check > 4.0


def test_the_end_of_the_connection_ends_the_dial(bench):
    bench.doubt()
    bench.until(2.75, **ASKED)
    bench.it.close()
    gevent.idle()
    bench.line.opens()
    assert bench.it.next_check is None and bench.kernel.on_write is None and bench.check(9.0) is None


def test_bytes_that_anybody_writes_are_looked_at(bench):
    bench.it._phase.clear()
    bench.kernel.on_write()
    assert bench.wakes == 1 and bench.it.next_check is not None


@pytest.mark.parametrize("says", [None, replace(HEARD, last_ack_recv=0.0, segs_in=0)], ids=["short", "all zero"])
def test_an_emulator_that_says_too_little_means_no_check(bench, says):
    bench.kernel.says = says
    for now in (2.3, 4.6, 9.0):
        assert bench.check(now) is None
    assert bench.line.dials == [] and bench.beats == 0
    assert says is not None or bench.it.next_check is None


def test_o9_our_own_question_in_vain_does_not_make_the_connection_young(bench):
    """Something in the middle ends connections at an idle age; the records learn that age."""
    bench.doubt()
    bench.kernel.last_data = 102.3
    bench.until(9.0, **ASKED)
    assert bench.kernel.last_data == 100.0


def test_m8_full_size_segments_die(bench):
    """The background dial has smaller ones already, and its endpoint is to keep them."""
    bench.it._phase.clear()
    bench.kernel.on_write()
    bench.it._liveness.next_check = 1.0
    bench.it._liveness._wrote = 0.7
    stuck = {"unacked": 2, "sacked": 1, "outq": 1602}
    assert bench.until(1.6, idle=False, **stuck) is None
    assert bench.line.dials == [([HERE, OTHER], 1200)] and bench.kernel.idle_times == []
    bench.line.opens()
    _, given_up = bench.until(9.0, idle=False, **stuck)
    assert (given_up.verdict, given_up.mss, given_up.successor.socket) == (Verdict.OVERSIZED, 1200, bench.line.socket)


def test_m8_what_is_waited_for_is_behind_a_hole(bench):
    assert bench.it.give_up_hole() is None
    bench.kernel.says = replace(HEARD, behind_hole=True, snd_mss=1188)
    assert bench.it.give_up_hole() == GivenUp(Verdict.OVERSIZED, False, None, 536)
    bench.kernel.says = None
    assert bench.it.give_up_hole() is None


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_reason(verdict):
    given_up = GivenUp(verdict, False, None, None)
    assert given_up.reason == REASONS[verdict] and reason_of(given_up.reason).words == given_up.reason
