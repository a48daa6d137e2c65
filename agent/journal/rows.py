"""Entries to the table's rows, and back."""
import sqlite3
from dataclasses import fields
from typing import Any

from .ages import Moment
from .entry import Entry, Outcome, State

_PLAIN = tuple(field.name for field in fields(Entry) if field.name != "at")
_COLUMNS = (*_PLAIN, "at_wall", "at_boot", "at_up")
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"
BARE = SELECT.replace(" answer,", " NULL,")
INSERT = f"INSERT INTO transactions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_RANK = "CASE {}state " + " ".join(f"WHEN '{state}' THEN {rank}" for rank, state in enumerate(State)) + " END"
MERGE = f"""{INSERT} ON CONFLICT (id) DO UPDATE SET {', '.join(
    f"{name} = excluded.{name}" for name in _COLUMNS if name not in ('id', 'answer'))},
    answer = CASE excluded.state WHEN 'scrubbed' THEN NULL ELSE coalesce(excluded.answer, transactions.answer) END
    WHERE {_RANK.format('excluded.')} >= {_RANK.format('transactions.')}"""


class Damaged(sqlite3.DatabaseError):
    """What the file holds is no journal, or not all of one."""


def values(entry: Entry) -> tuple[Any, ...]:
    return (*(getattr(entry, name) for name in _PLAIN), *entry.at)


def entry_of(row: tuple[Any, ...]) -> Entry:
    plain = dict(zip(_PLAIN, row, strict=False))
    try:
        plain["state"] = State(plain["state"])
        plain["outcome"] = plain["outcome"] and Outcome(plain["outcome"])
    except ValueError:
        raise Damaged("the file is damaged: a state that there is not") from None
    plain["card"], plain["declined"] = bool(plain["card"]), bool(plain["declined"])
    return Entry(**plain, at=Moment(*row[len(_PLAIN):]))
