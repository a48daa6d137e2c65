from hypothesis import given, strategies as st

from econduit_terminal.agent.wire.buffer import Buffer

EOT2 = b"\x04\x04"


@given(st.lists(st.binary(max_size=5) | st.sampled_from([b"\x04", EOT2, b"\x04" * 3]) | st.integers(0, 8)))
def test_the_first_eot_eot_is_known_whatever_was_added_and_dropped(steps):
    buffer, plain = Buffer(), b""
    for step in steps:
        if isinstance(step, bytes):
            buffer.add(step)
            plain += step
        else:
            buffer.drop(min(step, len(plain)))
            plain = plain[step:]
        assert (buffer.bytes, len(buffer)) == (plain, len(plain))
        assert buffer.eot2 == plain.find(EOT2) and buffer.half == plain.endswith(b"\x04")
        assert buffer.limit == (buffer.eot2 if buffer.eot2 >= 0 else len(plain.removesuffix(b"\x04")))
