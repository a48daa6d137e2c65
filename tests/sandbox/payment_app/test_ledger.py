"""The run ledger."""
import json

import pytest

from econduit_terminal.sandbox.payment_app.ledger import Ledger
from econduit_terminal.sandbox.payment_app.outcomes import understand


def test_a_line_for_each_run_over_several_lives(tmp_path):
    request = understand(b'{"Command":"Sale","RefID":"R1","Amount":"1.00"}')
    for code in ("A", "B"):
        Ledger(str(tmp_path / "ledger")).ran(request, code)
    runs = [json.loads(line) for line in (tmp_path / "ledger").read_text().splitlines()]
    assert [(run["RefID"], run["AuthCode"], run["sha256"]) for run in runs] == [
        ("R1", "A", request.sha256), ("R1", "B", request.sha256)]
    assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o600


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Ledger(None).ran(understand(b"x"), "A")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(OSError):
        Ledger(str(tmp_path))
