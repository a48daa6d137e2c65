"""Who examines the examiner: each mutant of the references is caught in the case that names its fault.

Here each goes through its own case and a seeded few others, side by side; scripts/certify-mutants runs the whole table.
"""
import random

import pytest
from certify_runs import MUTANTS, REFERENCE, all_of, judgement

from econduit_terminal.sandbox.certify.table.every import CASES
from econduit_terminal.sandbox.certify.table.model import Role

AT_ONCE = 16
FEW = 3
SLOW = {"2.5", "2.6", "2.7", "2.8", "2.13", "2.16", "2.17", "5.7", "C4.5", "C5.6"}
"""Cases that are tried only for the mutant that they name: they wait long."""


def _few(role: str):
    """name → --only: the mutant's own case, and some that are not about it and rest on nothing that is."""
    def options(name: str) -> tuple[str, ...]:
        mutant = MUTANTS[role][name]
        about = {mutant.caught, *mutant.also}
        others = [case.id for case in CASES[Role(role)] if not about & {case.id, *case.rests_on} and case.id not in SLOW
                  and not case.id.startswith("7.")]
        chosen = random.Random(name).sample(others, FEW)
        return "--only", ",".join([mutant.caught, *chosen])
    return options


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return {role: all_of(role, list(MUTANTS[role]), tmp_path_factory.mktemp(role), AT_ONCE,
    _few(role)) for role in MUTANTS}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role, name", [(role, name) for role in MUTANTS for name in MUTANTS[role]])
def test_a_mutant_is_caught_where_its_fault_is_named(runs, role, name):
    run = runs[role][name]
    caught, unrelated = judgement(role, run)
    print(f"{name:<42}{MUTANTS[role][name].caught:<7}{run.bad}")
    assert caught and not unrelated, f"{run.bad}\n{run.output}"


def test_there_are_enough_of_them():
    assert len(MUTANTS["terminal"]) >= 40 and len(MUTANTS["cloud"]) >= 20


@pytest.mark.parametrize("name", ["terminal.py", "cloud.py"])
def test_a_reference_is_small_and_knows_nothing_of_ours(name):
    text = (REFERENCE / name).read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 150 and "econduit_terminal" not in text
