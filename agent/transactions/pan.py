"""PURE. Card data: full card numbers, magnetic track data, card verification values; found, and masked.

- A card number is 13 to 19 digits that pass Luhn: luhn.py says where they may be, and what between them. Digits of
  all scripts count (full-width, Arabic, …), each as what it is worth.
- Track 1 is `%B`, digits, `^name^`; track 2 is digits, `=` or `D`, four digits of expiry and at least three more.
- A verification value is three or four digits after a name such as `CVV2`; alone, it cannot be told from any number.
- What follows a name such as `Track2` or `PinBlock` and has a digit in it is track data in whatever form.

Better one number too many than one too few: the price of a false alarm is an answer scrubbed a day early. Encoded
card data (hexadecimal, base64, encrypted) without such a name is not found. Time is linear.
"""
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor

from . import luhn

SHOWN_OF_TRACK = 16
"""Asterisks at most that `mask` puts in the place of track data."""
_BLOCK = 1 << 16
_LONGEST_MATCH = 2200
_STX, _ETX = 0x02, 0x03

_TRACK_1 = re.compile(rb"\^[^^\x00-\x1f]{2,26}\^[0-9 ]{0,60}")
_BEFORE_TRACK_1 = re.compile(rb"%?B[0-9 ]{12,23}\Z")
_TRACK_2 = re.compile(rb"[=d][0-9]{7,40}")
_BEFORE_TRACK_2 = re.compile(rb"[0-9]{12,19}\Z")
_BEHIND_NAME = rb"(?P<closed>[\"']?)\s{0,8}[:=>]\s{0,8}(?P<quoted>[\"']?)"
_VERIFICATION = re.compile(
    rb"(?:cv[vcnd]2?|cav2|csc|cid|verification_?(?:value|number)|(?:security|card|verification|cv[vc]2?)_?code)"
    + _BEHIND_NAME + rb"(?P<value>[0-9]{3,4})")
_NAMED_TRACK = re.compile(
    rb"(?:track_?[123](?:_?data)?|track_?data|mag_?(?:stripe_?)?data|pin_?block)"
    + _BEHIND_NAME + rb"(?P<value>(?=[^\"'<\r\n,}\]]{0,40}[0-9])[^\"'<\r\n,}\]]{3,2000})")
_NAMED = (((b"cv", b"cav2", b"csc", b"cid", b"code", b"verification"), _VERIFICATION),
          ((b"track", b"data", b"pin"), _NAMED_TRACK))
"""What is searched for, and what all of it contains: most texts contain none of that, which is quicker to find out."""
_ESCAPE = re.compile(r"&#(\d{1,7});|&#x([0-9a-f]{1,6});|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|%([0-9a-f]{2})|&\w{2,8};",
                     re.IGNORECASE)
_GROUP, _DIGIT = re.compile(rb"[0-9]+"), re.compile(rb"[0-9]")


@dataclass(frozen=True)
class Examined:
    """card: it looks like it holds card data. masked: without track data and verification values, in form and length
    as it was."""
    card: bool
    masked: bytes


def examine(body: bytes) -> Examined:
    """An answer, for those who keep it. 1 MiB of anything takes a fraction of a second."""
    text = _flat_bytes(body)
    secrets = list(_secrets(text))
    return Examined(bool(secrets) or luhn.has_number(text), _edited_bytes(body, [], secrets))


def mask(text: str) -> str:
    """`text` with card numbers but for their last four digits, track data and verification values as asterisks."""
    flat_text = flat(text)
    return _edited(text, list(luhn.hidden(flat_text)), list(_secrets(flat_text)), SHOWN_OF_TRACK)


def mask_label(text: str) -> str:
    """As `mask`, for what one short field holds (a RefID, a command): whatever is between the digits.

    Also where they are written as escapes (`&#52;`, `%34`, `\\u0034`); then all of it comes back unescaped. But what
    looks like an escape may be none, such as the `%B4` at the beginning of track 1.
    """
    plain = _ESCAPE.sub(_unescaped, text)
    masked, masked_plain = _masked_label(text), _masked_label(plain)
    if plain == masked_plain or (masked != text and _digits(masked) < _digits(masked_plain)):
        return masked
    return masked_plain


def mask_all(body: bytes) -> bytes:
    """`body` with all card data masked, but for the last four digits of card numbers; of the same form."""
    text = _flat_bytes(body)
    return _edited_bytes(body, list(luhn.hidden(text)), list(_secrets(text)))


def flat(text: str) -> bytes:
    """One byte for each character: ASCII as it is, other digits as ASCII's, other letters as x, …"""
    return text.encode("ascii") if text.isascii() else text.translate(_flat_characters).encode("ascii")


