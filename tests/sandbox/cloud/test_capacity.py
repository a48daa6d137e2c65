"""How many terminals so many open files are enough for."""
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.cloud.capacity import OWN_FILES, Capacity, capacity


@pytest.mark.parametrize("files, terminals, calls", [(1024, 836, 124), (20_000, 19_338, 598), (524_288, 523_224, 1000)])
def test_by_hand(files, terminals, calls):
    assert capacity(files) == Capacity(terminals, calls, files)


@given(st.integers(OWN_FILES + 2, 1 << 20))
def test_nothing_is_promised_that_the_limit_does_not_allow(files):
    room = capacity(files)
    assert room.terminals >= 1 and room.calls >= 1
    assert room.terminals + room.calls + OWN_FILES <= files
