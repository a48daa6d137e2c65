"""Where payloads end, by table; and that segments never matter, by properties."""
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econduit_terminal.agent.wire.errors import ProtocolError
from econduit_terminal.agent.wire.framing import PATIENCE, REGISTRATION_ANSWERS, Framer

LIMIT = 1 << 20
EOT2 = b"\x04\x04"


def run(pieces, *, registration=False, limit=LIMIT):
    """All frames of the pieces, and those that one quiet gap adds."""
    framer = Framer(limit, registration=registration)
    frames = [frame for piece in pieces for frame in framer.receive(piece)]
    return frames, framer.quiet() if framer.pending else []


def cuts(data, at):
    edges = [0, *sorted(at), len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:])]


@pytest.mark.parametrize("data, complete, by_gap", [
    (b'{"a":1}', [b'{"a":1}'], []),
    (b'{"a":1}' + EOT2, [b'{"a":1}'], []),
    (b'{"a":1} \r\n' + EOT2 + b'[2]', [b'{"a":1}', b"[2]"], []),
    (b'{"a":1}{"b":2}', [b'{"a":1}', b'{"b":2}'], []),
    (b'{"a":"}\\"{"}', [b'{"a":"}\\"{"}'], []),
    (b'{"a":[{"b":"\\\\"}]}x', [b'{"a":[{"b":"\\\\"}]}'], [b"x"]),
    (b"\n [1]", [b"\n [1]"], []),
    (b"plain" + EOT2 + b"more", [b"plain"], [b"more"]),
    (b"a\x04b" + EOT2, [b"a\x04b"], []),
    (b'{"half":' + EOT2 + b"x", [b'{"half":'], [b"x"]),
    (b'{"half":"in a string' + EOT2, [b'{"half":"in a string'], []),
    (b'{"half":"escape\\' + EOT2, [b'{"half":"escape\\'], []),
    (b'{"a":1]', [], [b'{"a":1]']),
    (b"{not json}", [], [b"{not json}"]),
    (b"{not json} more" + EOT2, [b"{not json} more"], []),
    (EOT2 + b" \x04\x04\r\n", [], []),
    (b"", [], []),
    (b'{"unfinished":', [], []),
    (b"12", [], [b"12"]),
    (b'"text"', [], [b'"text"']),
    (b"\x02sale\x03", [], [b"\x02sale\x03"]),
])
def test_where_payloads_end(data, complete, by_gap):
    assert run([data]) == (complete, by_gap)


@pytest.mark.parametrize("data, complete", [
    (b"OK-REGISTRATION", [b"OK-REGISTRATION"]),
    (b"OK-REGISTRATION" + EOT2, [b"OK-REGISTRATION"]),
    (b"OK-REGISTRATION\r\n", [b"OK-REGISTRATION"]),
    (b'OK-REGISTRATION{"Command":"Sale"}', [b"OK-REGISTRATION", b'{"Command":"Sale"}']),
    (b"FAILED-REGISTRATION", [b"FAILED-REGISTRATION"]),
    (b"FAILED-INVALID-TERMINAL-TYPE", [b"FAILED-INVALID-TERMINAL-TYPE"]),
    (b"OK-REG" + EOT2, [b"OK-REG"]),
    (b"SOMETHING ELSE" + EOT2 + b"OK-REGISTRATION" + EOT2, [b"SOMETHING ELSE", b"OK-REGISTRATION"]),
])
def test_registration_answers_come_first(data, complete):
    assert run([data], registration=True)[0] == complete


def test_a_registration_answer_is_nothing_special_later():
    assert run([b"OK-REGISTRATION"]) == ([], [b"OK-REGISTRATION"])


def test_half_a_registration_answer_outlasts_every_gap():
    framer = Framer(LIMIT, registration=True)
    framer.receive(b"OK-REGIS")
    assert [framer.quiet() for _ in range(PATIENCE * 2)] == [[]] * PATIENCE * 2
    assert framer.receive(b"TRATION") == [b"OK-REGISTRATION"]


def test_half_a_json_request_is_never_a_frame_and_breaks_off_in_the_end():
    framer = Framer(LIMIT)
    framer.receive(b'{"Command":"Sale","Amount":"1')
    for _ in range(PATIENCE - 1):
        assert framer.quiet() == []
    with pytest.raises(ProtocolError, match="broke off after 29 bytes"):
        framer.quiet()


def test_a_slow_message_starts_its_patience_anew_with_every_byte():
    framer = Framer(LIMIT)
    for byte in b'{"a":"bc"':
        framer.receive(bytes([byte]))
        for _ in range(PATIENCE - 1):
            assert framer.quiet() == []
    assert framer.receive(b"}") == [b'{"a":"bc"}']


def test_without_patience_only_the_caller_gives_up():
    framer = Framer(LIMIT, patience=None)
    framer.receive(b'{"a":')
    assert [framer.quiet() for _ in range(PATIENCE * 3)] == [[]] * PATIENCE * 3


def test_the_second_eot_may_come_after_a_gap():
    framer = Framer(LIMIT)
    assert framer.receive(b"plain\x04") == []
    assert framer.quiet() == []
    assert framer.receive(b"\x04") == [b"plain"]


