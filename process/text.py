"""PURE: text from outside, made fit for a log line, a status or an error."""
from typing import Any


def clean(text: Any, limit: int = 200) -> str:
    """`text` (anything; bytes as UTF-8) as one printable line of at most `limit` characters.

    What does not print is shown as its escape: control characters, line ends, invisible and direction marks. The work
    done depends on `limit`, not on the length of the text.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text[:4 * limit + 4]).decode(errors="backslashreplace")
    shown = str(text)[:limit + 1]
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)
    return shown if len(shown) <= limit else shown[:limit - 1] + "…"
