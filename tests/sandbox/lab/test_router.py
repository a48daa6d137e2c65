"""A router, as far as it needs no network: its rules (what they do to a terminal: tests/lab)."""
import pytest

from econduit_terminal.sandbox.lab.router import Router


@pytest.fixture
def router(ground):
    return Router(ground, "router")


def rules(ground):
    """What nft was told."""
    return [arguments[-1] for arguments, _ in ground.ran if "nft" in arguments]


@pytest.mark.parametrize("families", [("ip",), ("ip", "ip6")])
def test_silence_and_its_end_are_for_all_families(ground, router, families):
    router.families = families
    router.drop()
    router.allow()
    assert rules(ground) == [*(f"add rule {family} lab forward drop" for family in families),
                             *(f"flush chain {family} lab forward" for family in families)]


def test_what_is_counted_is_added_up(ground, router):
    ground.said = ("ip daddr 203.0.113.0/24 counter packets 3 bytes 180 reject\n"
                   "tcp dport 80 drop\nip daddr 203.0.113.0/24 tcp flags syn counter packets 40 bytes 2400\n")
    assert router.counted() == 43


def test_a_plan_can_be_followed_again_when_the_router_is_back(ground, router):
    router.plan("10.77.1.1/24", "198.51.101.1/24", "198.51.101.2", "9.9.9.9")
    assert router.gateway == "10.77.1.1"
    (_, planned), = ground.ran
    again = [*router.addresses, *router.routes]
    assert planned.splitlines()[-len(again):] == again and "route replace 9.9.9.9 via 198.51.101.2" in again
