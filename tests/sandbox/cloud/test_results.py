"""Which answer belongs to which request, what is kept, how often one may ask: pure."""
from datetime import date

from econduit_terminal.sandbox.cloud.results import MAX_ANSWERS, Results

DAY = date(2026, 1, 2)


def start(results: Results, ref: str, command: str = "Sale", terminal: str = "T1", request: bytes = b"q"):
    return results.start(ref, command, terminal, "1.00", request, now=0.0, day=DAY)


def test_by_ref_id_and_by_kind():
    results = Results()
    sale, void = start(results, "A"), start(results, "A", "Void", request=b"v")
    assert results.answered("T1", "A", "void", b"1") == (void, True)
    assert results.answered("T1", "A", None, b"2") == (sale, True)
    assert results.find("A", "VOID") is void and results.find("A") is void and results.find("A", "Auth") is None


def test_without_a_ref_id_the_oldest_pending_of_the_terminal():
    results = Results()
    first, second, other = start(results, "A"), start(results, "B"), start(results, "C", terminal="T2")
    assert results.answered("T1", None, None, b"1")[0] is first
    assert results.answered("T1", None, None, b"2")[0] is second
    assert results.answered("T1", None, None, b"3") is None
    assert results.answered("T2", None, None, b"4")[0] is other


def test_another_terminals_answer_is_not_taken():
    results = Results()
    start(results, "A")
    assert results.answered("T2", "A", None, b"1") is None
    assert results.answered("T1", "B", None, b"1") is None


def test_a_second_answer_is_kept_and_told_apart():
    results = Results()
    result = start(results, "A")
    assert results.answered("T1", "A", None, b"first") == (result, True)
    assert results.answered("T1", "A", None, b"second") == (result, False)
    assert list(result.answers) == [b"first", b"second"]
    for number in range(20):
        results.answered("T1", "A", None, b"%d" % number)
    assert len(result.answers) == MAX_ANSWERS


def test_the_same_request_again_shares_the_answer_and_tells_both():
    results, told = Results(), []
    for name in ("one", "two"):
        start(results, "A").on_answer = lambda name=name: told.append(name)
    other = start(results, "A", request=b"other")
    results.answered("T1", "A", "Sale", b"1")
    assert told == ["one", "two"] and other.pending


def test_memory_is_bounded_by_count_and_by_bytes():
    few = Results(limit=3)
    for ref in "ABCDE":
        start(few, ref)
    assert [few.find(ref) is not None for ref in "ABCDE"] == [False, False, True, True, True]
    small = Results(limit_bytes=100)
    for ref in "ABC":
        start(small, ref, request=b"x" * 60)
    assert [small.find(ref) is not None for ref in "ABC"] == [False, False, True]


def test_forgotten_means_not_found():
    results = Results()
    result = start(results, "A")
    results.forget(result)
    results.forget(result)
    assert results.find("A") is None and results.last("T1") is None
    assert results.answered("T1", "A", None, b"1") is None


def test_asking_too_soon_per_ref_id():
    results = Results(check_interval=5.0)
    assert results.too_soon("A", 100.0) == 0
    assert results.too_soon("A", 103.0) == 2.0
    assert results.too_soon("B", 103.0) == 0
    assert results.too_soon("A", 105.0) == 0
    late = 100.0 + 3 * 60
    assert results.too_soon("A", late - 1) == 0
    assert results.too_soon("A", late) == 29.0          # every 30 s from now on
    free = Results(check_interval=0.0)
    assert free.too_soon("A", 1.0) == free.too_soon("A", 1.0) == 0
