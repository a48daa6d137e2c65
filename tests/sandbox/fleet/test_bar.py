"""The progress bar."""
import io

from rich.console import Console

from econduit_terminal.sandbox.fleet.bar import bar


def shown(console):
    with bar(console, "away", 10, "{task.completed:.0f} s played") as told:
        told.at(4.0)
        told._progress.refresh()
        told.next("as shipped")
        told.next("timeout = 60 s")
        told._progress.refresh()
    return console.file.getvalue()


def test_it_is_shown_on_a_terminal():
    text = shown(Console(file=io.StringIO(), force_terminal=True, width=100))
    for words in ("away", "4 s played", "timeout = 60 s", "1 s played"):
        assert words in text


def test_and_not_where_there_is_none():
    assert shown(Console(file=io.StringIO(), width=100)).strip() == ""
