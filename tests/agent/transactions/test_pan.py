import json
import re
import time
from functools import reduce
from operator import xor

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.pan import (
    examine,
    flat,
    mask,
    mask_all,
    mask_label,
)


def looks_like_card_data(body):
    return examine(body).card


@pytest.mark.parametrize("body", [
    b'{"AccountNumber":"4111111111111111"}', b"4111 1111 1111 1111", b"4111-1111-1111-1111", b"378282246310005",
    b"PAN=4222222222222;", b"4111 1111 1111 1111 1225",             # an expiry behind it
    b"00123411111111111111122512",                                    # inside a record of fixed fields
    b"164111111111111111", b"PAN2=164111111111111111;x",              # behind its length
    b"4111111111111111123",                                           # before its verification value
    b"%B4111111111111111^DOE/JOHN^2512101123456789?", b";4111111111111111=25121011234567890?",
    b"4111111111111112=2512101123",                                   # track 2, whatever Luhn says
    b'{"CVV2":"123"}', b"<SecurityCode>1234</SecurityCode>", b"cvc = 999", b'{"Track2":"123456"}', b'{"cvv":123}',
    b"<PinBlock>0412AC89ABCDEF67</PinBlock>", b'{"Track2Data": "dGVzdA1="}', b"cvv_code=123",
    b"4111  1111  1111  1111", b"4111.1111.1111.1111", b"3782\t822463\t10005",
    "４１１１１１１１１１１１１１１１".encode(),
    "4111\u00a01111\u00a01111\u00a01111".encode(), "4111111111111111".encode("utf-16-le"),
    b"\xff4111.1111.1111.1111\xfe",
])
def test_card_data(body):
    assert looks_like_card_data(body)


@pytest.mark.parametrize("body", [
    b"", b'{"ResultCode":"Approved","AuthCode":"123456","Last4":"1111","Amount":"2.50","RefID":"1234"}',
    b"411111******1111", b"XXXXXXXXXXXX1111", b"4111111111111112", b"000000000000000000", b"123456789012",
    b"2026-11-23T07:50:24.123Z", b"+1 555 010 9999", b'{"CVVResult":"M"}',
    b"192.168.100.200 203.113.200.100", b"0,1,0,0,1,1,0,1,0,0,0,1,0,1,0,0,1", b'{"Track2":"present"}',
    b"TrackingNumber: 1999",
])
def test_no_card_data(body):
    assert not looks_like_card_data(body)


def check_digit(digits):
    for last in "0123456789":
        number = digits + last
        total = sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(reversed(number)))
        if total % 10 == 0:
            return number
    raise AssertionError("one of ten digits is right")


@given(st.text("0123456789", min_size=12, max_size=18).filter(lambda text: text.strip("0")),
       st.sampled_from(["", " ", "-"]), st.binary(max_size=20), st.data())
def test_every_number_that_passes_luhn_is_found_however_grouped(digits, separator, noise, data):
    number = check_digit(digits)
    cut = data.draw(st.integers(1, len(number) - 1))
    body = noise + b"|" + (number[:cut] + separator + number[cut:]).encode() + b"|" + noise
    assert looks_like_card_data(body)
    shown = mask(body.decode("latin-1"))
    assert not looks_like_card_data(shown.encode("latin-1", "replace"))


@given(st.binary())
def test_nothing_raises_and_what_holds_no_card_data_stays_as_it_is(body):
    examined = examine(body)
    assert examined.card or examined.masked == body


@given(st.text())
def test_mask_changes_nothing_but_card_data(text):
    masked = mask(text)
    assert masked == text or "*" in masked


def test_mask_leaves_the_last_four():
    assert mask("RefID 4111111111111111 and 4111 1111 1111 1111.") == "RefID ************1111 and **** **** **** 1111."
    assert mask("%B4111111111111111^DOE/JOHN^2512101987?") == "****************?"
    assert mask(";4111111111111111=25121019876543210?") == ";****************?"
    assert mask('"CVV":"123"') == '"CVV":"***"'


