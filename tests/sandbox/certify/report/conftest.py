"""A record of a run, made by hand."""
import pytest

from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.report.result import record
from econduit_terminal.sandbox.certify.table import terminal as T, terminal_sales as S
from econduit_terminal.sandbox.certify.table.model import Verdict
from econduit_terminal.sandbox.certify.wire_log import Entry


@pytest.fixture
def made():
    """made(verdict of 2.9, …): the record of a run with three cases."""
    def build(fin="PASS", strict=False, seen="registered again after 0.10 s", **more):
        wire = (Entry(1.0, "in", "primary 1", b"\x02<script>&\xff"), Entry(1.5, "note", "primary 1", b"closed", 3))
        results = [Result(S.GARBAGE, Verdict.ADVICE, "never came back", 2.0, ()),
                   Result(T.FIN, Verdict(fin), seen, 1.5, wire), Result(T.REGISTER_ENDS, Verdict.PASS, "all", 0.1, ())]
        return record("terminal", {"format": "json", "hooks": ["cable_out"], "heartbeat": 60.0}, results, strict=strict,
                      **{"began": "2026-01-02T03:04:05+00:00", "seconds": 3.6, "profile": "quick", **more})
    return build
