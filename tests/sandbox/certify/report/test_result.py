"""result.json: its schema, its verdict, its order: pure."""
import json
from pathlib import Path

import jsonschema
import pytest

from econduit_terminal.sandbox.certify.report import result

SCHEMA = json.loads(Path(result.__file__).with_name("result.schema.json").read_text())


def test_it_fits_its_schema_and_cases_are_in_the_order_of_numbers(made):
    found = made()
    jsonschema.validate(found, SCHEMA)
    assert [case["case"] for case in found["cases"]] == ["1.1", "2.9", "5.25"]
    assert found["cases"][1]["wire"][1] == {"t": 1.5, "dir": "note", "hex": b"closed".hex(), "link": "primary 1",
    "more": 3}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_real_runs_fit_the_schema(both_runs):
    for run in both_runs:
        jsonschema.validate(run.result, SCHEMA)


@pytest.mark.parametrize("verdicts, strict, overall", [
    (["PASS", "INFO", "N/A", "ADVICE", "NON-STRICT"], False, "PASS"), (["PASS", "NON-STRICT"], True, "FAIL"),
    (["PASS", "INCONCLUSIVE"], False, "INCONCLUSIVE"), (["INCONCLUSIVE", "FAIL"], False, "FAIL"), ([], False,
    "INCONCLUSIVE"),
    (["ADVICE"], True, "PASS"), (["N/A", "N/A"], False, "INCONCLUSIVE")])
def test_the_verdict(verdicts, strict, overall):
    assert result.overall(verdicts, strict) == overall


@pytest.mark.parametrize("content", [None, [], {}, {"cases": []}, {"version": 2, "cases": []},
                                     {"version": 1, "cases": [{"case": 1}]}, {"version": 1, "cases": {}},
                                     {"version": 1, "cases": [{"case": "abc", "verdict": "PASS"}]},
                                     {"version": 1, "cases": [{"case": "3.6", "verdict": "\x1b[2J"}]}])
def test_what_is_no_record(content):
    with pytest.raises(ValueError):
        result.readable(content)