BETWEEN = [".", "..", "\t", "  ", "   ", "/", "_", ":", ", ", " - ", "\u00a0", "\u200b", "\u2009", "\u2013", "\u00ad",
           "|", "x", "\\t", "<br>", "&nbsp;", "&#32;", "&#xA0;", "%20", "\\u0020", "\\x20", "\n", "\x00",
           "\U0001f4b3", "^", "....."]
DIGITS = {"ASCII": 0x30, "full-width": 0xFF10, "Arabic": 0x660, "Devanagari": 0x966, "bold": 0x1D7CE}


@pytest.mark.parametrize("grouping", [(4, 4, 4, 4), (1,) * 16, (6, 10), (4, 12)], ids=str)
@pytest.mark.parametrize("between", BETWEEN, ids=ascii)
def test_m16_a_label_is_masked_whatever_stands_between_the_digits(between, grouping):
    digits, groups = "4111111111111111", []
    for size in grouping:
        groups.append(digits[:size])
        digits = digits[size:]
    shown = mask_label(f"INV{'-' if between == 'x' else ' '}{between.join(groups)}")
    assert sum(map(str.isdigit, re.sub(r"\\\\?[ux][0-9a-f]{2,4}|%20|&#x?\w+;", "", shown))) == 4, shown


@pytest.mark.parametrize("label", ["4111.1111 1111-1111", "4111\t1111  1111//1111", "RefID:4111111111111111/1",
                                   "5555 5555,5555.4444"])
def test_m16_marks_may_be_mixed(label):
    assert not re.search("[45](?:\\D*\\d){7}", mask_label(label))


@pytest.mark.parametrize("zero", DIGITS.values(), ids=DIGITS)
@pytest.mark.parametrize("between", ["", " ", "."])
def test_m16_digits_of_all_scripts_count(zero, between):
    groups = ("5555", "5555", "5555", "4444")
    number = between.join(["".join(chr(zero + int(digit)) for digit in group) for group in groups])
    for masked in (mask(f"RefID={number} command=Sale"), mask_label(number)):
        assert sum(map(str.isdigit, masked)) == 4, masked


@pytest.mark.parametrize("escaped", [
    "&#52;111111111111111", "&#x34;111-1111-1111-1111", "%34111111111111111", "\\u0034111111111111111"])
def test_m16_digits_may_be_escapes_themselves(escaped):
    assert mask_label(escaped).replace("-", "") == "************1111"


@pytest.mark.parametrize("label", [
    "%B4111111111111111^DOE/JOHN^25121010000000000?;4111111111111111=25121010000000000?",       # a card swiped into it
    "%B5555555555554444^DOE/JOHN^2512101?", "%B4111111111111111^DOE/JOHN^25121010000000000?",
    "%4111111111111111 5555555555554444", "x%4111111111111111;5555555555554444", "%424111111111111111"])
def test_m16_what_is_no_escape_hides_nothing(label):
    assert not re.search("[0-9]{5}", mask_label(label))


@pytest.mark.parametrize("label", [
    "1234", "20261123075025-000123", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "29531204-17", "INV 2026/11/23 No. 17",
    "100%25", "T1.S2.R3", "&amp;&lt;", "4111-1111", "ORDER-0000000000000000"])
def test_m16_other_labels_stay_as_they_are(label):
    assert mask_label(label) == label


@given(st.text(max_size=300))
def test_a_label_changes_only_to_hide_something(text):
    assert mask_label(text) == text or "*" in mask_label(text)


@given(st.text())
def test_flat_has_one_byte_for_each_character(text):
    assert len(flat(text)) == len(text)


# -- what the journal keeps ------------------------------------------------------------------------------------------

def mask_secrets(body):
    return examine(body).masked


ANSWER = {"ResultCode": "Approved", "Account": "4111111111111111", "CVV": "987", "cid": 1234, "Name": "Müller",
          "Track2": ";4111111111111111=25121011234567890?", "PinBlock": "04AC89",
          "Raw": "%B4111111111111111^DOE/JOHN^2512101987?"}


