from econduit_terminal.agent.wire.errors import AnswerOverdue, MisuseError, ProtocolError, WireError


def test_one_base_for_all_and_nothing_lost_with_a_fault():
    assert all(issubclass(kind, WireError) for kind in (ProtocolError, AnswerOverdue, MisuseError))
    assert ProtocolError("why", ["event"]).events == ("event",) and ProtocolError("why").events == ()
