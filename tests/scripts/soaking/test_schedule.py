"""The schedule of faults: it follows from the seed, and keeps its rules."""
import itertools
from collections import Counter

import pytest
from soaking.schedule import CARDS, KILLS, ROUND, Kind, Place, rounds

PACE = 4.0


def faults(seed, count):
    return list(itertools.islice(itertools.chain.from_iterable(rounds(seed, PACE)), count))


def test_a_seed_gives_the_same_faults_and_another_seed_others():
    assert faults(7, 500) == faults(7, 500) != faults(8, 500)


def test_every_kind_has_its_card():
    assert set(CARDS) == set(Kind)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_lengths_and_manners_are_those_of_the_cards(seed):
    found = faults(seed, 1000)
    assert [fault.number for fault in found] == list(range(1, 1001))
    for fault in found:
        shortest, longest = CARDS[fault.kind].length
        assert shortest <= fault.length <= longest and fault.variant in CARDS[fault.kind].variants


@pytest.mark.parametrize("seed", range(5))
def test_one_fault_at_a_time_in_one_place_in_order(seed):
    for round_ in itertools.islice(rounds(seed, PACE), 100):
        assert len(round_) == ROUND
        assert [fault.at for fault in round_] == sorted(fault.at for fault in round_)
        free = dict.fromkeys(Place, 0.0)
        for fault in round_:
            assert fault.at >= free[fault.place]
            free[fault.place] = fault.at + fault.length


def test_places_overlap():
    round_ = itertools.chain.from_iterable(itertools.islice(rounds(1, PACE), 20))
    assert any(first.at + first.length > second.at for first, second in itertools.pairwise(round_)
               if second.number % ROUND != 1)


def test_the_pace_is_the_average_where_no_place_is_taken():
    gaps = [after.at - before.at for round_ in itertools.islice(rounds(3, PACE), 200)
            for before, after in itertools.pairwise(round_)]
    assert PACE * 0.95 < sum(gaps) / len(gaps) < PACE * 1.25


def test_processes_end_in_few_decks_and_live_between():
    first = sum(card.count for card in CARDS.values())
    other = sum(card.count for card in CARDS.values() if not card.ends_process)
    cycle = first + (KILLS - 1) * other
    kinds = Counter(fault.kind for fault in faults(11, 3 * cycle))
    for kind, card in CARDS.items():
        assert kinds[kind] == card.count * (3 if card.ends_process else 3 * KILLS), kind
    ending = [fault.number for fault in faults(11, cycle) if CARDS[fault.kind].ends_process]
    assert max(ending) <= first