def test_a_lone_eot_at_the_end_is_payload_when_its_twin_never_comes():
    framer = Framer(LIMIT)
    framer.receive(b"plain\x04")
    frames = [framer.quiet() for _ in range(PATIENCE)]
    assert frames == [[]] * (PATIENCE - 1) + [[b"plain\x04"]]


def test_eot_eot_after_a_gap_belongs_to_the_payload_before():
    framer = Framer(LIMIT)
    framer.receive(b"plain")
    assert framer.quiet() == [b"plain"]
    assert framer.receive(EOT2 + b'{"a":1}') == [b'{"a":1}']


def test_the_end_of_the_stream_ends_an_opaque_payload_but_not_half_a_value():
    framer = Framer(LIMIT)
    framer.receive(b"plain")
    assert framer.finish() == [b"plain"]
    framer.receive(b'{"a":')
    with pytest.raises(ProtocolError, match="inside a message"):
        framer.finish()
    assert Framer(LIMIT).finish() == []


@pytest.mark.parametrize("body", [b"x" * 101, b'{"a":"' + b"x" * 101, b'{"a":"' + b"x" * 93 + b'"}', b" " * 101])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_too_long_is_an_error_that_keeps_what_came_before(body, step):
    data = b'{"first":1}' + EOT2 + body + EOT2
    framer, frames = Framer(100), []
    with pytest.raises(ProtocolError, match="more than 100 bytes") as caught:
        for piece in (data[i:i + step] for i in range(0, len(data), step)):
            frames += framer.receive(piece)
    assert frames + list(caught.value.frames) == [b'{"first":1}']


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_exactly_the_limit_is_allowed(step):
    data = b"x" * 100 + EOT2
    assert run([data[i:i + step] for i in range(0, len(data), step)], limit=100)[0] == [b"x" * 100]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
json_payloads = (st.lists(json_values) | st.dictionaries(st.text(), json_values)).flatmap(
    lambda value: st.sampled_from([json.dumps(value).encode(), json.dumps(value, ensure_ascii=False, indent=1).encode()]))
opaque_payloads = st.binary(min_size=1).filter(
    lambda data: EOT2 not in data and not data.endswith(b"\x04") and data.strip(b" \t\r\n\x04")
    and data.lstrip()[:1] not in (b"{", b"["))


@given(st.lists(st.tuples(json_payloads, st.sampled_from([b"", EOT2, b"\r\n" + EOT2]))
                | opaque_payloads.filter(lambda data: not data.startswith((b"\x04", b" ", b"\t", b"\r", b"\n")))
                .map(lambda data: (data, EOT2))), st.data())
def test_payloads_come_out_as_they_went_in(messages, data):
    stream = b"".join(payload + end for payload, end in messages)
    at = data.draw(st.lists(st.integers(0, len(stream))))
    frames, late = run(cuts(stream, at))
    assert frames == [payload for payload, _ in messages]
    assert late == []


noisy = st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b"\x04", EOT2, b" ", b"\n", b"a", b"1", b":", b",",
                                  b'"k":', b"{}", b"OK-", *REGISTRATION_ANSWERS])).map(b"".join)


@settings(max_examples=500)
@given(noisy | st.binary(), st.booleans(), st.data())
def test_cuts_never_matter(stream, registration, data):
    at = data.draw(st.lists(st.integers(0, len(stream))))
    assert run(cuts(stream, at), registration=registration) == run([stream], registration=registration)


@given(st.lists(noisy | st.binary() | st.none()), st.integers(1, 40))
def test_nothing_but_the_wires_own_error_and_a_bounded_buffer(pieces, limit):
    framer = Framer(limit, registration=True)
    try:
        for piece in pieces:
            frames = framer.quiet() if piece is None else framer.receive(piece)
            assert all(len(frame) <= limit + 1 for frame in frames)
        framer.finish()
    except ProtocolError as error:
        assert all(len(frame) <= limit for frame in error.frames)


SHAPES = {
    "string": lambda n: b'{"a":"' + b"x" * n + b'"}',
    "numbers": lambda n: b"[" + b"1," * (n // 2) + b"1]",
    "escapes": lambda n: b'{"a":"' + b'\\"' * (n // 2) + b'"}',
    "brackets": lambda n: b"[" * n + EOT2,
    "opaque": lambda n: b"x" * n + EOT2,
    "space before": lambda n: b" " * n + b"{}",
    "space after": lambda n: b"{}" + b" " * n + EOT2,
}


@pytest.mark.parametrize("shape, size", [(shape, LIMIT // 2 if shape == "string" else LIMIT // 8) for shape in SHAPES])
def test_linear_time_byte_by_byte(shape, size):
    """One message costs about what eight of an eighth of its size cost; in quadratic time it would be eight times."""
    def seconds(size, count):
        began = time.process_time()
        for _ in range(count):
            framer, found = Framer(2 * LIMIT), 0
            for byte in SHAPES[shape](size):
                found += len(framer.receive(bytes((byte,))))
            assert found == 1
        return time.process_time() - began

    assert seconds(size, 1) < 4 * seconds(size // 8, 8)
