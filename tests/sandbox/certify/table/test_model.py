"""The words of the examiner: pure."""
import pytest

from econduit_terminal.sandbox.certify.table.model import Catalogue, Level, Profile, Role, number


def test_numbers_sort_as_numbers():
    assert sorted(["3.10", "3.9", "C3.2"], key=number) == ["C3.2", "3.9", "3.10"]


@pytest.mark.parametrize("profile, has", [(Profile.QUICK, {Profile.QUICK}), (Profile.FULL, {Profile.QUICK,
    Profile.FULL}),
                                          (Profile.LONG, set(Profile))])
def test_each_profile_contains_the_shorter_ones(profile, has):
    assert {other for other in Profile if profile.contains(other)} == has


def test_a_catalogue_keeps_what_is_added():
    catalogue = Catalogue(Role.CLOUD)
    first = catalogue.add("C1.1", "1.1 1.2", Level.MUST, "A", does="d", expects="e", why="w")
    second = catalogue.add("C1.2", "1.1", Level.MUST, "B", does="d", expects="e", why="w", rests_on=[first])
    assert catalogue.cases == [first, second]
    assert first.statements == ("1.1", "1.2") and second.rests_on == ("C1.1",)
