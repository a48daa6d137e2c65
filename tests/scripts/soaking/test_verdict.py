"""What a soak has shown, as tables."""
import pytest
from hypothesis import given, strategies as st
from soaking.verdict import Fate, Sale, ended, fate, good, is_foreign, money, offline, overlaps

DUE = 100.0


def sale(*answer, ref="r", began=10.0, ended=12.0):
    return Sale(ref, "2.50", 1, began, ended, answer or None)


APPROVED = sale("r", "Approved", "A1", "APPROVED")
FAILED = sale("r", "Failed", "", "terminal interrupted during this transaction")


@pytest.mark.parametrize("one, codes, kills, expected", [
    (APPROVED, ["A1"], [], Fate.APPROVED),
    (sale("r", "Declined", "", "DECLINED"), ["A1"], [], Fate.DECLINED),
    (FAILED, [], [], Fate.NO_REASON),
    (FAILED, [], [(1, 9)], Fate.NO_REASON),
    (FAILED, [], [(11, 11)], Fate.NOT_RUN),
    (FAILED, ["A1"], [(11, 11)], Fate.UNKNOWN),
    (FAILED, ["A1"], [(9, 10)], Fate.UNKNOWN),
    (FAILED, ["A1"], [(1, 9), (13, 20)], Fate.LOST),
    (FAILED, ["A1"], [], Fate.LOST),
    (sale(), ["A1"], [], Fate.LOST),
    (sale(), [], [(11, 11)], Fate.LOST),
    (sale(began=101.0), ["A1"], [], Fate.OPEN),
])
def test_what_became_of_a_sale(one, codes, kills, expected):
    assert fate(one, codes, kills, DUE) is expected


@pytest.mark.parametrize("one, codes, expected", [
    (APPROVED, ["A1"], False),
    (APPROVED, ["B2", "A1"], False),
    (APPROVED, ["B2"], True),
    (APPROVED, [], True),
    (sale("other", "Approved", "A1", ""), ["A1"], True),
    (sale("other", "Failed", "", ""), [], True),
    (sale("r", "Declined", "", "DECLINED"), ["A1"], False),
    (sale("r", "Declined", "", "DECLINED"), [], True),
    (FAILED, [], False),
    (sale(), [], False),
])
def test_whose_answer_it_is(one, codes, expected):
    assert is_foreign(one, codes) is expected


def test_the_money_of_a_run():
    sales = [sale(ref, "Approved", code, "", ref=ref) for ref, code in (("a", "1"), ("b", "2"), ("c", "9"))]
    sales += [sale(ref, "Failed", "", "interrupted", ref=ref) for ref in ("d", "e")]
    found = money(sales, {"a": ["1"], "b": ["2", "3"], "c": ["4"], "d": ["5"], "of-nobody": ["6", "7"]}, [], DUE)
    assert (found.twice, found.lost, found.foreign) == (("b", "of-nobody"), ("d",), ("c",))
    assert found.no_reason == ("e",)
    assert found.fates[Fate.APPROVED] == 3 and sum(found.fates.values()) == 5


@pytest.mark.parametrize("unwritten, expected", [
    ([], (("a",), ())),
    ([(11, 11)], ((), ("a",))),
    ([(9, 10)], ((), ("a",))),
    ([(13, 14)], (("a",), ())),
])
def test_run_twice_where_nothing_could_be_written_counts_apart(unwritten, expected):
    found = money([sale("a", "Approved", "2", "", ref="a")], {"a": ["1", "2"]}, [(11, 11)], DUE, unwritten)
    assert (found.twice, found.unwritten) == expected


def test_what_ended_by_itself():
    log = """2026-11-26 06:09:51,559 WARN exited: agent (terminated by SIGKILL; not expected)
2026-11-26 06:09:51,583 INFO spawned: 'agent' with pid 9774
2026-11-26 06:12:09,866 WARN exited: agent (exit status 1; not expected)
2026-11-26 06:13:09,866 WARN exited: watchdog (terminated by SIGSEGV (core dumped); not expected)
2026-11-26 06:14:09,866 INFO exited: agent (exit status 0; expected)
"""
    assert ended(log) == ("agent: exit status 1; not expected",
                          "watchdog: terminated by SIGSEGV (core dumped); not expected",
                          "agent: exit status 0; expected")


@pytest.mark.parametrize("troubles, expected", [
    ([], [(0, 100)]),
    ([(10, 20)], [(0, 10), (20, 100)]),
    ([(30, 40), (10, 20)], [(0, 10), (20, 30), (40, 100)]),
    ([(10, 30), (20, 25), (30, 31)], [(0, 10), (31, 100)]),
    ([(0, 5), (90, 100)], [(5, 90)]),
    ([(-5, 200)], []),
    ([(50, 50)], [(0, 50), (50, 100)]),
    ([(120, 130)], [(0, 100)]),
])
def test_when_the_network_was_good(troubles, expected):
    assert good(troubles, 0, 100) == expected


@pytest.mark.parametrize("timeline, expected", [
    ([], []),
    ([(0, True)], []),
    ([(0, False)], [(0, 100)]),
    ([(0, False), (3, True), (7, False), (8, False), (9, True)], [(0, 3), (7, 9)]),
    ([(0, True), (60, False)], [(60, 100)]),
])
def test_when_the_terminal_was_offline(timeline, expected):
    assert offline(timeline, 100) == expected


intervals = st.lists(st.integers(0, 100), unique=True, max_size=12).map(
    lambda cuts: list(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)))


@given(intervals, intervals)
def test_what_lies_in_both(left, right):
    def moments(stretches):
        return {moment for begin, end in stretches for moment in range(begin, end)}
    assert moments(overlaps(left, right)) == moments(left) & moments(right)
