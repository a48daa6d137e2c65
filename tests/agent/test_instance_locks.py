"""That two agents wait for each other: test_app.py; how a lock is taken over: tests/process/test_single_instance.py."""
from dataclasses import replace

import pytest

from econduit_terminal.agent.instance_locks import InstanceLocks
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.conf.settings import load


@pytest.fixture
def settings(tmp_path):
    """settings(socket=…, state_dir=…): the shipped ones with these places below tmp_path."""
    def make(socket="agent.sock", state_dir="state"):
        shipped = load(None)
        return replace(shipped, local=replace(shipped.local, socket=f"{tmp_path}/{socket}",
                                              state_dir=f"{tmp_path}/{state_dir}"))
    return make


def asked_to_stop(_seconds):
    return True


def test_both_are_taken_and_the_journals_directory_is_ours_alone(settings, tmp_path):
    store = StatusStore()
    assert InstanceLocks(store).acquire(settings(), asked_to_stop)
    assert (tmp_path / "agent.sock.lock").exists() and (tmp_path / "state/agent.lock").exists()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700 and store.snapshot().problems == {}


@pytest.mark.parametrize("moved", [{"socket": "other.sock"}, {"state_dir": "other"}])
def test_one_place_in_common_is_enough_to_wait(settings, moved):
    first = InstanceLocks(StatusStore())
    assert first.acquire(settings(), asked_to_stop)
    assert not InstanceLocks(StatusStore()).acquire(settings(**moved), asked_to_stop)


def test_a_lock_that_cannot_be_made_is_shown_and_the_agent_goes_on(settings, tmp_path, caplog):
    (tmp_path / "state").write_text("no directory")
    store = StatusStore()
    assert InstanceLocks(store).acquire(settings(), asked_to_stop)
    assert "correct local.state_dir or its directory" in caplog.text
    assert store.snapshot().problems["lock"].startswith(f"{tmp_path}/state/agent.lock cannot be made")
