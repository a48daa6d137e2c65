"""The state table of the liveness check, row by row, and what must hold for every line."""
import math
import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings, strategies as st

from econduit_terminal.agent.cloud.liveness import (
    DIAL_EVERY,
    NOTHING,
    SEGMENTS,
    Dial,
    Liveness,
    Rules,
    Step,
    Verdict,
    smaller,
)

U, IDLE = 0.3, 2.0
CELLULAR = {"doubt_after": 3.0, "keepalive_idle": 10.0}
MSS = 1448


@dataclass(frozen=True)
class Info:
    """What the kernel would say: of a connection that was heard a moment ago, nothing under way."""
    probes: int = 0
    unacked: int = 0
    sacked: int = 0
    snd_mss: int = MSS
    outq: int = 0
    notsent_bytes: int = 0
    rtt: float = 0.01
    rttvar: float = 0.005
    last_ack_recv: float = 0.0
    last_data_recv: float = math.inf
    segs_in: int = 1
    bytes_received: int = 0
    behind_hole: bool = False


SILENT = Info(probes=1, last_ack_recv=IDLE + U)
ASKED = Info(unacked=1, outq=33)            # the heartbeat waits for its acknowledgement; age by `at`


def check(doubt_after=U, keepalive_idle=IDLE, last_dial=None):
    return Liveness(Rules(doubt_after, keepalive_idle, last_dial), now=0.0)


def in_doubt(info=SILENT, **options):
    """A check in doubt, at IDLE + U; the first probe was at IDLE."""
    liveness = check(**options)
    assert liveness.check(IDLE + U, info, idle=True).ask or info.outq
    assert liveness.doubting
    return liveness


def follow(liveness, info, until, *, now=IDLE + U, idle=True, dials=True, opens=math.inf):
    """Check whenever a check is due. The first dial that is wanted is open `opens` later.

    Returns [(time, step)] of all that was done, up to a verdict.
    """
    done, began = [], None
    while (now := liveness.next_check) <= until:
        dial = Dial.NONE
        if began is not None:
            dial = Dial.OPEN if now >= began + opens else Dial.UNDER_WAY
        step = liveness.check(now, info(now) if callable(info) else info, idle=idle, dial=dial)
        if step != NOTHING:
            done.append((now, step))
        if step.dial and dials:
            began = now
        if step.verdict:
            break
    return done


def kernel(asked):
    """What it says of a connection that was heard at 0.0 and is asked by a heartbeat at a moment."""
    return lambda now: Info(probes=1, last_ack_recv=now) if now <= asked + 1e-9 else replace(ASKED, last_ack_recv=now)


def first(done, what):
    """When something was done first, counted from the first unanswered probe."""
    return next((at - IDLE for at, step in done if getattr(step, what)), None)


# -- TRUST ------------------------------------------------------------------------------------------------------------


def test_a_healthy_line_is_looked_at_once_each_keepalive_idle():
    liveness, checks, heard = check(), 0, 0.0
    while (now := liveness.next_check) < 60:
        checks += 1
        heard = now - (now % (IDLE + 0.016))        # the last probe's answer; its timer is 16 ms late each time
        assert liveness.check(now, Info(last_ack_recv=now - heard), idle=True) == NOTHING
    assert 25 <= checks <= 31


def test_data_from_the_cloud_are_life_as_well():
    liveness = check()
    step = liveness.check(IDLE + U, Info(last_ack_recv=99.0, last_data_recv=0.1), idle=True)
    assert step == NOTHING and liveness.next_check == pytest.approx(IDLE + U - 0.1 + IDLE + U)


def test_a_timer_of_the_kernel_that_is_late_does_not_make_us_spin():
    liveness, checks = check(keepalive_idle=600.0), 0
    while (now := liveness.next_check) < 660:
        checks += 1
        liveness.check(now, Info(last_ack_recv=now), idle=True)
    assert checks <= 3


def test_the_doubt_begins_when_the_late_probe_went_out_and_not_before():
    liveness = check(keepalive_idle=600.0)
    assert liveness.check(600.0, Info(last_ack_recv=600.0), idle=True) == NOTHING
    assert liveness.check(600.1, Info(probes=1, last_ack_recv=600.1), idle=True) == NOTHING
    assert liveness.check(600.3, Info(probes=1, last_ack_recv=600.3), idle=True).ask


