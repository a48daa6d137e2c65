"""Where payloads end, by table; and that segments and pauses never matter, by properties."""
import itertools
import json
import time

import pytest
from hypothesis import given, settings, strategies as st

from econduit_terminal.agent.wire import dialect
from econduit_terminal.agent.wire.errors import ProtocolError
from econduit_terminal.agent.wire.formats import lrc
from econduit_terminal.agent.wire.framing import Frame, Framer

LIMIT = 1 << 20
EOT2 = b"\x04\x04"
GAP, PATIENCE = 1.0, 20.0


class Reader:
    """A framer and a clock: bytes, and pauses in between."""

    def __init__(self, limit=LIMIT, *, registration=False, **flags):
        answers = dialect.ANSWERS if registration else ()
        self.framer = Framer(limit, gap=GAP, patience=PATIENCE, answers=answers, **flags)
        self.now = 100.0

    def send(self, *pieces):
        """The frames in these pieces; a number is a pause in seconds."""
        frames = []
        for piece in pieces:
            if isinstance(piece, bytes):
                self.framer.feed(piece, self.now)
                while frame := self.framer.next_frame():
                    frames.append(frame)
            else:
                frames += self._pause(piece)
        return frames

    def _pause(self, seconds):
        end = self.now + seconds
        while (due := self.framer.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            if frame := self.framer.quiet(self.now):
                yield frame
        self.now = end


def payloads(frames):
    return [frame.payload for frame in frames]


def stx(content):
    return b"\x02" + content + b"\x03" + bytes((lrc(content + b"\x03"),))


def run(pieces, *, limit=LIMIT, **flags):
    """All payloads of the pieces, and those that one quiet gap adds."""
    reader = Reader(limit, **flags)
    return payloads(reader.send(*pieces)), payloads(reader.send(GAP))


def cuts(data, at):
    edges = [0, *sorted(at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


NO_END = [b"SALE 2.50", b"12", b'"text"', b"a\x04b", b"{not json}", b'{"a":1]', b"[1,]", b"<a><b></a></b>", b"<1>",
          b"<!doctype html><p>", b"\x02OK\x03\x99", b"\xff\xfe<\x00a\x00>\x00", b"\xef\xbbSALE", b"OK-REG", b"FAILED"]
ENDED = [b'{"a":1}', b"[]", b'{"a":"}\\"{"}', b'{"a":[{"b":"\\\\"}]}', b'{"a":"\x04"}', b"[" * 5000 + b"]" * 5000,
         b"\n [1]", b'\xef\xbb\xbf{"a":1}', b"\r\n\xef\xbb\xbf <a/>",
         b"<a/>", b"<a></a >", b'<a b="/>" c=\'>\'><a>x</a></a>',
         b"<?xml version='1.0'?><!-- <b> --><a><![CDATA[</a>]]></a>",
         b"<!DOCTYPE a [<!ENTITY x \"]>\"><!-- ]> ' --><?p ]> ?>]><a>&x;</a>", b"<a>\x04</a>",
         stx(b"T00\x1c1.28"), stx(b"a\x04b"), stx(b"OH"), stx(b"\x02{<"), b" \r\n" + stx(b"A")]


@pytest.mark.parametrize("payload", ENDED)
@pytest.mark.parametrize("behind", [b"", EOT2, EOT2 + b"\x04", b"\x04", b"\r\n", b" \r\n" + EOT2,
                                    b"\r\n" + EOT2 + EOT2])
def test_o13_a_message_of_a_known_format_ends_with_it_whatever_stands_behind(payload, behind):
    assert run([payload + behind + b'{"next":1}']) == ([payload, b'{"next":1}'], [])
    assert run([payload + behind]) == ([payload], [])


@pytest.mark.parametrize("payload", NO_END)
def test_what_has_no_end_of_its_own_ends_by_eot_eot_or_by_a_gap(payload):
    assert run([payload]) == ([], [payload])
    assert run([payload + EOT2]) == ([payload], [])
    assert run([payload + EOT2 + b'\x04{"next":1}']) == ([payload, b'{"next":1}'], [])


@pytest.mark.parametrize("payload", ENDED + NO_END)
def test_m17_an_eot_in_front_is_dropped(payload):
    for front in (b"\x04", EOT2, b"\x04 \x04\r\n" + EOT2, b"\xef\xbb\xbf" + EOT2):
        assert run([front + payload + EOT2]) == ([payload], [])


@pytest.mark.parametrize("payload", NO_END)
def test_m9_half_a_terminator_at_the_end_is_left_out_at_the_gap(payload):
    reader = Reader()
    assert reader.send(payload + b"\x04", GAP - 0.1) == []
    assert payloads(reader.send(0.1)) == [payload]
    assert payloads(reader.send(b'\x04{"next":1}')) == [b'{"next":1}'] and reader.framer.terminates
    reader = Reader()
    assert payloads(reader.send(payload + b"\x04", 0.4, b"\x04")) == [payload]


@pytest.mark.parametrize("whole", [payload for payload in ENDED if len(payload) < 100])
@pytest.mark.parametrize("end", [b"", EOT2], ids=["bare", "terminated"])
@pytest.mark.parametrize("pause", [0.4, GAP, 3.0, PATIENCE - 0.1])
@pytest.mark.parametrize("terminates", [False, True])
def test_m1_no_pause_up_to_patience_cuts_a_known_format_anywhere(whole, end, pause, terminates):
    for cut in range(1, len(whole)):
        reader = Reader(terminates=terminates)
        frames = reader.send(whole[:cut], pause, whole[cut:] + end, pause)
        assert payloads(frames) == [whole], cut


@pytest.mark.parametrize("whole", [payload for payload in ENDED if len(payload) < 100])
@pytest.mark.parametrize("registration", [False, True])
def test_m1_what_breaks_off_is_an_error_and_no_message(whole, registration):
    begins = next(at for at in range(len(whole)) if whole[at:at + 1] in b"{[<\x02")
    for cut in range(begins + 1, len(whole)):
        reader = Reader(registration=registration)
        with pytest.raises(ProtocolError, match=f"broke off after {cut} bytes"):
            reader.send(whole[:cut], PATIENCE)


def test_what_is_in_front_of_a_message_waits_without_end():
    reader = Reader()
    assert reader.send(b"\r\n \xef\xbb\xbf", 3600, b"\x04 ", 3600) == [] and reader.framer.deadline() is None
    assert payloads(reader.send(b"{}")) == [b" {}"]


@pytest.mark.parametrize("data, complete", [
    (b'{"half":' + EOT2 + b"[1]", [b'{"half":', b"[1]"]),
    (b'{"half":"in a string' + EOT2, [b'{"half":"in a string']),
    (b'{"half":"escape\\' + EOT2, [b'{"half":"escape\\']),
    (b"<half><a b='" + EOT2 + b"<b/>", [b"<half><a b='", b"<b/>"]),
    (b"\x02half" + EOT2, [b"\x02half"]),
    (b"\x02OK\x03" + EOT2, [b"\x02OK\x03"]),                # no LRC at all
    (b"\x02OH\x03" + EOT2 + EOT2, [b"\x02OH\x03\x04"]),     # the LRC is 0x04
    (b"\x02OK\x03\x99\x04" + EOT2, [b"\x02OK\x03\x99"]),
    (EOT2 + b" \x04\x04\r\n", []),
    (b"", []),
])
def test_eot_eot_ends_whatever_began(data, complete):
    assert run([data]) == (complete, [])


def test_m3_the_right_lrc_counts_although_it_looks_like_half_a_terminator():
    message = bytes.fromhex("024f480304")
    for pieces in ([message + EOT2], [message, EOT2], [message[:4], b"\x04", b"\x04", b"\x04"],
                   [message[:4], 3.0, b"\x04\x04\x04"]):
        assert run([*pieces, b"{}"]) == ([message, b"{}"], [])
    wrong = bytes.fromhex("024f4a0304")         # a wrong LRC that is 0x04: unchanged
    assert run([wrong]) == ([], [wrong])


@pytest.mark.parametrize("behind, payload", [
    (b"<!-- a --><?b c?>\r\n<b/>", b"<b/>"),
    (b"<!-- <c/>" + b"x" * 300 + b"--><b/>", b"<b/>"),
    (b"\r\n<?xml version='1.0'?><b/>", b"<?xml version='1.0'?><b/>"),
    (b"<?xml-stylesheet?><b/>", b"<b/>"),
    (EOT2 + b"<!-- a --><b/>", b"<!-- a --><b/>"),
    (b"<!-- a" + EOT2 + b"<b/>", b"<b/>"),
    (b"<!-- a -->" + EOT2 + b"<!-- b -->" + EOT2 + b"{}", b"{}"),
    (b"<!-- a -->{}", b"{}"),
    (b"\xef\xbb\xbf<!-- a --><b/>", b"\xef\xbb\xbf<!-- a --><b/>"),
])
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_comments_and_instructions_behind_an_xml_root_are_no_message(behind, payload, step):
    data = b"<a/>" + behind
    pieces = [data[at:at + step] for at in range(0, len(data), step)]
    assert run(pieces) == ([b"<a/>", payload], [])
    assert payloads(Reader().send(*(part for piece in pieces for part in (piece, 2.0)))) == [b"<a/>", payload]


def test_a_comment_without_an_end_behind_a_root_breaks_off():
    with pytest.raises(ProtocolError, match="broke off"):
        Reader().send(b"<a/><!-- ", PATIENCE)


def test_an_xml_message_without_a_root_is_none():
    assert run([b"<!-- a -->", GAP * 3, EOT2 + b"{}"]) == ([b"{}"], [])
    reader = Reader()
    assert reader.send(b"<!-- a -->", PATIENCE) == [] and not reader.framer.begun


@pytest.mark.parametrize("data, complete", [
    (b"OK-REGISTRATION", [b"OK-REGISTRATION"]),
    (b"OK-REGISTRATION" + EOT2, [b"OK-REGISTRATION"]),
    (b"OK-REGISTRATION\r\n", [b"OK-REGISTRATION"]),
    (b"\xef\xbb\xbfOK-REGISTRATION\r\n", [b"\xef\xbb\xbfOK-REGISTRATION"]),
    (b'OK-REGISTRATION{"Command":"Sale"}', [b"OK-REGISTRATION", b'{"Command":"Sale"}']),
    (b"OK-REGISTRATION\r\n<a/>", [b"OK-REGISTRATION", b"<a/>"]),
    (b"OK-REGISTRATION\xef\xbb\xbf[]", [b"OK-REGISTRATION", b"\xef\xbb\xbf[]"]),
    (b"OK-REGISTRATION" + stx(b"A"), [b"OK-REGISTRATION", stx(b"A")]),
    (b"OK-REGISTRATION\x04SALE" + EOT2, [b"OK-REGISTRATION", b"SALE"]),
    (b"FAILED-REGISTRATION", [b"FAILED-REGISTRATION"]),
    (b"FAILED-INVALID-TERMINAL-TYPE", [b"FAILED-INVALID-TERMINAL-TYPE"]),
    (b"OK-REG" + EOT2, [b"OK-REG"]),
    (b"OK-REGISTRATION-X" + EOT2, [b"OK-REGISTRATION-X"]),
    (b"OK-REGISTRATION, welcome" + EOT2, [b"OK-REGISTRATION, welcome"]),
    (b"SOMETHING ELSE" + EOT2 + b"OK-REGISTRATION" + EOT2, [b"SOMETHING ELSE", b"OK-REGISTRATION"]),
    (b"{}FAILED-REGISTRATION", [b"{}", b"FAILED-REGISTRATION"]),
])
def test_registration_answers(data, complete):
    assert run([data], registration=True)[0] == complete


def test_white_space_behind_an_answer_costs_nothing_however_it_comes():
    reader = Reader(1000, registration=True)
    assert payloads(reader.send(b"OK-REGISTRATION", *[b" "] * 5000)) == [b"OK-REGISTRATION"]
    (corrected,) = reader.send(b"X")
    assert corrected.corrects and corrected.payload.split() == [b"OK-REGISTRATION", b"X"]


@pytest.mark.parametrize("rest", [b"-X", b" welcome", b"\r\nX", b"OK-REGISTRATION", b"\x05", b'"'])
def test_m5_an_answer_that_goes_on_is_corrected(rest):
    reader = Reader(registration=True)
    assert reader.send(b"OK-REGISTRATION") == [Frame(b"OK-REGISTRATION")]
    assert reader.send(rest) == [Frame(b"OK-REGISTRATION" + rest, corrects=True)]
    assert payloads(reader.send(EOT2 + b"{}")) == [b"{}"]
    reader = Reader(registration=True)
    assert payloads(reader.send(b"OK-REGISTRATION" + rest, GAP)) == [b"OK-REGISTRATION" + rest]


def test_after_a_gap_an_answer_was_one():
    reader = Reader(registration=True)
    assert payloads(reader.send(b"OK-REGISTRATION", GAP, b"SALE", GAP)) == [b"OK-REGISTRATION", b"SALE"]


def test_half_a_registration_answer_outlasts_every_gap_and_later_none():
    reader = Reader(registration=True, counts=lambda payload: False)
    assert reader.send(b"OK-REGIS", 100 * PATIENCE) == []
    assert payloads(reader.send(b"TRATION")) == [b"OK-REGISTRATION"]
    assert payloads(reader.send(EOT2 + b"OK-REGIS", GAP)) == [b"OK-REGIS"]


def test_the_first_payload_ends_by_a_gap_even_where_transactions_are_terminated():
    reader = Reader(registration=True, terminates=True)
    assert payloads(reader.send(b"HTTP/1.1 400 Bad Request\r\n\r\n", GAP)) == [b"HTTP/1.1 400 Bad Request\r\n\r\n"]


# -- the peer's habit --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("first", [b"SALE" + EOT2, b"{}" + EOT2, b"{} \r\n" + EOT2, stx(b"OH") + EOT2,
                                   b"<a/>\r\n" + EOT2])
def test_m1_a_gap_ends_nothing_once_a_payload_that_counts_came_terminated(first):
    reader = Reader()
    assert len(reader.send(first)) == 1 and reader.framer.terminates
    assert reader.send(b"SALE ", PATIENCE - 0.1) == []
    assert payloads(reader.send(b"2.50" + EOT2)) == [b"SALE 2.50"]
    with pytest.raises(ProtocolError, match="broke off after 4 bytes"):
        reader.send(b"SALE", PATIENCE)


@pytest.mark.parametrize("first", [b"{}", b"{}\x04", b"{}\x04 \x04", b"ack" + EOT2, b'{"ack":1}' + EOT2, EOT2, b"<a/>"])
def test_what_does_not_count_or_was_not_terminated_shows_no_habit(first):
    reader = Reader(counts=lambda payload: b"ack" not in payload)
    reader.send(first)
    assert not reader.framer.terminates
    assert payloads(reader.send(b"SALE", GAP)) == [b"SALE"]


def test_eot_eot_after_a_gap_belongs_to_the_payload_before_and_shows_the_habit():
    reader = Reader()
    assert payloads(reader.send(b"plain", GAP)) == [b"plain"] and not reader.framer.terminates
    assert payloads(reader.send(EOT2 + b'{"a":1}')) == [b'{"a":1}'] and reader.framer.terminates


# -- an application's answers ------------------------------------------------------------------------------------------

def answers(*pieces, end=False):
    reader = Reader(application=True)
    frames = reader.send(*pieces)
    if end and (frame := reader.framer.finish()):
        frames.append(frame)
    return payloads(frames)


@pytest.mark.parametrize("payload", NO_END)
def test_m9_an_answer_goes_out_without_half_a_terminator_soon(payload):
    for answer in (payload + b"\x04", b"\x04" + payload + b"\x04", b"\x04" + payload):
        assert answers(answer, GAP) == answers(answer, end=True) == [payload]


@pytest.mark.parametrize("controls", [b"\x06", b"\x05", b"\x15", b"\x06\x06", b"\x05\r\n\x06"])
@pytest.mark.parametrize("end", [b"", EOT2], ids=["bare", "terminated"])
@pytest.mark.parametrize("answer", [stx(b"OK"), b"{}", b"<a/>"])
def test_enq_ack_and_nak_alone_are_no_answer(controls, end, answer):
    assert answers(controls + end, end=True) == [] and answers(controls + end, 5 * PATIENCE) == []
    for pause in (0.1, GAP, PATIENCE):
        assert answers(controls + end, pause, answer) == [answer]
    assert answers(controls + end + answer) == [answer]
    assert answers(controls, GAP, b"APPROVED", GAP) == [b"APPROVED"]
    assert answers(controls + b"\x00APPROVED", GAP) == [controls + b"\x00APPROVED"]     # a format of its own


def test_a_cloud_may_begin_a_request_with_any_byte():
    assert run([b"\x06{}" + EOT2]) == ([b"\x06{}"], [])


@pytest.mark.parametrize("whole", [payload for payload in ENDED if len(payload) < 100])
def test_m2_the_end_of_the_stream_ends_no_half_of_a_known_format(whole):
    begins = next(at for at in range(len(whole)) if whole[at:at + 1] in b"{[<\x02")
    for cut in range(begins + 1, len(whole)):
        with pytest.raises(ProtocolError, match="inside a message"):
            answers(whole[:cut], end=True)
    assert answers(whole, end=True) == [whole]


@pytest.mark.parametrize("payload", NO_END)
def test_the_end_of_the_stream_ends_what_has_no_end_of_its_own(payload):
    assert answers(payload, end=True) == [payload]
    assert answers(b" \r\n", end=True) == [] and answers(end=True) == []


# -- limits ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("body", [b"x" * 101, b'{"a":"' + b"x" * 101, b'{"a":"' + b"x" * 93 + b'"}', b" " * 101 + b"x",
                                  b"<a>" + b"x" * 101, b"\x02" + b"x" * 101])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_too_long_is_an_error_after_what_came_before(body, step):
    data = b'{"first":1}' + EOT2 + body + EOT2
    reader, frames = Reader(100), []
    with pytest.raises(ProtocolError, match="more than 100 bytes"):
        for at in range(0, len(data), step):
            reader.framer.feed(data[at:at + step], 0.0)
            while frame := reader.framer.next_frame():
                frames.append(frame.payload)
    assert frames == [b'{"first":1}']


