import json
import os
import stat
import time

import pytest
from econduit_terminal.agent.local.statusfile import replace

LIMIT = 10


def until(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def shown(path):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}


def test_the_file_says_what_the_api_says(serve, tmp_path):
    path = tmp_path / "status.json"
    served = serve(status_file=path)
    served.until_it_answers()
    served.do("online", "h:80", "a", "b")
    until(lambda: shown(path).get("online"))
    assert shown(path) == served.client.status()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    served.do("offline", "stopped")
    served.end()
    assert (shown(path)["display"], shown(path)["reason"]) == ("POS Offline", "stopped")
    assert [name for name in os.listdir(tmp_path) if name.endswith(".new")] == []


def test_readers_never_see_half_a_file(serve, tmp_path):
    path = tmp_path / "status.json"
    served = serve(status_file=path)
    until(path.exists)
    for number in range(200):
        served.do("offline", f"reason {number}")
        text = path.read_text()
        assert text.endswith("}\n") and json.loads(text)["online"] is False


def test_a_missing_directory_is_a_problem_until_it_is_there(serve, tmp_path):
    path = tmp_path / "later" / "status.json"
    served = serve(status_file=path)
    served.until_it_answers()
    until(lambda: "status file" in served.client.status()["problems"])
    for number in range(20):
        served.do("offline", f"reason {number}")
    path.parent.mkdir()
    served.do("offline", "now")
    until(lambda: shown(path).get("reason") == "now" and not shown(path)["problems"])
    assert served.client.status()["problems"] == {}
    assert served.log().count("cannot be written") == 1


def test_nothing_is_left_beside_a_file_that_cannot_be_replaced(tmp_path):
    (tmp_path / "status.json").mkdir()
    with pytest.raises(OSError):
        replace(str(tmp_path / "status.json"), b"{}\n")
    assert os.listdir(tmp_path) == ["status.json"]