@pytest.mark.parametrize("doubt_after, keepalive_idle", [(0.3, 2.0), (3.0, 10.0), (1.0, 4.0)])
def test_after_one_unit_without_an_answer_it_asks(doubt_after, keepalive_idle):
    liveness = check(doubt_after, keepalive_idle)
    assert liveness.next_check == keepalive_idle + doubt_after
    silent = Info(probes=1, last_ack_recv=keepalive_idle + doubt_after)
    assert liveness.check(liveness.next_check, silent, idle=True) == Step(ask=True)


def test_bytes_begin_a_doubt_as_well():
    liveness = check()
    liveness.wrote(1.0)
    assert liveness.next_check == pytest.approx(1.0 + U)
    sent = Info(unacked=1, outq=30, last_ack_recv=0.8)
    assert liveness.check(1.0 + U, sent, idle=True) == NOTHING and liveness.doubting     # asked already: by those bytes
    done = follow(liveness, sent, 9, opens=0.0)
    assert [at - 1.0 for at, step in done if step.dial] == [pytest.approx(0.7)]
    assert done[-1][1].verdict is Verdict.FORGOTTEN and done[-1][0] - 1.0 == pytest.approx(1.3, abs=0.11)


def test_bytes_that_are_acknowledged_begin_none():
    liveness = check()
    liveness.wrote(1.0)
    assert liveness.check(1.3, Info(last_ack_recv=0.29), idle=True) == NOTHING
    assert liveness.next_check == pytest.approx(1.3 - 0.29 + IDLE + U)


def test_acknowledgements_that_keep_coming_put_the_doubt_off():
    """A long answer over a slow line: something is always unacknowledged, and something always just acknowledged."""
    liveness, now, segs = check(), 0.0, 1
    liveness.wrote(0.0)
    while (now := liveness.next_check) < 60:
        segs += 3
        step = liveness.check(now, Info(unacked=9, outq=90_000, last_ack_recv=0.15, segs_in=segs), idle=False)
        assert step == NOTHING and not liveness.doubting


def test_a_slow_line_has_a_longer_unit():
    """By satellite no probe is answered within 300 ms."""
    far = Info(rtt=0.6, rttvar=0.05)
    liveness = check()
    assert liveness.check(IDLE + U, replace(far, probes=1, last_ack_recv=IDLE + U), idle=True) == NOTHING
    assert liveness.next_check == pytest.approx(IDLE + 0.8)
    assert liveness.check(IDLE + 0.8, replace(far, probes=1, last_ack_recv=IDLE + 0.8), idle=True).ask


def test_a_peer_that_reads_nothing_is_alive():
    """Its window is closed, the kernel's probes are answered: bytes that were never sent are not unanswered."""
    liveness = check()
    liveness.wrote(0.0)
    for age in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
        now = liveness.next_check
        assert liveness.check(now, Info(outq=5000, notsent_bytes=5000, last_ack_recv=age), idle=True) == NOTHING


# -- DOUBT ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    {"segs_in": 2, "last_ack_recv": 0.05},
    {"segs_in": 2, "last_ack_recv": 0.05, "unacked": 2, "sacked": 1, "outq": 1600},
    {"segs_in": 2, "last_data_recv": 0.05, "last_ack_recv": 0.05, "bytes_received": 20},
    {"segs_in": 2**32 - 1, "last_ack_recv": 0.0},
], ids=["an ACK", "a SACK", "data", "the counter wraps"])
def test_whatever_is_received_ends_the_doubt(change):
    liveness = in_doubt()
    liveness.check(liveness.next_check, ASKED, idle=True)
    step = liveness.check(liveness.next_check, Info(**change), idle=True, dial=Dial.UNDER_WAY)
    assert step == Step(close_dial=True) and not liveness.doubting


def test_a_doubt_that_follows_at_once_asks_at_once():
    """We were kept from looking: something was received since, and is followed by silence again."""
    liveness = in_doubt()
    step = liveness.check(99.0, Info(probes=1, segs_in=2, last_ack_recv=IDLE + 1), idle=True)
    assert step == Step(close_dial=True, ask=True) and liveness.doubting


@pytest.mark.parametrize("options, unit", [({}, 0.3), (CELLULAR, 3.0)], ids=["default", "cellular"])
def test_the_whole_way_to_forgotten(options, unit):
    idle = options.get("keepalive_idle", IDLE)
    liveness = check(**options)

    done = follow(liveness, kernel(idle + unit), 99, opens=0.0)
    asked, dialed, verdict = (next(at for at, step in done if getattr(step, what)) - idle
                              for what in ("ask", "dial", "verdict"))
    assert asked == pytest.approx(unit)
    assert 7 / 3 * unit <= dialed + 1e-9 <= 7 / 3 * unit + 0.01
    assert 13 / 3 * unit <= verdict + 1e-9 <= 13 / 3 * unit + 0.35 * unit
    assert done[-1][1] == Step(verdict=Verdict.FORGOTTEN) and len(done) == 3


