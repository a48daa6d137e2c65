"""PURE: what a maker left in a field that should name the device, told from a real value by its form.

Asset managers (GLPI, OCS Inventory, FusionInventory) keep lists of such values and are never done with them. The values
on the lists have a few forms in common, which no serial number of a terminal has:

| form                                                     | as in                                                |
|----------------------------------------------------------|------------------------------------------------------|
| fewer than four letters and digits                       | `0`, `1`, `N/A`, `SN-`                               |
| no digit                                                 | `EVAL`, `IATPASS`, `Tulip Computers`, `NNNNNNN`      |
| a word that is about the field, not about a device       | `OEM_Serial0`, `None1`, `Type2 - Board Serial`       |
| one sign or a short group repeated, also behind letters  | `0000000`, `FF-FF-FF-F0`, `SN-11111111`              |
| counting up or down, also behind letters                 | `123456789000`, `SYS-9876543210`, `0123456789ABCDEF` |
| x in the place of digits                                 | `SN-1xxxxx`                                          |
| nothing but 0 and 1, or a version                        | `0101010101`, `1.0.0`                                |

A counting run must not catch a running number: `0821234567` is the 1234567th of model 082. So it counts only where it
is the whole number, behind nothing but letters (RUN), or where it is too long for chance (LONG_RUN).
"""
import re

SHORTEST = 4
RUN, RUN_BEFORE_LETTERS, LONG_RUN = 5, 6, 8
ALPHABET, UP, DOWN = "abcdefghijklmnopqrstuvwxyz", "1234567890" * 13, "9876543210" * 13
WITHOUT_ZERO = "123456789" * 15

# About the field. From six letters on they count within a word, too: SYSTEMSERIALNUMBER.
WORDS = frozenset((
    "applicable", "asset", "assigned", "available", "board", "chassis", "config", "default", "demo", "dummy", "empty",
    "eval", "evaluation", "example", "fill", "filled", "generic", "invalid", "manufacture", "manufacturer", "missing",
    "name", "nil", "none", "null", "numb", "number", "oem", "placeholder", "product", "provided", "sample", "serial",
    "smbios", "specified", "standard", "string", "system", "tbd", "test", "undefined", "unknow", "unknown", "unset",
    "unspecified", "vendor", "version",
))
LONG_WORDS = re.compile("|".join(word for word in sorted(WORDS) if len(word) >= 6))
# What makes phrases of those, and says nothing alone.
BETWEEN = frozenset(("a", "all", "and", "be", "by", "enclosure", "id", "is", "mb", "n", "na", "no", "not", "of",
                     "series", "sku", "tag", "the", "to", "type", "uuid"))


def is_placeholder(text: str) -> bool:
    """Whether this cannot be a serial number."""
    text = text.lower().strip() if text.isupper() else text.strip()
    plain = "".join(char for char in text.lower() if char.isalnum()).removeprefix("0x")
    return (len(plain) < SHORTEST
            or not any(char.isdigit() for char in plain)
            or any(word in WORDS or LONG_WORDS.search(word) for word in _words(text))
            or re.search(r"x{4}|(?<![a-z\d])x{3}(?![a-z\d])", text.lower()) is not None
            or re.fullmatch(r"[01]{5,}", plain) is not None
            or re.fullmatch(r"v?\d{1,3}(\.\d{1,3}){1,3}", text.lower()) is not None
            or _repeats(plain)
            or _counts(plain))


def is_placeholder_name(text: str) -> bool:
    """Whether this cannot be the name of a maker or a model, which may be as short as `A1` and needs no digit."""
    words = _words(text)
    about = [word for word in words if word in WORDS or LONG_WORDS.search(word)]
    signs = set(text.lower()) - set(" -.0?*_/()")
    return (not signs
            or (len(signs) == 1 and len(text) >= SHORTEST and set(text.lower()) == signs)
            or (text.isdigit() and _is_run(text, RUN))
            or (bool(words) and all(word in about or word in BETWEEN or set(word) == {"x"} for word in words)
                and (bool(about) or not any(char.isdigit() for char in text))))


def _words(text: str) -> list[str]:
    """The words, in small letters. `SystemSerialNumb` and `None1` come apart, `O.E.M.` does not."""
    joined = re.sub(r"(?<=\b[A-Za-z])\.(?=[A-Za-z]\b)", "", text)
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", joined)]


def _repeats(plain: str) -> bool:
    return (len(set(plain)) == 1
            or re.fullmatch(r"(..)\1{3,}|(.{3,4})\2{2,}", plain) is not None
            or re.fullmatch(r"[a-z]+(0{4,}|(\d)\2{5,})", plain) is not None)


def _counts(plain: str) -> bool:
    if behind_letters := re.fullmatch(r"[a-z]*(\d+)(.*)", plain):
        run, rest = behind_letters.groups()
        if _is_run(run, RUN_BEFORE_LETTERS if rest else RUN):
            return True
    tail = re.search(r"\d*$", plain)
    if tail and any(_is_run(tail[0][start:], LONG_RUN) for start in range(len(tail[0]))):
        return True
    both = re.fullmatch(r"([a-z]{3,})(\d{3,})", plain)
    return both is not None and both[1] in ALPHABET and _is_run(both[2], 3)     # ABC-123


def _is_run(digits: str, least: int) -> bool:
    """Whether at least `least` digits count up or down, between zeros at most: `12345`, `34567`, `000123456789000`.

    Only what begins at the beginning goes on behind its end: `12345678901234`, but `78901` is a number.
    """
    run = digits.strip("0")
    return len(run) >= least and (run in UP[:9] or run in DOWN[:9] or UP.startswith(run) or DOWN.startswith(run)
                                  or WITHOUT_ZERO.startswith(run))
