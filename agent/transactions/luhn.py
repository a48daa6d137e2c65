"""PURE. Where card numbers are in a text of any length, at the speed of big integers instead of a loop.

A window of 13 to 19 digits is a card number when it passes Luhn and is not all zeros, and

| its digits are            | and also                                                                              |
|---------------------------|---------------------------------------------------------------------------------------|
| together, or in groups    | it begins and ends where a group does: single spaces or dashes between the groups     |
| inside one longer group   | it begins like a card number of its length (a record of fixed fields, a length first) |
| in groups, with up to     | it begins and ends where a group does, begins with 2 to 6, and the groups are all of  |
| `BETWEEN` other marks     | four digits and more, or all of one digit: 4111.1111.1111.1111, 4,1,1,1,…             |

A letter ends every group and what belongs together; so does an asterisk, after which no group begins: what is left
of a masked number is none.

How it works: a block of the text becomes one integer, a byte of it for each character, so that one addition or shift
does the same to all of them. The marks between the digits of one number are taken out first; then the Luhn sums of all
windows of a length are a handful of additions: those of 2, 4, 8 and 16 digits by doubling, and the rest from these.
The greatest is 19 x 9 = 171, so that no byte overflows into the next.
"""
import re
from collections.abc import Callable, Iterator

BETWEEN = 4
"""Marks in a row that may be between two groups of one number."""
BLOCK = 1 << 15
"""Characters at a time: the memory that the integers take, and the time for which no other thread runs."""

_LENGTHS = range(13, 20)
_REACH = _LENGTHS[-1] * (BETWEEN + 1)
_ISSUERS = {13: ("4",), 14: ("30", "36", "38", "39"), 15: ("34", "37"), 19: ("4", "62"),
            16: ("4", "51", "52", "53", "54", "55", "22", "23", "24", "25", "26", "27", "35", "60", "62", "64", "65")}
_WORTH_A_LOOK = re.compile(rb"[0-9](?:[^0-9A-Za-z*]{0,%d}[0-9]){12}" % BETWEEN)
_RUN = re.compile(rb"\x01+")
_STARTS, _ENDS, _BREAK, _JOIN = 0x10, 0x20, 0x80, 0xFF      # besides a digit's value, in the digits of a block


def _table(value: Callable[[int], int]) -> bytes:
    return bytes(int(value(byte)) for byte in range(256))


def _among(characters: bytes) -> bytes:
    return _table(lambda byte: byte in characters)


_DIGITS = b"0123456789"
_DIGIT, _SOLID, _SPACE = _among(_DIGITS), _among(_DIGITS + b"*"), _among(b" -")
_MARK = _table(lambda byte: not (bytes([byte]).isalnum() or byte == ord("*")))
_CODE = _table(lambda byte: byte - 48 if byte in _DIGITS else _BREAK)
_PLAIN = _table(lambda code: 0 if code & _BREAK else code & 15)
_DOUBLED = _table(lambda code: 0 if code & _BREAK else sum(divmod(2 * (code & 15), 10)))
_BEGINS = _table(lambda code: code & (_BREAK | _STARTS) == _STARTS)
_FINISHES = _table(lambda code: code & (_BREAK | _ENDS) == _ENDS)
_BROKEN = _table(lambda code: code & _BREAK == _BREAK)
_TEN = _table(lambda total: total and total % 10 == 0)
_IS = {str(digit): bytes(code & (_BREAK | 15) == digit for code in range(256)) for digit in range(10)}


def has_number(text: bytes) -> bool:
    """Is there a card number in `text`, of one byte a character (see `pan.flat`)?"""
    return any(begins for _, _, windows in _blocks(text) for _, begins in windows)


def hidden(text: bytes) -> Iterator[tuple[int, int]]:
    """Where the digits are that must not be shown: all but the last four of each number. They may come twice."""
    for first, marked, windows in _blocks(text):
        digits = 0
        for length, begins in windows:
            digits |= _spread(begins, length - 4)
        if digits:
            flags = iter(_bytes(digits, len(marked)))
            in_block = bytes(0 if code == _JOIN else next(flags) for code in marked)
            for found in _RUN.finditer(in_block):
                yield first + found.start(), first + found.end()


def _blocks(text: bytes) -> Iterator[tuple[int, bytes, Iterator[tuple[int, int]]]]:
    """Where in `text` a block begins, its codes with joins, and for each length a flag where a number begins in those
    without joins; twice where it may be worth it."""
    for at in range(0, len(text), BLOCK):
        first = max(0, at - BETWEEN - 1)
        block = text[first:at + BLOCK + _REACH]
        if _WORTH_A_LOOK.search(block):
            for any_mark in (False, True):
                marked = _without_marks(block, any_mark)
                own, next_one = (place - marked.count(_JOIN, 0, place) for place in (at - first, at - first + BLOCK))
                yield first, marked, _own(_found(marked, inside=not any_mark), own, next_one)