@pytest.mark.parametrize("options, unit", [({}, 0.3), (CELLULAR, 3.0)], ids=["default", "cellular"])
@pytest.mark.parametrize("dial", ["fails", "never opens"])
def test_the_whole_way_to_silent(options, unit, dial):
    idle = options.get("keepalive_idle", IDLE)
    done = follow(check(**options), kernel(idle + unit), 99, dials=dial == "never opens")
    assert [step for _, step in done] == [Step(ask=True), Step(dial=True), Step(verdict=Verdict.SILENT)]
    assert 19 / 3 * unit <= done[-1][0] - idle + 1e-9 <= 19 / 3 * unit + 0.01


def test_a_dial_that_opens_late_still_gets_its_time():
    """After a stall both lines answer again; the old one's answer may come a moment behind the new one's."""
    done = follow(in_doubt(), ASKED, 9, opens=1.1)
    assert done[-1][1].verdict is Verdict.FORGOTTEN and 2.4 <= first(done, "verdict") + 1e-9 <= 2.65


def test_no_second_dial_within_ten_seconds():
    rules = Rules(U, IDLE)
    done = follow(Liveness(rules, 0.0), kernel(IDLE + U), 4.0)
    assert first(done, "dial") == pytest.approx(0.7) and rules.last_dial == pytest.approx(IDLE + 0.7)
    liveness = Liveness(rules, 0.0)
    done = follow(liveness, kernel(IDLE + U), 9)
    assert first(done, "dial") is None and done[-1][1].verdict is Verdict.SILENT
    liveness = check(last_dial=IDLE + 0.7 - DIAL_EVERY)
    assert first(follow(liveness, kernel(IDLE + U), 9), "dial") is not None


def test_one_dial_a_doubt():
    liveness = in_doubt()
    liveness.check(IDLE + 0.7, ASKED, idle=True)
    done = follow(liveness, ASKED, 9, opens=0.5)
    assert sum(step.dial for _, step in done) <= 1


# -- mid-transaction --------------------------------------------------------------------------------------------------


def test_during_a_transaction_probes_ask_and_the_verdict_waits_for_four_of_them():
    liveness = in_doubt()
    done = follow(liveness, replace(SILENT, probes=2), 9, idle=False, opens=0.0)
    asked = [at - IDLE for at, step in done if step.ask]
    assert len(asked) == 4 and all(late - early > 0.49 for early, late in zip([0.3, *asked], asked, strict=False))
    assert done[-1][1].verdict is Verdict.FORGOTTEN and 2.7 <= first(done, "verdict") + 1e-9 <= 2.85


def test_an_answer_on_its_way_is_the_question():
    liveness = check()
    liveness.wrote(1.0)
    done = follow(liveness, Info(unacked=1, outq=200, last_ack_recv=1.3), 9, idle=False, opens=0.0)
    assert not any(step.ask for _, step in done)
    assert done[-1][1].verdict is Verdict.FORGOTTEN


# -- a process that was kept from running -----------------------------------------------------------------------------


def test_after_a_long_sleep_the_line_still_gets_its_time():
    liveness = check()
    assert liveness.check(50.0, Info(probes=3, last_ack_recv=50.0), idle=True) == Step(ask=True)
    done = follow(liveness, ASKED, 99, now=50.0)
    dialed, verdict = (next(at for at, step in done if getattr(step, what)) for what in ("dial", "verdict"))
    assert dialed > 50.0 and verdict >= dialed + 1.2
    liveness = check(last_dial=49.0)
    liveness.check(50.0, Info(probes=3, last_ack_recv=50.0), idle=True)
    assert follow(liveness, ASKED, 99)[-1][0] >= 50.0 + 16 / 3 * U - 1e-9


# -- segments that are too large: M8 ----------------------------------------------------------------------------------

STUCK = Info(unacked=2, sacked=1, outq=1602, last_ack_recv=0.3)


def stuck(info=STUCK, **options):
    liveness = check(**options)
    liveness.wrote(1.0)
    assert liveness.check(1.3, info, idle=False) == NOTHING and liveness.doubting
    return liveness


