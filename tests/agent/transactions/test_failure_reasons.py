from econduit_terminal.agent.transactions import failure_reasons


def test_what_people_read_is_one_short_line():
    reasons = {name: text for name, text in vars(failure_reasons).items() if name.isupper()}
    assert set(reasons) == {"BUSY", "STOPPING", "NO_DISK", "NOT_LOOKED_UP", "CROWDED", "BROKEN", "UNKNOWN",
                            "INTERRUPTED", "NEVER_DELIVERED", "USED", "RESTARTING",
                            "SCRUBBED", "SCRUBBED_CARD"}
    assert [name for name, text in reasons.items() if not text.isprintable() or len(text) > 200] == []
