import json
import os
import stat
import time

from econduit_terminal.process.line_file import VALID_FOR, uptime

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
    line, answer = shown(path), served.client.status().to_json()
    assert line.pop("written_uptime") <= answer.pop("written_uptime") <= uptime()
    assert line == answer and line["valid_for"] == VALID_FOR
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
    until(lambda: "status file" in served.client.status().problems)
    for number in range(20):
        served.do("offline", f"reason {number}")
    path.parent.mkdir()
    served.do("offline", "now")
    until(lambda: shown(path).get("reason") == "now" and not shown(path)["problems"])
    assert served.client.status().problems == {}
    assert served.log().count("cannot be written") == 1


def test_t5_the_line_is_renewed_while_nothing_changes(serve, tmp_path):
    path = tmp_path / "status.json"
    serve(status_file=path, times={"REWRITE": 0.05})
    until(path.exists)
    first = shown(path)
    until(lambda: shown(path)["written_uptime"] > first["written_uptime"])
    assert {**shown(path), "written_uptime": 0} == {**first, "written_uptime": 0}


def test_m7_a_disk_that_hangs_holds_nothing_else(serve, tmp_path):
    path, fifo = tmp_path / "status.json", tmp_path / "fifo"
    os.mkfifo(fifo)
    served = serve(status_file=path, times={"HANGS": 0.1})
    until(lambda: shown(path))
    served.do("hang", str(fifo))
    served.do("online", "h:80", "a", "b")
    until(lambda: "its disk does not answer" in served.client.status().problems.get("status file", ""))
    for number in range(20):
        served.do("offline", f"reason {number}")
        assert served.client.status().reason == f"reason {number}"
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)     # the disk is back
    until(lambda: shown(path).get("reason") == "reason 19" and not shown(path)["problems"])
    assert served.log().count("does not answer") == 1
    served.end()
    os.close(reader)


def test_m7_a_disk_that_hangs_does_not_hold_up_the_end(serve, tmp_path):
    path, fifo = tmp_path / "status.json", tmp_path / "fifo"
    os.mkfifo(fifo)
    served = serve(status_file=path, times={"HANGS": 0.1, "STOP_TIME": 0.1})
    until(lambda: shown(path))
    served.do("hang", str(fifo))
    served.do("online", "h:80", "a", "b")
    until(lambda: served.client.status().problems)
    served.end()
    assert served.process.returncode == 0


def test_m18_what_a_killed_agent_left_beside_is_removed(serve, tmp_path):
    path = tmp_path / "status.json"
    for left in ("status.json.4711.new", "status.json.agent.new", "status.json.d", "status.json.new"):
        (tmp_path / left).write_text("left")
    serve(status_file=path)
    until(lambda: shown(path))
    # The agent's own new line has such a name for a moment, too.
    until(lambda: {name for name in os.listdir(tmp_path) if name.startswith("status")} == {
        "status.json", "status.json.d", "status.json.new"})
