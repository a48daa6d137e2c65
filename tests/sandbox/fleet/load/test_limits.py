"""What limits a load, by hand-computed cases."""
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.fleet.load.limits import Demand, Machine, files_needed, lacks, sources

MACHINE = Machine(files=20_000, ports=28_232, file_remedy="raise it")
DEMAND = Demand(terminals=10_000, pos=400, processes=1, targets=("127.0.0.1", "127.0.0.1"))


def test_files_by_hand():
    assert files_needed(DEMAND) == 10_200 + 400 + 100
    assert files_needed(replace(DEMAND, processes=2)) == 5_100 + 200 + 100


def test_ten_thousand_fit():
    assert lacks(DEMAND, MACHINE) == [] and sources(DEMAND, MACHINE) == ()


def test_too_many_for_one_process_names_the_limit_and_the_number_of_processes():
    said, = lacks(replace(DEMAND, terminals=20_000), MACHINE)
    assert "20,900 in each, and the limit is 20,000: use --processes 2, or raise it" in said
    assert lacks(replace(DEMAND, terminals=20_000, processes=2), MACHINE) == []


def test_where_no_number_of_processes_helps_none_is_named():
    said, = lacks(replace(DEMAND, pos=0), replace(MACHINE, files=90))
    assert "--processes" not in said and said.endswith("raise it")


def test_towards_this_machine_as_many_source_addresses_are_taken_as_are_needed():
    many = replace(DEMAND, terminals=60_000, processes=4)
    assert sources(many, MACHINE) == ("127.0.1.1", "127.0.1.2", "127.0.1.3")
    assert lacks(many, MACHINE) == []


@pytest.mark.parametrize("targets", [("203.0.113.5",), ("::1",)])
def test_elsewhere_ports_run_out_and_the_remedy_is_said(targets):
    many = replace(DEMAND, terminals=60_000, processes=4, targets=targets)
    said, = lacks(many, MACHINE)
    assert "1 local address with 28,232 ports carry 25,408 connections" in said and "give 3 addresses" in said
    assert sources(many, MACHINE) == ()
    assert lacks(replace(many, sources=("10.0.0.1", "10.0.0.2", "10.0.0.3")), MACHINE) == []


@given(st.integers(1, 500_000), st.integers(0, 5000), st.integers(1, 64))
def test_the_number_of_processes_that_is_named_is_enough(terminals, pos, processes):
    demand = replace(DEMAND, terminals=terminals, pos=pos, processes=processes)
    for said in lacks(demand, MACHINE):
        named = said.partition("use --processes ")[2].partition(",")[0]
        assert lacks(replace(demand, processes=int(named)), MACHINE) == []