@pytest.mark.parametrize("outq, notsent, sacked", [(1602, 0, 1), (30_000, 15_000, 0), (MSS, 0, 0), (1602, 0, 0)])
def test_m8_full_size_segments_are_not_the_connection_s_fault(outq, notsent, sacked):
    info = replace(STUCK, outq=outq, notsent_bytes=notsent, sacked=sacked)
    done = follow(stuck(info), info, 9, idle=False, opens=0.0)
    assert [(step.small, step.verdict) for _, step in done if step.dial or step.verdict] == [
        (True, None), (True, Verdict.OVERSIZED)]


def test_m8_a_small_answer_that_is_lost_says_nothing_of_sizes():
    info = replace(STUCK, unacked=1, sacked=0, outq=1000)
    assert follow(stuck(info), info, 9, opens=0.0)[-1][1] == Step(verdict=Verdict.FORGOTTEN)


def test_m8_a_dead_line_is_dead_whatever_was_under_way():
    assert follow(stuck(), STUCK, 9, dials=False)[-1][1] == Step(verdict=Verdict.SILENT)


def test_m8_soon_after_another_dial_the_sack_tells_the_sizes_from_a_dead_line():
    assert follow(stuck(last_dial=0.0), STUCK, 9)[-1][1] == Step(verdict=Verdict.OVERSIZED, small=True)
    info = replace(STUCK, sacked=0)
    assert follow(stuck(info, last_dial=0.0), info, 9)[-1][1] == Step(verdict=Verdict.SILENT)


def test_m8_an_answer_that_is_written_into_a_doubt_is_not_its_cause():
    assert follow(in_doubt(), STUCK, 9, opens=0.0)[-1][1] == Step(verdict=Verdict.FORGOTTEN)


def test_m8_where_no_smaller_segment_is_left_it_is_the_connection():
    info = replace(STUCK, snd_mss=524)
    assert follow(stuck(info), info, 9, opens=0.0)[-1][1].verdict is Verdict.FORGOTTEN


@pytest.mark.parametrize("segment, then", [
    (9000, 1200), (1460, 1200), (1448, 1200), (1201, 1200), (1200, 536), (1188, 536), (537, 536), (536, None),
    (524, None), (88, None)])
def test_m8_the_next_smaller_segment(segment, then):
    assert smaller(segment) == then
    assert then is None or then in SEGMENTS


def test_m8_a_large_request_that_dies_leaves_a_hole():
    """Its last, small segment arrives, and nothing in front of it ever does."""
    liveness = check()
    behind = Info(last_ack_recv=0.5, behind_hole=True, bytes_received=100)
    liveness.check(1.0, replace(behind, behind_hole=False), idle=True)
    done = follow(liveness, behind, 30, now=1.0)
    assert done == [(done[0][0], Step(verdict=Verdict.OVERSIZED, small=True))]
    assert 3.0 <= done[0][0] - (1.0 - 0.5 + IDLE + U) + 1e-9 <= 3.4


def test_m8_a_hole_that_moves_on_is_none():
    """A long request over a line that loses: there is always a hole, and always another."""
    liveness = check()
    for number in range(1, 40):
        step = liveness.check(liveness.next_check, Info(behind_hole=True, bytes_received=100 * number), idle=True)
        assert step == NOTHING


def test_m8_a_hole_that_was_there_at_the_first_look():
    assert follow(check(), Info(behind_hole=True, bytes_received=15), 9)[-1][1].verdict is Verdict.OVERSIZED


def test_m8_a_hole_that_is_filled_is_none():
    liveness, behind = check(), Info(behind_hole=True)
    assert follow(liveness, behind, 4.0) == []
    assert liveness.check(liveness.next_check, Info(), idle=True) == NOTHING
    at = liveness.next_check
    done = follow(liveness, behind, 30)
    assert done[-1][0] >= at + 3.0 - 1e-9


def test_m8_a_hole_waits_for_the_transaction_s_end():
    liveness, behind = check(), Info(behind_hole=True)
    assert follow(liveness, behind, 20, idle=False) == []
    assert liveness.next_check - 20 < 1
    assert liveness.check(liveness.next_check, behind, idle=True).verdict is Verdict.OVERSIZED


# -- what holds for every line ----------------------------------------------------------------------------------------


