import sys

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.process import text


@pytest.mark.parametrize("dirty, shown", [
    ("plain äöü", "plain äöü"), ("a\r\nb\x00\x04", r"a\r\nb\x00\x04"), (b"caf\xc3\xa9 \xff", r"café \xff"),
    (7, "7"), (None, "None"), (OSError(5, "I/O"), "[Errno 5] I/O"), ("\u202eevil\u200b", r"\u202eevil\u200b"),
    ("\ud800", r"\ud800"), ("x" * 201, "x" * 199 + "…"), ("x" * 200, "x" * 200),
])
def test_cleaned_text(dirty, shown):
    assert text.clean(dirty) == shown


@given(st.text() | st.binary(), st.integers(1, 300))
def test_cleaned_text_always_prints_and_has_an_end(dirty, limit):
    shown = text.clean(dirty, limit)
    assert shown.isprintable() and len(shown) <= limit


def test_cleaning_does_not_read_on_behind_the_limit():
    class Endless(str):
        def __iter__(self):
            raise AssertionError("read from start to end")

        def __getitem__(self, part):
            assert part.stop <= 201
            return "x" * part.stop

    assert text.clean(Endless("x" * 1000)) == "x" * 199 + "…"
    assert sys.getsizeof(text.clean(b"\xff" * 10_000_000)) < 2000
