"""Who is registered, and who was registered twice at once."""


def test_registering_again_supersedes_and_is_counted(cloud, dial):
    first = dial(cloud.primary).online("T1")
    dial(cloud.secondary).online("T1")
    assert cloud.wait_event("superseded")["port"] == "primary"
    assert "superseded" in cloud.wait_event("closed", terminal="T1")["detail"]
    assert first.ended()
    known = cloud.terminals()["T1"]
    assert known["max_at_once"] == 2 and known["open"] == 1 and known["port"] == "secondary"
    assert cloud.registered_twice("T1")


def test_leaving_before_registering_again_is_not_twice(cloud, dial):
    for port in (cloud.primary, cloud.secondary) * 20:
        terminal = dial(port).online("T1")
        terminal.close()
    assert not cloud.registered_twice("T1")


def test_keep_old_marks_the_terminal_offline_when_the_old_one_ends(cloud, dial):
    cloud.misbehave("keep-old")
    first, second = dial(cloud.primary).online("T1"), dial(cloud.secondary).online("T1")
    cloud.wait_event("superseded")
    assert cloud.terminals()["T1"]["open"] == 2
    first.close()
    cloud.wait_event("offline", terminal="T1")
    assert not cloud.registered("T1")
    assert second.register("T1") == b"OK-REGISTRATION"
    cloud.wait_event("registered", port="secondary", since=cloud.wait_event("offline")["n"])
    assert cloud.registered("T1")
