import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.carddata import looks_like_card_data, mask

PANS = ("4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117",
        "3530111333300000", "4222222222222", "2223003122003222", "6304000000000000000"[:18] + "0")


@pytest.mark.parametrize("body", [
    b'{"AccountNumber":"4111111111111111"}', b"4111 1111 1111 1111", b"4111-1111-1111-1111", b"378282246310005",
    b"PAN=4222222222222;", b"4111 1111 1111 1111 1225",             # an expiry behind it
    b"00123411111111111111122512",                                    # inside a record of fixed fields
    b"164111111111111111", b"PAN2=164111111111111111;x",              # behind its length
    b"4111111111111111123",                                           # before its verification value
    b"%B4111111111111111^DOE/JOHN^2512101123456789?", b";4111111111111111=25121011234567890?",
    b"4111111111111112=2512101123",                                   # track 2, whatever Luhn says
    b'{"CVV2":"123"}', b"<SecurityCode>1234</SecurityCode>", b"cvc = 999", b'{"Track2":"123456"}',
])
def test_card_data(body):
    assert looks_like_card_data(body)


@pytest.mark.parametrize("body", [
    b"", b'{"ResultCode":"Approved","AuthCode":"123456","Last4":"1111","Amount":"2.50","RefID":"1234"}',
    b"411111******1111", b"XXXXXXXXXXXX1111", b"4111111111111112", b"000000000000000000", b"123456789012",
    b"2026-11-23T07:50:24.123Z", b"+1 555 010 9999", b"4111  1111  1111  1111", b'{"CVVResult":"M"}',
])
def test_no_card_data(body):
    assert not looks_like_card_data(body)


def check_digit(digits):
    for last in "0123456789":
        number = digits + last
        total = sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(reversed(number)))
        if total % 10 == 0:
            return number


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
def test_nothing_raises(body):
    looks_like_card_data(body)


@given(st.text())
def test_mask_changes_nothing_but_card_data(text):
    masked = mask(text)
    assert masked == text or "*" in masked


def test_mask_leaves_the_last_four():
    assert mask("RefID 4111111111111111 and 4111 1111 1111 1111.") == "RefID ************1111 and **** **** **** 1111."
    assert mask("%B4111111111111111^DOE/JOHN^2512101987?") == "****************?"
    assert mask(";4111111111111111=25121019876543210?") == ";****************?"
    assert mask('"CVV":"123"') == '"CVV":"***"'


@pytest.mark.parametrize("pattern", [b"1", b"0", b"4 ", b"4-1", b"%B1", b"%B1^", b"1=", b"cvv  ", b"41111111111111112"])
def test_time_is_linear(pattern):
    def seconds(size):
        body = (pattern * size)[:size]
        return min(_timed(body) for _ in range(3))
    small, large = seconds(20_000), seconds(160_000)
    assert large < 0.05 or large < 24 * small


def _timed(body):
    began = time.process_time()
    looks_like_card_data(body)
    return time.process_time() - began