@pytest.mark.parametrize("payload", [b"x" * 100, b"[" + b" " * 98 + b"]", b"<a>" + b"x" * 93 + b"</a>", stx(b"x" * 97)])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_exactly_the_limit_is_allowed(payload, step):
    data = payload + EOT2
    assert run([data[i:i + step] for i in range(0, len(data), step)], limit=100)[0] == [payload]


# -- properties --------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
json_payloads = (st.lists(json_values) | st.dictionaries(st.text(), json_values)).flatmap(
    lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)])).map(str.encode)
stx_payloads = st.binary().map(lambda content: content.replace(b"\x03", b".")).filter(
    lambda content: EOT2 not in content + b"\x03").map(stx)
known_payloads = st.tuples(st.sampled_from([b"", b"\xef\xbb\xbf"]), json_payloads | stx_payloads | st.sampled_from(
    [payload for payload in ENDED if payload[:1] == b"<"])).map(b"".join)
plain_payloads = st.binary(min_size=1).filter(
    lambda data: EOT2 not in data and not data.endswith(b"\x04") and data[:1] not in b" \t\r\n\x04{[<\x02\xef")


@given(st.lists(st.tuples(known_payloads, st.sampled_from([b"", EOT2, b"\r\n" + EOT2, b"\x04" + EOT2]))
                | plain_payloads.map(lambda data: (data, EOT2))), st.data())
