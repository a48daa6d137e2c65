"""result.json: the one record of a run, from which every other report is made. PURE.

`SCHEMA` (result.schema.json beside this file) describes it; its version changes when a reader would have to.
"""
import re
from collections.abc import Iterable, Mapping
from typing import Any

from econduit_terminal.conf.version import VERSION as PRODUCT
from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.table.model import Verdict
from econduit_terminal.sandbox.certify.wire_log import told

VERSION = 1
Record = dict[str, Any]
EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2}
NO_DEVICE, WRONG_COMMAND = 3, 4
_VERDICTS = {verdict.value for verdict in Verdict}


def record(role: str, device: Mapping[str, Any], results: Iterable[Result], *, began: str, seconds: float, profile: str,
           strict: bool, note: str = "") -> Record:
    """The record of a run. `began` is RFC 3339; `note` says why it is no
    result of the whole examination, if so."""
    cases = [{
        "case": result.case.id, "statements": list(result.case.statements), "title": result.case.title,
        "verdict": result.verdict.value, "level": result.case.level.value, "expected": result.case.expects,
        "seen": result.seen, "seconds": round(result.seconds, 3), "wire": [entry.shown() for entry in result.wire],
    } for result in sorted(results, key=lambda result: result.case.order)]
    return {"version": VERSION, "examiner": f"econduit-certify {PRODUCT}", "role": role, "profile": profile,
            "strict": strict,
            "began": began, "seconds": round(seconds, 1), "note": note, "device": dict(device),
            "verdict": overall((str(case["verdict"]) for case in cases), strict), "cases": cases}


def overall(verdicts: Iterable[str], strict: bool = False) -> str:
    """FAIL if any case failed (`strict`: or is NON-STRICT), INCONCLUSIVE if any is or none applies, else PASS."""
    seen = set(verdicts)
    if Verdict.FAIL.value in seen or (strict and Verdict.NON_STRICT.value in seen):
        return "FAIL"
    judged = seen - {Verdict.NOT_APPLICABLE.value}
    return "INCONCLUSIVE" if Verdict.INCONCLUSIVE.value in seen or not judged else "PASS"


def counts(found: Record) -> dict[str, int]:
    """How many cases came to each verdict, in the order of the verdicts."""
    return {verdict.value: sum(case["verdict"] == verdict.value for case in found["cases"]) for verdict in Verdict}


def readable(found: Any) -> Record:
    """What was read from a result.json. Raises ValueError when it is not one."""
    if not isinstance(found, dict) or not isinstance(found.get("cases"), list):
        raise ValueError("no result.json of econduit-certify")
    if found.get("version") != VERSION:
        raise ValueError(f"a result.json of version {found.get('version')!r}; this econduit-certify reads {VERSION}")
    for case in found["cases"]:
        if not isinstance(case, dict) or not isinstance(case.get("case"), str) or not isinstance(case.get("verdict"),
                                                                                                 str):
            raise ValueError("a case without its number or its verdict")
        if not re.fullmatch(r"C?[0-9]{1,6}\.[0-9]{1,6}", case["case"]) or case["verdict"] not in _VERDICTS:
            raise ValueError(f"no case of econduit-certify: {told(case['case'])!r}, {told(case['verdict'])!r}")
    return found
