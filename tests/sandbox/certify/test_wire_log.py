"""The bytes for the report: bounded and masked, pure."""
import pytest

from econduit_terminal.sandbox.certify.wire_log import MAX_CHUNK, MAX_ENTRIES, MAX_TEXT, WireLog, masked, told


@pytest.mark.parametrize("data, shown", [
    (b'"4111111111111111"', b'"411111******1111"'), (b"4111-1111-1111-1111", b"4111-11**-****-1111"), (b"29531204",
    b"29531204"),
    (b"4111111111111112", b"4111111111111112"), (b"%B4111111111111111^A/B^2512101?", b"*" * 31),
    (b";4111111111111111=2512?", b"*" * 23),
    (b"a41111111111111111234567b", b"a41111111111111111234567b"), (b"", b"")])
def test_card_numbers_are_masked_and_keep_their_length(data, shown):
    assert masked(data) == shown and len(masked(data)) == len(data)


@pytest.mark.parametrize("text, words", [
    ("TerminalID is 4111 1111 1111 1111, not 1", "TerminalID is 4111 11** **** 1111, not 1"),
    ("it says “\x1b[2J\u202e\ud800é”", "it says “\\x1b[2J\\x202e\\ud800é”"), ("a\nb", "a\\x0ab"),
    ("ü" * (MAX_TEXT + 1), "ü" * MAX_TEXT + "…"), (";4111111111111111=" + "é" * 100, "*" * 146 + "é" * 36), ("", "")])
def test_a_device_s_words_in_a_report(text, words):
    assert told(text) == words


def test_what_is_kept_is_bounded():
    log = WireLog()
    for at in range(MAX_ENTRIES + 5):
        log.add(at, "in", "primary 1", b"x" * 10)
    assert log.dropped == 5 and len(log.between(0, MAX_ENTRIES)) == 400
    log = WireLog()
    log.add(1.0, "in", "primary 1", b"x" * 5000)
    entry, = log.between(0, 2)
    assert entry.shown() == {"t": 1.0, "dir": "in", "hex": "78" * MAX_CHUNK, "link": "primary 1",
    "more": 5000 - MAX_CHUNK}


def test_what_lies_between_two_moments():
    log = WireLog()
    for at in range(10):
        log.add(at, "out", "", bytes([at]))
    assert [entry.t for entry in log.between(3, 5)] == [3, 4, 5]
