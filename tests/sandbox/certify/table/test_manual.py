"""docs/certification.md is what the table says."""
from pathlib import Path

from econduit_terminal.sandbox.certify.table.every import CLOUD, TERMINAL
from econduit_terminal.sandbox.certify.table.manual import manual

FILE = Path(__file__).resolve().parents[4] / "docs" / "certification.md"


def test_the_file_is_up_to_date():
    assert FILE.read_text() == manual(), "run scripts/build-docs"


def test_every_case_stands_in_it():
    assert all(f"| **{case.id}** " in manual() for case in (*TERMINAL, *CLOUD))
