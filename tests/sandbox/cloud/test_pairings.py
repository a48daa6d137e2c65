"""Keys and the terminals they are for: pure."""
import pytest

from econduit_terminal.sandbox.cloud.calls import CallError
from econduit_terminal.sandbox.cloud.pairings import ABUSE, Pairings


def keys(merchant, terminal="T1"):
    return {"key": merchant.key, "password": merchant.password, "terminalId": terminal}


def test_one_merchant_one_key_and_only_their_terminals():
    pairings = Pairings()
    first, second = pairings.pair("R", "m1", "T1"), pairings.pair("R", "m1", "T2")
    other, reseller = pairings.pair("R", "m2", "T3"), pairings.pair("R2", "m1", "T4")
    assert first is second and len({first.key, other.key, reseller.key}) == 3
    assert pairings.check(keys(first, "T2")) is first
    with pytest.raises(CallError, match="T3 is not paired"):
        pairings.check(keys(first, "T3"))


def test_unpaired_until_paired_again():
    pairings = Pairings()
    merchant = pairings.pair("R", "m1", "T1")
    pairings.unpair(keys(merchant))
    with pytest.raises(CallError, match="not paired"):
        pairings.check(keys(merchant))
    pairings.pair("R", "m1", "T1")
    assert pairings.check(keys(merchant)) is merchant


def test_the_sandbox_key_is_for_every_terminal_and_stays():
    pairings, given = Pairings(), {"key": "sandbox", "password": "sandbox", "terminalId": "any"}
    pairings.check(given)
    with pytest.raises(CallError, match="stays so"):
        pairings.unpair(given)
    pairings.check(given)


def test_abuse_revokes_and_a_patient_caller_is_never_revoked():
    pairings = Pairings()
    merchant = pairings.pair("R", "m1", "T1")
    for _ in range(3):
        for _ in range(ABUSE - 1):
            pairings.asked(merchant, too_soon=True)
        pairings.asked(merchant, too_soon=False)
    pairings.check(keys(merchant))
    for _ in range(ABUSE):
        pairings.asked(merchant, too_soon=True)
    with pytest.raises(CallError, match="revoked"):
        pairings.check(keys(merchant))
    pairings.forgive()
    pairings.check(keys(merchant))