def test_payloads_come_out_as_they_went_in(messages, data):
    stream = b"".join(payload + end for payload, end in messages)
    at = data.draw(st.lists(st.integers(0, len(stream))))
    frames, late = run(cuts(stream, at))
    assert frames == [payload for payload, _ in messages]
    assert late == []


@given(st.lists(st.tuples(known_payloads, st.sampled_from([b"", EOT2, b"\r\n" + EOT2, b"\x04" + EOT2]))), st.data(),
       st.booleans(), st.booleans())
def test_pauses_never_matter_to_known_formats(messages, data, terminates, application):
    stream = b"".join(payload + end for payload, end in messages)
    at = data.draw(st.sets(st.integers(1, max(1, len(stream) - 1))))
    pieces = [part for piece in cuts(stream, at) for part in (piece, data.draw(st.floats(0, PATIENCE - 0.1)))]
    reader = Reader(terminates=terminates, application=application)
    assert payloads(reader.send(*pieces)) == [payload for payload, _ in messages]


noisy = st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b"\x04", EOT2, b" ", b"\n", b"a", b"1", b":",
                                  b",", b'"k":', b"{}", b"<a>", b"</a>", b"<a/>", b"<!--", b"-->", b"<?xml ", b"?>",
                                  b"<![CDATA[", b"]]>", b"<!DOCTYPE", b">", b"<", b"'", b"=", b"\x02", b"\x03",
                                  b"\x03\x03", b"\x06", b"\xef\xbb\xbf", b"\xef"])).map(b"".join)


