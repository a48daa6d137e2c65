"""What our programs print, printable under every locale.

Python refuses to print what the locale's encoding does not know, with a traceback in place of the text: our → under
``PYTHONIOENCODING=latin-1``, a file name's stray byte under any. Here such a character becomes its plain spelling
(``->``), or its escape where it has none. Each program calls ``survive_any_locale`` before it prints anything.
"""
import codecs
import sys

ERRORS = "econduit-plain"
"""The name of the error handler (codecs.register_error)."""

_PLAIN = {"→": "->", "…": "...", "–": "-", "—": "-", "−": "-", "─": "-", "·": "-", "×": "x", "±": "+/-", "≤": "<=",
          "≥": ">=", "§": "section ", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "\u00a0": " ", "\u202f": " "}


def survive_any_locale() -> None:
    """Has standard output and standard error replace what they cannot encode. A closed one is left alone."""
    codecs.register_error(ERRORS, _replace)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=ERRORS)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start:error.end]
    return "".join(_PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode() for char in refused), error.end
