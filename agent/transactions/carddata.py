"""PURE. What looks like card data: a full card number, magnetic track data, a card verification value by its name.

- A card number is 13 to 19 digits that pass Luhn, in one piece or in groups with single spaces or dashes between them.
  Inside a longer piece of digits (a record of fixed fields, a length in front) it must also begin like a card number
  of its length.
- Track 1 is `%B`, digits, `^name^`; track 2 is digits, `=` or `D`, four digits of expiry and at least three more.
- A verification value is three or four digits behind a name such as `CVV2`; alone, it can not be told from any number.

Better a number too many than one too few: the price of a false alarm is an answer that is scrubbed a day early.
Encoded card data (hexadecimal, base64, encrypted) is not found. Time is linear: each digit is looked at a fixed number
of times.
"""
import re

_SHORTEST, _LONGEST = 13, 19
_PIECES = re.compile(rb"[0-9]+(?:[ -][0-9]+)*")
_DIGITS = re.compile(rb"[0-9]+")
_TRACK = re.compile(rb"%?B[0-9 ]{12,23}\^[^^\x00-\x1f]{2,26}\^[0-9 ]{0,60}|[0-9]{12,19}[=D][0-9]{7,40}")
_VERIFICATION = re.compile(rb"(?:cvv2?|cvc2?|cvn2?|cav2?|cid|security_?code|card_?code|track_?[12])"
                           rb"[\"']?\s{0,8}[:=>]\s{0,8}[\"']?[0-9]{3}", re.IGNORECASE)
_ISSUERS = re.compile(rb"(?=(4[0-9]{15}|4[0-9]{12}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3[068][0-9]{12}"
                      rb"|35[0-9]{14}|6[0245][0-9]{14}))")
_DOUBLED = tuple(sum(divmod(2 * digit, 10)) for digit in range(10))


def looks_like_card_data(body: bytes) -> bool:
    """Does anything in `body` look like card data?"""
    return _TRACK.search(body) is not None or _VERIFICATION.search(body) is not None or any(_numbers(body))


def mask(text: str) -> str:
    """`text` with every card number but its last four digits, and all track data, replaced by asterisks."""
    body = text.encode("utf-8", "surrogatepass")
    if not looks_like_card_data(body):
        return text
    masked = bytearray(_VERIFICATION.sub(_hide_digits, _TRACK.sub(_hide_all, body)))
    for start, end in list(_numbers(bytes(masked))):
        digits = [at for at in range(start, end) if chr(masked[at]).isdigit()]
        for at in digits[:-4]:
            masked[at] = ord("*")
    return masked.decode("utf-8", "surrogatepass")


def _hide_all(found: re.Match) -> bytes:
    return b"*" * min(len(found[0]), 16)


def _hide_digits(found: re.Match) -> bytes:
    return re.sub(rb"[0-9]{3}$", b"***", found[0])


def _numbers(body: bytes):
    """Where card numbers stand: (start, end). They may overlap."""
    for run in _PIECES.finditer(body):
        pieces = [(piece.start(), piece.end()) for piece in _DIGITS.finditer(body, run.start(), run.end())]
        for first, (start, end) in enumerate(pieces):
            if end - start > _SHORTEST:
                yield from ((found.start(1), found.end(1)) for found in _ISSUERS.finditer(body, start, end)
                            if _luhn(found[1]))
            if end - start > _LONGEST:
                continue
            digits = b""
            for piece_start, piece_end in pieces[first:first + _LONGEST]:
                digits += body[piece_start:min(piece_end, piece_start + _LONGEST + 1)]
                if len(digits) > _LONGEST:
                    break
                if len(digits) >= _SHORTEST and _luhn(digits):
                    yield start, piece_end


def _luhn(digits: bytes) -> bool:
    values = [digit - 48 for digit in digits]
    total = sum(values[-1::-2]) + sum(_DOUBLED[value] for value in values[-2::-2])
    return total % 10 == 0 and any(values)