def test_secrets_are_masked_and_the_answer_keeps_its_form_and_length():
    body = json.dumps(ANSWER, ensure_ascii=False).encode()
    masked = mask_secrets(body)
    fields = json.loads(masked)
    assert len(masked) == len(body)
    assert fields["Account"] == "4111111111111111" and fields["Name"] == "Müller"
    assert (fields["CVV"], fields["cid"]) == ("***", 0)
    assert not any(part in masked for part in (b"987", b"2512101", b"DOE", b"04AC89", b"1234"))
    fields = json.loads(mask_all(body))
    assert fields["Account"] == "************1111" and fields["ResultCode"] == "Approved"
    assert not looks_like_card_data(mask_all(body))


def test_an_xml_answer_is_masked_in_its_form():
    body = b"<r><CVV2>987</CVV2><Track2>4111111111111111=25121011234567890</Track2><Card n='4111111111111111'/></r>"
    assert mask_secrets(body) == (
        b"<r><CVV2>***</CVV2><Track2>" + b"*" * 34 + b"</Track2><Card n='4111111111111111'/></r>")
    assert mask_all(body).endswith(b"<Card n='************1111'/></r>")


@pytest.mark.parametrize("right", [True, False])
def test_an_stx_answer_keeps_a_right_lrc(right):
    inside = b"T01\x1cOK\x1c;4111111111111111=25121011234567890?\x1ccvv=987\x03"
    lrc = reduce(xor, inside) ^ (0 if right else 1)
    masked = mask_secrets(b"\x02" + inside + bytes([lrc]))
    assert len(masked) == len(inside) + 2 and masked.endswith(b"cvv=***\x03" + masked[-1:]) and b"=2512" not in masked
    assert (masked[-1] == reduce(xor, masked[1:-1])) is right
    assert right or masked[-1] == lrc       # it was no LRC, and is not ours to make


@given(st.binary())
def test_masking_an_answer_never_fails_and_leaves_nothing_to_be_found(body):
    assert mask_secrets(body) == body or b"*" in mask_secrets(body) or b"0" in mask_secrets(body)
    assert not looks_like_card_data(mask_all(body))


@given(st.lists(st.sampled_from([
    "4111111111111111", ";4111111111111111=25121011234567890?", '"CVV":"123"', '"cvc":123,', " ", "x",
    "%B4111111111111111^DOE/JOHN^2512101", "1111", ".", "Track2=55", "é", "\x02", "\x03", "４１１１"]),
    max_size=12).map("".join))
def test_masked_once_nothing_is_left(text):
    assert not looks_like_card_data(mask_all(text.encode()))
    assert not looks_like_card_data(mask(text).encode())


@pytest.mark.parametrize("pattern", [
    b"1", b"0", b"4 ", b"4-1", b"%B1", b"%B1^", b"1=", b"cvv  ", b"41111111111111112", b"0 ", b"4.", b"track2:",
    b"cvv:\xc3\xa9", b"B4111111111111 ", b"1234567890123=", b"D", b'"Track2" : "', b"\xef\xbc\x94", b"\xff4",
    b"pin_block=aaaaaaaaaaaa"])
def test_m13_a_mebibyte_takes_a_fraction_of_a_second(pattern):
    body = (pattern * ((1 << 20) // len(pattern) + 1))[:1 << 20]
    assert min(_timed(examine, body) for _ in range(3)) < 0.3


@pytest.mark.parametrize("pattern", [b"4 ", b"4.", b"42 ", b"4-1 ", b"41", b"4111 1111 1111 1111 "])
def test_a_mebibyte_of_card_numbers_is_masked_before_the_next_transaction_waits_long(pattern):
    assert min(_timed(mask_all, pattern * ((1 << 20) // len(pattern))) for _ in range(2)) < 2


def _timed(work, body):
    began = time.process_time()
    work(body)
    return time.process_time() - began
