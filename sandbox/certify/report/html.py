"""report.html: one page that holds everything and prints."""
from pathlib import Path
from typing import Any

import jinja2

from econduit_terminal.sandbox.certify.report.result import Record, counts
from econduit_terminal.sandbox.certify.table.model import MEANS, RESTS
from econduit_terminal.sandbox.certify.table.statements import STATEMENTS

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def environment() -> jinja2.Environment:
    """Templates of this package; everything is escaped."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True,
                              undefined=jinja2.StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    made.filters["bytes"] = _bytes
    made.filters["css"] = lambda verdict: verdict.lower().replace("/", "").replace("-", "")
    return made


def html(found: Record) -> str:
    """The page."""
    by_statement: dict[str, list[dict[str, Any]]] = {statement.id: [] for statement in STATEMENTS}
    for case in found["cases"]:
        for statement in case["statements"]:
            by_statement.setdefault(statement, []).append(case)
    return environment().get_template("report.html").render(
        result=found, counts=counts(found), statements=STATEMENTS, by_statement=by_statement, means=MEANS,
        rests={level.value: words for level, words in RESTS.items()})


def _bytes(entry: dict[str, Any]) -> str:
    """Bytes as a person reads them: text where it is text, \\xNN where not."""
    data = bytes.fromhex(entry["hex"])
    text = "".join(chr(char) if 32 <= char < 127 and char != 92 else f"\\x{char:02x}" for char in data[:600])
    hidden = len(data) - 600 + entry.get("more", 0) if len(data) > 600 else entry.get("more", 0)
    return text + (f" … and {hidden} bytes" if hidden else "")
