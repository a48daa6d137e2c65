"""`econduit-agent transactions`: what the journal says of each transaction, oldest first. Never a body.

Reads the journal's file itself, read-only, so that it works while the agent runs and while it does not.
"""
import json
import os
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from econduit_terminal.conf.settings import Settings
from econduit_terminal.process.logs import clean
from econduit_terminal.process.output import OutputError
from econduit_terminal.process.timestamps import rfc3339

from ..transactions.request import shown
from .schema import FILE

LAST = 100
POLL = 0.5
"""Seconds between two looks (--follow)."""
REFUSED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)
"""What SQLite says where another user could read the file."""
_FIELDS = ("id", "received", "ref_id", "command", "request_size", "state", "outcome", "reason", "answer_size", "took",
           "delivered")
_WORDS = {"handed": "in progress", "answered": "to be delivered", "expired": "too old to deliver",
          "unknown": "outcome unknown"}


class Options(Protocol):
    json: bool
    follow: bool


def main(settings: Settings, options: Options) -> int:
    """options: as on the command line. 0 done, 1 no journal, or not to be read."""
    path = Path(settings.local.state_dir) / FILE
    after = 0
    seen: dict[int, str] = {}
    try:
        while True:
            for row in _rows(path, LAST if not seen else None, after):
                if seen.get(row["id"]) != row["state"]:
                    seen[row["id"]] = row["state"]
                    print(json.dumps(row) if options.json else line(row), flush=True)
            if not options.follow:
                return 0
            seen = dict(sorted(seen.items())[-LAST:]) or {0: ""}
            after = min(seen) - 1
            time.sleep(POLL)
    except (FileNotFoundError, NotADirectoryError):
        print(f"there is no journal at {path}: the agent has not run yet, or local.state_dir is another place",
              file=sys.stderr)
    except (BrokenPipeError, OutputError):      # of what is printed
        raise
    except (OSError, sqlite3.Error) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF     # without the details
        refused = isinstance(error, PermissionError) or code in REFUSED
        todo = "run this as root or as the agent's user" if refused else "the agent's log says more"
        print(f"the journal {path} cannot be read ({getattr(error, 'strerror', None) or error}): {todo}",
              file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    return 1


def line(row: dict[str, Any]) -> str:
    """One transaction for people."""
    parts = [row["received"], f"RefID {row['ref_id'] or '-'}", row["command"] or "-", f"{row['request_size']} bytes in"]
    if row["answer_size"] is not None:
        parts.append(f"{row['answer_size']} bytes out after {row['ms']} ms")
    parts.append(f"delivered {row['delivered']}" if row["delivered"] else _WORDS.get(row["state"], "not delivered"))
    if row["state"] == "scrubbed":
        parts.append("answer no longer kept")
    if row["reason"]:
        parts.append(row["reason"])
    return "  ".join(clean(part, 400) for part in parts)


def _rows(path: Path, last: int | None, after: int) -> list[dict[str, Any]]:
    """The newest `last` rows (None: all) above the id `after`. Raises OSError and sqlite3.Error."""
    os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))    # a clearer error than SQLite's
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=2.0)
    try:
        found = connection.execute(
            f"SELECT {', '.join(_FIELDS)} FROM transactions WHERE id > ? ORDER BY id DESC LIMIT ?",
            (after, -1 if last is None else last)).fetchall()
    finally:
        connection.close()
    return [_row(dict(zip(_FIELDS, values, strict=True))) for values in reversed(found)]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    took = row.pop("took")
    for name in ("ref_id", "command"):
        row[name] = shown(row[name])    # 1.0.0 wrote down some card numbers that are known as such today
    return {**row, "received": _stamp(row["received"]), "ms": None if took is None else round(took * 1000, 1),
            "delivered": None if row["delivered"] is None else _stamp(row["delivered"])}


def _stamp(seconds: float) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