@settings(max_examples=1000)
@given(noisy | st.binary(), st.booleans(), st.booleans(), st.data())
def test_cuts_never_matter(stream, application, terminates, data):
    at = data.draw(st.lists(st.integers(0, len(stream))))
    flags = {"application": application, "terminates": terminates}
    assert run(cuts(stream, at), **flags) == run([stream], **flags)


@given(st.lists(noisy | st.binary() | st.sampled_from(dialect.ANSWERS) | st.floats(0, 30)), st.integers(1, 40),
       st.booleans(), st.booleans())
def test_nothing_but_the_wires_own_error_and_a_bounded_buffer(pieces, limit, registration, application):
    reader = Reader(limit, registration=registration, application=application)
    try:
        for piece in pieces:
            assert all(frame.corrects or 0 < len(frame.payload) <= limit for frame in reader.send(piece))
        reader.framer.finish()
    except ProtocolError:
        pass


SHAPES = {
    "string": lambda n: b'{"a":"' + b"x" * n + b'"}',
    "numbers": lambda n: b"[" + b"1," * (n // 2) + b"1]",
    "escapes": lambda n: b'{"a":"' + b'\\"' * (n // 2) + b'"}',
    "brackets": lambda n: b"[" * n + EOT2,
    "nested": lambda n: b"[" * (n // 2) + b"]" * (n // 2),
    "plain": lambda n: b"x" * n + EOT2,
    "space before": lambda n: b" " * n + b"{}",
    "space after": lambda n: b"{}" + b" " * n + EOT2,
    "eot before": lambda n: b"\x04" * n + b"{}",
    "xml": lambda n: b"<a>" + b"<b c='d'>1</b>" * (n // 14) + b"</a>",
    "xml nested": lambda n: b"<a>" * (n // 7) + b"</a>" * (n // 7),
    "xml text": lambda n: b"<a>" + b"]" * n + b"</a>",
    "xml name": lambda n: b"<" + b"a" * n + b"/>",
    "xml space": lambda n: b"<a" + b" " * n + b"/>",
    "xml value": lambda n: b"<a b='" + b">" * n + b"'/>",
    "xml comment": lambda n: b"<!--" + b"--" * (n // 2) + b"--><a/>",
    "xml cdata": lambda n: b"<a><![CDATA[" + b"]]" * (n // 2) + b"]]></a>",
    "xml doctype": lambda n: b"<!DOCTYPE a [" + b"<!ENTITY b ']'>" * (n // 15) + b"]><a/>",
    "xml wrong": lambda n: b"<a><" + b"b" * n + b"></c>" + EOT2,
    "behind xml": lambda n: b"<a/><!--" + b"--" * (n // 2) + b"-->" + EOT2,
    "stx": lambda n: stx(b"x" * n),
    "stx wrong": lambda n: b"\x02" + b"\x03x" * (n // 2) + EOT2,
}


def seconds(shape, size, count, **flags):
    """CPU time of `count` messages of `size` bytes, byte by byte."""
    data = [bytes((byte,)) for byte in SHAPES[shape](size)]
    began = time.process_time()
    for _ in range(count):
        framer, found = Framer(2 * LIMIT, gap=GAP, **flags), 0
        for byte in data:
            framer.feed(byte, 0.0)
            while framer.next_frame():
                found += 1
        assert found == 1
    return time.process_time() - began


@pytest.mark.parametrize("shape", SHAPES)
def test_linear_time_byte_by_byte(shape):
    """One message costs about what eight of an eighth of its size cost; in quadratic time it would be eight times."""
    size = LIMIT // 8
    assert seconds(shape, size, 1) < 4 * seconds(shape, size // 8, 8)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["string", "xml", "stx"])
def test_a_mebibyte_of_each_format_byte_by_byte(shape):
    assert seconds(shape, LIMIT, 1) < 4 * seconds(shape, LIMIT // 16, 16)


def test_m15_many_small_messages_cost_no_more_each_than_few():
    def spent(count):
        framer = Framer(LIMIT, gap=GAP)
        framer.feed(b"{}" * count, 0.0)
        began = time.process_time()
        assert sum(1 for _ in iter(framer.next_frame, None)) == count
        return time.process_time() - began
    assert spent(64_000) < 4 * sum(spent(8_000) for _ in range(8))
