import hashlib
import json
import random
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.identity import MAX_DEPTH, MAX_VALUES, Command, Identity, canonical, ref_key

SALE = b'{"RefID":"1","Command":"Sale","Amount":2.50,"Items":[{"Name":"Caf\xc3\xa9","Count":2}]}'


def identity(body):
    return Identity.of(body, "1", "Sale")


def same(one, other):
    return identity(one).digest == identity(other).digest


@pytest.mark.parametrize("again", [
    b' { "RefID" : "1", "Command": "Sale",\r\n\t"Amount" : 2.50 , "Items": [ { "Name":"Caf\xc3\xa9","Count":2 } ] } ',
    b'{"Items":[{"Count":2,"Name":"Caf\xc3\xa9"}],"Amount":2.50,"Command":"Sale","RefID":"1"}',
    b'{"RefID":"\\u0031","Command":"S\\u0061le","Amount":2.50,"Items":[{"N\\u0061me":"Caf\\u00e9","Count":2}]}',
    b"\x04" + SALE, b"\r\n\x04" + SALE + b"\x04\n", b"\xef\xbb\xbf" + SALE, b"\n\xef\xbb\xbf\xef\xbb\xbf \x04" + SALE,
    SALE.decode().encode("utf-16"),
])
def test_m17_the_same_value_is_the_same_request(again):
    assert same(SALE, again)


@pytest.mark.parametrize("other", [
    SALE.replace(b"2.50", b"2.5"), SALE.replace(b"2.50", b'"2.50"'), SALE.replace(b"2.50", b"2.500"),
    SALE.replace(b"2.50", b"25e-1"), SALE.replace(b'"Count":2', b'"Count":2.0'),
    SALE.replace(b'"Count":2', b'"Count":-2'),
    SALE.replace(b'"1"', b"1"), SALE.replace(b"Caf\xc3\xa9", b"Cafe\xcc\x81"), SALE.replace(b"RefID", b"refid"),
    SALE.replace(b'[{"Name":"Caf\xc3\xa9","Count":2}]', b'{"Name":"Caf\xc3\xa9","Count":2}'),
    SALE.replace(b'"Sale"', b'"Sale "'), SALE.replace(b"2.50", b"null"), SALE.replace(b"2.50", b"true"),
    SALE.replace(b"2.50", b'["2.50"]'), SALE.replace(b"2.50", b'"\\udbff2.50"'),
])
def test_another_value_is_another_request(other):
    assert not same(SALE, other)


def test_the_order_in_a_list_counts():
    assert not same(b'{"RefID":"1","Items":[1,2]}', b'{"RefID":"1","Items":[2,1]}')


@pytest.mark.parametrize("doubtful", [
    b'{"RefID":"1","Amount":1,"Amount":2}', b'{"RefID":"1","Amount":NaN}', b'{"RefID":"1","Amount":-Infinity}',
    b'{"RefID":"1","Name":"Caf\xe9"}', b'{"RefID":"1","Name":"\xed\xaf\xbf"}', b'{"RefID":"1","Name":"\\udbff"}',
    b'{"RefID":"1","a":%s}' % (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), b'{"RefID":"1","a":{"b":1,"b":1}}',
    b'{"RefID":"1","a":[%s1]}' % (b"1," * (MAX_VALUES + 1)), b'{"RefID":"1"} x', b"<r><RefId>1</RefId></r>",
    b"\x021\x1cSale\x1c2.50\x03P", b'{"RefID":"1",}',
])
def test_what_leaves_room_for_doubt_goes_by_its_bytes(doubtful):
    assert canonical(doubtful) is None
    assert identity(doubtful).digest == hashlib.sha256(doubtful).digest() and identity(doubtful).earlier == ()
    assert same(doubtful, b"\x04 " + doubtful + b"\r\n") and not same(doubtful, doubtful.replace(b"1", b" 1", 1))