def _own(windows: Iterator[tuple[int, int]], own: int, next_one: int) -> Iterator[tuple[int, int]]:
    """Those that begin from `own` on; the block before has the others, and so has the next one."""
    wanted = (1 << 8 * next_one) - (1 << 8 * own)
    return ((length, begins & wanted) for length, begins in windows)


def _without_marks(block: bytes, any_mark: bool) -> bytes:
    """The block's codes: digits, with where their groups begin and end; breaks; joins, the marks inside a number."""
    digit, solid = _flags(block, _DIGIT), _flags(block, _SOLID)
    mark = _flags(block, _MARK if any_mark else _SPACE)
    joins, run = 0, mark & digit << 8           # run: a mark that is the n-th after a digit
    for length in range(1, BETWEEN + 1 if any_mark else 2):
        last = run & digit >> 8
        for back in range(length):
            joins |= last >> 8 * back
        run = run << 8 & mark
    starts, ends = digit ^ digit & solid << 8, digit ^ digit & solid >> 8
    codes = _flags(block, _CODE) + starts * _STARTS + ends * _ENDS + joins * (_JOIN - _BREAK)
    return codes.to_bytes(len(block), "little")


def _found(marked: bytes, inside: bool) -> Iterator[tuple[int, int]]:
    """For each length, a flag where a window of it begins. inside: also in longer groups; else by its first digit and
    its groups."""
    codes = marked.translate(None, bytes([_JOIN])) + bytes([_BREAK]) * _LENGTHS[-1]
    plain, begins, ends = _flags(codes, _PLAIN), _flags(codes, _BEGINS), _flags(codes, _FINISHES)
    two = _flags(codes, _DOUBLED) + (plain >> 8)
    four = two + (two >> 16)
    eight = four + (four >> 32)
    sixteen = eight + (eight >> 64)
    twelve = eight + (four >> 64)
    even = {12: twelve, 14: twelve + (two >> 96), 16: sixteen, 18: sixteen + (two >> 128)}
    broken, inner = _spans(_flags(codes, _BROKEN)), _spans(begins >> 8)
    issued = {digit: _flags(codes, table) for digit, table in _IS.items()}
    for length in _LENGTHS:
        total = plain + (even[length - 1] >> 8) if length % 2 else even[length]
        passed = _flags(total.to_bytes(len(codes), "little"), _TEN)
        passed ^= passed & broken(length)
        found = passed & begins & ends >> 8 * (length - 1)
        if inside:
            known = 0
            for digits in _ISSUERS.get(length, ()):
                known |= issued[digits[0]] & issued[digits[1]] >> 8 if digits[1:] else issued[digits]
            known &= passed
            found |= known ^ known & inner(length - 1)
        elif found := found & (issued["2"] | issued["3"] | issued["4"] | issued["5"] | issued["6"]):
            found ^= found & _odd_groups(begins, length)
        if found:
            yield length, found


def _odd_groups(begins: int, length: int) -> int:
    """A flag where a window of this length has groups such as nobody makes. begins: where groups do.

    People make groups of four digits and more (no two begin within three digits), or of one (each begins right behind
    the one before); the last may have any size.
    """
    close = 0
    for distance in (1, 2, 3):
        close |= _spans(begins & begins >> 8 * distance)(length - distance)
    return close & _spans(begins >> 8 ^ begins >> 8 & begins)(length - 1)


def _spans(flag: int) -> Callable[[int], int]:
    """A function of a length, 8 to 24: a flag where one begins among so many from there on."""
    eight = flag
    for shift in (8, 16, 32):
        eight |= eight >> shift
    sixteen = eight | eight >> 64
    return lambda length: (eight | eight >> 8 * (length - 8) if length <= 16 else
                           sixteen | sixteen >> 8 * (length - 16))


def _spread(flag: int, length: int) -> int:
    """A flag for each of the `length` digits, 8 to 16, that begin where one is."""
    for shift in (8, 16, 32):
        flag |= flag << shift
    return flag | flag << 8 * (length - 8)


def _flags(data: bytes, table: bytes) -> int:
    """Each byte of `data` as the table has it, in one integer, the first lowest."""
    return int.from_bytes(data.translate(table), "little")


def _bytes(flags: int, size: int) -> bytes:
    """A byte for each flag, `size` of them and more."""
    return flags.to_bytes(size + _LENGTHS[-1], "little")
