"""--list: a line for each case, and why one is left out."""
from econduit_terminal.sandbox.certify.listing import listing
from econduit_terminal.sandbox.certify.table.every import TERMINAL
from econduit_terminal.sandbox.certify.table.model import Need, Profile


def test_each_case_with_its_sentences_and_why_it_is_left_out(capsys):
    listing(TERMINAL, Profile.QUICK, frozenset({Need.WIFI}))
    lines = {line.split(" ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "[§3.3 §3.4 §3.7]" in lines["3.6"] and "(" not in lines["3.1"]
    assert "declared: no Wi-Fi" in lines["7.3"] and "only with --profile full" in lines["2.17"]
    assert all(case.id in lines for case in TERMINAL)
