import itertools
import re
import time

import pytest
from hypothesis import example, given, strategies as st

from econduit_terminal.agent.transactions import luhn
from econduit_terminal.agent.transactions.luhn import has_number, hidden

PLAIN = re.compile(rb"[0-9]+(?:[ -][0-9]+)*")
MARKED = re.compile(rb"[0-9]+(?:[^0-9A-Za-z*]{1,4}[0-9]+)*")
ISSUERS = re.compile(rb"(4[0-9]{15}|4[0-9]{12}|4[0-9]{18}|62[0-9]{17}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}"
                     rb"|3[0689][0-9]{12}|35[0-9]{14}|6[0245][0-9]{14})\Z")


def passes(digits):
    return digits.strip(b"0") and sum(int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(
        digits[::-1].decode())) % 10 == 0


def by_hand(text):
    """The table of the module's docstring, window by window."""
    found = set()
    for chain, plain in ((PLAIN, True), (MARKED, False)):
        for run in chain.finditer(text):
            begin = run.start()
            places = [at for at in range(run.start(), run.end()) if text[at:at + 1].isdigit()]
            for first in range(len(places)):
                for length in range(13, 20):
                    window = places[first:first + length]
                    digits = bytes(text[at] for at in window)
                    if len(window) < length or not passes(digits):
                        continue
                    starts = not re.search(rb"[0-9*]\Z", text[:window[0]])
                    ends = not re.match(rb"[0-9*]", text[window[-1] + 1:])
                    groups = re.findall(rb"[0-9]+", text[window[0]:window[-1] + 1])
                    sizes = [len(group) for group in groups[:-1]]
                    whole = starts and ends
                    if (whole or (len(groups) == 1 and ISSUERS.match(digits))) if plain else (
                            whole and digits[:1] in b"23456" and (min(sizes, default=4) >= 4 or set(sizes) == {1})):
                        found.add((window[0], window[-1] + 1))
            assert begin <= run.end()
    return found


def numbers(text):
    """Where the numbers begin and end that are found."""
    for first, marked, windows in luhn._blocks(text):
        places = [place for place, code in enumerate(marked, first) if code != luhn._JOIN]
        for length, begins in windows:
            for at, flag in enumerate(luhn._bytes(begins, len(marked))):
                if flag:
                    yield places[at], places[at + length - 1] + 1


CARDS = st.sampled_from(["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "4222222222222",
                         "6212345678901232", "2223003122003222", "6304000000000000000", "49927398716", "4"])
TEXTS = st.lists(st.one_of(
    CARDS, st.text("0123456789", max_size=22),
    st.sampled_from([" ", "-", ".", "  ", "\t", ", ", "x", "*", "    ", "....."]),
    st.tuples(CARDS, st.sampled_from([" ", ".", "--", "\t\t"]), st.sampled_from([1, 4, 6])).map(
        lambda it: it[1].join(it[0][at:at + it[2]] for at in range(0, len(it[0]), it[2])))),
    max_size=8).map(lambda parts: "".join(parts).encode())


@given(TEXTS, st.sampled_from([3, 40, luhn.BLOCK]))
@example(b"4111.1111.1111.1111", 3)
@example(b"1234567890123" * 3, 3)
def test_what_is_found_is_what_the_table_says_in_blocks_of_any_size(text, size):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(luhn, "BLOCK", size)
        assert set(numbers(text)) == by_hand(text)
        assert has_number(text) == bool(by_hand(text))
        assert set(itertools.chain(*(range(*found) for found in hidden(text)))) == set(itertools.chain(*(
            [at for at in range(*number) if text[at:at + 1].isdigit()][:-4] for number in by_hand(text))))


@given(st.binary(max_size=300))
def test_any_bytes(text):
    assert set(numbers(text)) == by_hand(text)


MIB = 1 << 20


@pytest.mark.parametrize("pattern", [
    b"0 ", b"4 ", b"4", b"9", b"0", b"1", b"4.", b"4-1", b"4, ", b"4 4  4", b"44.4.", b"8.88.", b"123456789012a",
    b"[0,", b"4111111111111112 ", b"41111111111111112", b"411111111111111*", b"....4", b"\x00\x01\x02", b"aB3"])
def test_m13_a_mebibyte_of_anything_takes_a_fraction_of_a_second(pattern):
    text = (pattern * (MIB // len(pattern) + 1))[:MIB]
    assert min(_seconds(text) for _ in range(3)) < 0.3


def test_m13_the_time_is_linear():
    text = b"123456789012a" * 10_000
    assert min(_seconds(text * 8) for _ in range(3)) < 16 * min(_seconds(text) for _ in range(3))


def _seconds(text):
    began = time.process_time()
    has_number(text)
    return time.process_time() - began