@pytest.mark.parametrize("depth, by_value", [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_the_depth_is_that_of_the_brackets_outside_of_strings(depth, by_value):
    nested = b'{"RefID":"1","Text":"%s\\"[[","a":%s}' % (b"[" * 100, b"[" * (depth - 1) + b"]" * (depth - 1))
    assert (canonical(nested) is not None) is by_value


@pytest.mark.parametrize("text", ["\U0010fc00", "\U0010ffff", "\U0001f600"])
def test_an_escaped_pair_is_the_character_it_stands_for(text):
    escaped, plain = json.dumps({"a": text}), json.dumps({"a": text}, ensure_ascii=False)
    assert canonical(escaped.encode()) == canonical(plain.encode()) is not None


@pytest.mark.parametrize("body", [SALE, b" " + SALE + b"\n", b"<r/>", b"\r\n<r/>", b"\x04" + SALE, b"\xef\xbb\xbf<r/>"])
def test_a_look_up_also_tries_what_1_0_0_wrote_down(body):
    was = hashlib.sha256(body.strip(b" \t\r\n")).digest()
    assert was in (identity(body).digest, *identity(body).earlier)


def test_a_stray_eot_in_front_is_found_in_a_journal_of_1_0_0():
    assert hashlib.sha256(SALE).digest() in identity(b"\x04" + SALE).earlier


def test_without_a_ref_id_it_is_like_no_other():
    assert Identity.of(SALE, None, "Sale") is None and Identity.of(SALE, "", "Sale") is None


@pytest.mark.parametrize("text, command", [
    ("Sale", Command.SALE), ("SALE", Command.SALE), ("auth", Command.AUTH), ("Void", Command.VOID),
    ("TipAdjust", Command.TIP_ADJUST),
    ("TIP_ADJUST", Command.TIP_ADJUST), ("tip adjust", Command.TIP_ADJUST), ("Capture", Command.OTHER),
    (None, Command.OTHER),
    ("VoidSale", Command.OTHER), ("S" * 100_000, Command.OTHER)])
def test_commands(text, command):
    assert Command.of(text) is command


def test_follow_ups_share_the_ref_and_a_card_number_leaves_no_hash_that_could_be_tried_out():
    assert ref_key("1234") == ref_key("1234") != ref_key("1235")
    assert ref_key("20261125101550124") != ref_key("20261125101630124")      # both look like card numbers
    assert ref_key("4111111111111111") == ref_key("4111111111111111")
    assert ref_key("x" * 300 + "1") != ref_key("x" * 300 + "2")


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(),
                      lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
                      max_leaves=12)


def written(value, chance):
    """The value as another program might write it."""
    def space():
        return chance.choice(["", "", " ", "\r\n", "\t"])

    def text(value):
        return '"' + "".join(
            f"\\u{ord(c):04x}" if ord(c) < 0x20 or c in '"\\' or (ord(c) < 0x10000 and chance.random() < 0.3)
            else json.dumps(c)[1:-1] if chance.random() < 0.3 or 0xD800 <= ord(c) < 0xE000 else c for c in value) + '"'
    if isinstance(value, dict):
        items = list(value.items())
        chance.shuffle(items)
        return "{" + ",".join(f"{space()}{text(k)}{space()}:{space()}{written(v, chance)}{space()}" for k,
                              v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(space() + written(each, chance) + space() for each in value) + "]"
    return text(value) if isinstance(value, str) else json.dumps(value)


@given(st.dictionaries(st.text(), VALUES), st.randoms(use_true_random=False))
def test_m17_however_it_is_written(value, chance):
    one, other = (written(value, chance).encode("utf-8", "surrogatepass") for _ in range(2))
    if canonical(one) is not None:
        assert same(one, other) and json.loads(one) == value


@given(VALUES, VALUES)
def test_different_values_differ(one, other):
    one_text, other_text = json.dumps(one).encode(), json.dumps(other).encode()
    if None not in (canonical(one_text), canonical(other_text)):
        alike = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
        assert (canonical(one_text) == canonical(other_text)) == alike


@given(st.binary())
def test_any_bytes(body):
    assert same(body, body)


@pytest.mark.parametrize("pattern", [b"[", b"[]", b"1,", b'"', b'\\"', b'{"a":1},', b"{", b"\xff", b"[1,"])
def test_time_is_linear(pattern):
    def seconds(size):
        body = b'{"RefID":"1","a":[' + (pattern * (size // len(pattern) + 1))[:size]
        began = time.process_time()
        identity(body)
        return time.process_time() - began
    assert min(seconds(1 << 20) for _ in range(3)) < 0.25


@pytest.mark.parametrize("head, pattern", [
    (b"<r><RefId>1</RefId>" + b"[" * (MAX_DEPTH + 1) + b'"', b'\\"'), (b"", b"\xef\xbb\xbf"), (b"", b"\xef\xbb\xbf ")])
def test_m15_so_it_is_for_what_is_no_json(head, pattern):
    began = time.process_time()
    identity(head + pattern * ((1 << 20) // len(pattern)) + b"</r>")
    assert time.process_time() - began < 1.0


def test_a_typical_request_takes_microseconds():
    body = json.dumps({"RefID": "1", "Command": "Sale", "Amount": "2.50", "Random": random.random()}).encode()
    began = time.process_time()
    for _ in range(1000):
        identity(body)
    assert time.process_time() - began < 0.2