class _Flat(dict[int, str]):
    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.digit(character, None)
        if code < 128 or digit is not None:
            found = character if digit is None else str(digit)
        elif character.isalnum():
            found = "x"
        else:
            found = {"Zs": " ", "Pd": "-"}.get(unicodedata.category(character), "\x1f")
        if len(self) < 4096:
            self[code] = found
        return found


_flat_characters = _Flat()


def _flat_bytes(body: bytes) -> bytes:
    return body if body.isascii() else flat(body.decode("utf-8", "surrogateescape"))


# -- finding ---------------------------------------------------------------------------------------------------------

def _secrets(text: bytes) -> Iterator[tuple[int, int, bool]]:
    """Track data and verification values: (start, end, is it a bare number in JSON)."""
    lower = text.lower()
    if b"^" in text:
        for found in _search(_TRACK_1, text):
            if before := _BEFORE_TRACK_1.search(text[max(0, found.start() - 25):found.start()]):
                yield found.start() - len(before[0]), found.end(), False
    for found in _search(_TRACK_2, lower):
        if before := _BEFORE_TRACK_2.search(text[max(0, found.start() - 19):found.start()]):
            yield found.start() - len(before[0]), found.end(), False
    for parts, pattern in _NAMED:
        if any(part in lower for part in parts):
            for found in _search(pattern, lower):
                bare = found["closed"] == b'"' and not found["quoted"] and found["value"].isdigit()
                yield *found.span("value"), bare


def _search(pattern: re.Pattern[bytes], text: bytes) -> Iterator[re.Match[bytes]]:
    """All matches, in pieces, since one search lets no other thread run."""
    at = 0
    while at < len(text):
        found = pattern.search(text, at, at + _BLOCK + _LONGEST_MATCH)
        if found and found.start() < at + _BLOCK:
            yield found
            at = found.end()
        else:
            at += _BLOCK


def _loose(text: bytes) -> Iterator[tuple[int, int]]:
    """As `luhn.hidden`, in a short text, with any marks between the groups, or always the same few characters."""
    groups = [found.span() for found in _GROUP.finditer(text)]
    for first, (start, end) in enumerate(groups):
        digits = text[start:end]
        between: set[bytes] = set()
        sizes = [end - start]
        for next_start, next_end in groups[first + 1:]:
            between.add(text[end:next_start])
            digits, end = digits + text[next_start:next_end], next_end
            if len(digits) > 19 or any(b"*" in what for what in between):
                break
            marks = not any(character.isalnum() for what in between for character in what.decode("ascii"))
            alike = len(between) == 1 and (min(sizes) >= 4 or set(sizes) == {1})
            if len(digits) >= 13 and (marks or alike) and _passes(digits):
                yield from [digit.span() for digit in _DIGIT.finditer(text, start, end)][:-4]
            sizes.append(next_end - next_start)


def _passes(digits: bytes) -> bool:
    values = [digit - 48 for digit in digits]
    total = sum(values[-1::-2]) + sum(sum(divmod(2 * value, 10)) for value in values[-2::-2])
    return total > 0 and total % 10 == 0


# -- masking ---------------------------------------------------------------------------------------------------------

def _masked_label(text: str) -> str:
    flat_text = flat(text)
    return _edited(text, [*luhn.hidden(flat_text), *_loose(flat_text)], list(_secrets(flat_text)), SHOWN_OF_TRACK)


def _digits(text: str) -> int:
    return len(_DIGIT.findall(flat(text)))


def _unescaped(found: re.Match[str]) -> str:
    decimal, *hexadecimal = found.groups()
    code = int(decimal) if decimal else int(next(filter(None, hexadecimal), "20"), 16)
    return chr(code) if code < 0x110000 else " "


def _edited_bytes(body: bytes, hidden: list[tuple[int, int]], secrets: list[tuple[int, int, bool]]) -> bytes:
    if not (hidden or secrets):
        return body
    how = "ascii" if body.isascii() else "utf-8"
    edited = _edited(body.decode(how, "surrogateescape"), hidden, secrets, len(body)).encode(how, "surrogateescape")
    framed = len(body) > 3 and body[0] == _STX and body[-2] == _ETX and body[-1] == reduce(xor, body[1:-1])
    return edited[:-1] + bytes([reduce(xor, edited[1:-1])]) if framed else edited


def _edited(text: str, hidden: list[tuple[int, int]], secrets: list[tuple[int, int, bool]], longest: int) -> str:
    """longest: how many asterisks stand for one secret at most."""
    if not (hidden or secrets):
        return text
    characters = list(text)
    for start, end in hidden:
        characters[start:end] = "*" * (end - start)
    for start, end, bare in secrets:
        shown = "0".ljust(end - start) if bare else "*" * min(end - start, longest)
        characters[start:end] = [*shown, *[""] * (end - start - len(shown))]
    return "".join(characters)