class Line:
    """A kernel and a line, in steps of 10 ms: keepalive, a heartbeat's retransmissions, one dial. `passes(now)`: does a
    question that is sent now get its answer? `forgotten`: from when on a router drops the old connection's packets."""

    def __init__(self, passes, forgotten=math.inf):
        self.passes, self.forgotten = passes, forgotten
        self.heard, self.segs, self.probes = 0.0, 1, 0
        self.probe_at, self.beat_at = IDLE, None
        self.dial_at = self.dialed = None

    def info(self, now):
        return Info(probes=self.probes, unacked=int(self.beat_at is not None), outq=33 * (self.beat_at is not None),
                    segs_in=self.segs, last_ack_recv=now - self.heard)

    def tick(self, now):
        if self.beat_at is not None:
            if now >= self.beat_at:
                self.beat_at = now + 0.2
                self._answer(now)
        elif now >= self.probe_at:
            self.probes += 1
            self.probe_at = now + 1.0
            self._answer(now)
        if self.dial_at is not None and self.dialed is None and now >= self.dial_at:
            self.dial_at = now + 1.0
            if self.passes(now):
                self.dialed = now

    def ask(self, now, idle):
        if idle:
            self.beat_at = now
        else:
            self.probe_at = now
        self.tick(now)

    def _answer(self, now):
        if now < self.forgotten and self.passes(now):
            self.heard, self.segs, self.probes, self.beat_at = now, self.segs + 1, 0, None
            self.probe_at = now + IDLE


def watch(line, until, idle=True):
    """Run a check over a line. Returns (time, verdict) or None, and how many checks and dials there were."""
    liveness, checks, dials = check(), 0, 0
    for tick in range(int(until * 100)):
        now = tick / 100
        line.tick(now)
        if now < liveness.next_check:
            continue
        checks += 1
        dial = Dial.NONE if line.dial_at is None else Dial.UNDER_WAY if line.dialed is None else Dial.OPEN
        step = liveness.check(now, line.info(now), idle=idle, dial=dial)
        if step.verdict:
            return (now, step.verdict), checks, dials
        if step.close_dial:
            line.dial_at = line.dialed = None
        if step.dial:
            dials += 1
            line.dial_at = now
        if step.ask:
            line.ask(now, idle)
    return None, checks, dials


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "in a transaction"])
def test_no_false_alarm_on_a_line_that_loses_three_percent_each_way_and_stalls(idle):
    """An hour, with a stall of a second every 20 s."""
    dice = random.Random(8)
    shifts = [dice.random() * 19 for _ in range(600)]

    def passes(now):
        stall = 20 * (now // 20) + shifts[int(now // 20)]
        return not stall <= now < stall + 1.0 and dice.random() > 1 - 0.97 * 0.97

    ended, checks, dials = watch(Line(passes), 3600, idle)
    assert ended is None and dials > 5
    assert checks < 3600


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 20), st.floats(0.05, 1.0), st.booleans())
def test_no_stall_of_a_second_is_taken_for_a_loss(start, length, idle):
    ended, _, _ = watch(Line(lambda now: not start <= now < start + length), 30, idle)
    assert ended is None


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 20))
def test_a_line_that_dies_is_noticed_in_time(start):
    (at, verdict), _, _ = watch(Line(lambda now: now < start), 40)
    assert verdict is Verdict.SILENT and 1.9 <= at - start + 0.02 <= 4.1


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 20), st.booleans())
def test_a_connection_that_was_forgotten_is_noticed_in_time(start, idle):
    (at, verdict), _, dials = watch(Line(lambda now: True, forgotten=start), 40, idle)
    assert verdict is Verdict.FORGOTTEN and dials == 1
    assert (1.3 if idle else 2.7) <= at - start + 0.02 <= (3.5 if idle else 4.9)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_never_a_verdict_where_something_was_received_within_two_units(data):
    """Whatever else the kernel says."""
    liveness, now, segs = check(), 0.0, 0
    ages = st.floats(0, 100)
    for _ in range(40):
        now = max(now, min(liveness.next_check, now + 1.9 * U)) if liveness.doubting else liveness.next_check
        segs += data.draw(st.integers(1, 3))
        info = data.draw(st.builds(
            Info, probes=st.integers(0, 9), unacked=st.integers(0, 9), sacked=st.integers(0, 9),
            outq=st.integers(0, 10**6), last_ack_recv=ages, last_data_recv=ages, segs_in=st.just(segs),
            rtt=st.floats(0, 2), rttvar=st.floats(0, 1)))
        step = liveness.check(now, info, idle=data.draw(st.booleans()), dial=data.draw(st.sampled_from(Dial)))
        assert step.verdict is None and not step.dial
        assert liveness.next_check > now, "it never spins"
