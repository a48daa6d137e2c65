"""econduit-certify terminal as a process: what ends a run early, and what is known then."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from certify_runs import DEVICE, REFERENCE, examine, ports


def start(tmp_path, *options, numbers=None, stdout=subprocess.PIPE, preexec_fn=None):
    a, b, c = numbers or ports(3)
    (tmp_path / "device.toml").write_text(DEVICE.format(display=c))
    return subprocess.Popen([sys.executable, "-u", "-m", "econduit_terminal.sandbox.certify", "terminal", "--device",
                             str(tmp_path / "device.toml"), "--ports", f"{a},{b}", "--host", "127.0.0.1", "--out",
                             str(tmp_path / "out"),
                             "--profile", "quick", *options], stdout=stdout, stderr=subprocess.PIPE, text=True,
                            preexec_fn=preexec_fn)


def ended(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def result(tmp_path):
    return json.loads((tmp_path / "out" / "result.json").read_text())


def test_no_device_comes(tmp_path):
    status, _, err = ended(start(tmp_path, "--no-person", "--wait", "0.5"))
    assert status == 3 and "no device came within 0.5 s" in err
    found = result(tmp_path)
    assert found["verdict"] == "INCONCLUSIVE" and found["note"].startswith("no device came")


def test_a_part_says_that_it_is_one(tmp_path):
    status, _, err = ended(start(tmp_path, "--no-person", "--wait", "0.5", "--only", "2.9"))
    assert status == 3 and "a part of the examination: 1 of 9" in err
    assert "a part of the examination: 1 of 9" in result(tmp_path)["note"]
    assert "a part of the examination" in (tmp_path / "out" / "report.html").read_text()


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _, err = ended(start(tmp_path, "--no-person", numbers=[taken.getsockname()[1], *ports(2)]))
    assert status == 4 and "cannot listen" in err and "--ports" in err and "Traceback" not in err


    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind, says", [("full", "the disk is full"), ("closed pipe", "was closed"),
                                        ("closed", "is closed"), ("held", "not read by anybody")])
def test_the_report_and_the_status_are_the_same_where_nobody_can_be_told(kind, says, tmp_path):
    read, write = os.pipe()
    if kind == "full":
        os.dup2(full := os.open("/dev/full", os.O_WRONLY), write)
        os.close(full)
    elif kind == "held":
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 65536)
        os.set_blocking(write, True)
    elif kind == "closed pipe":
        os.close(read)
    numbers = ports(3)
    device = subprocess.Popen([sys.executable, str(REFERENCE / "terminal.py"), *map(str, numbers)],
                              stderr=subprocess.DEVNULL)
    process = start(tmp_path, "--no-person", "--only", "3.1,5.1", numbers=numbers, stdout=write,
                    preexec_fn=(lambda: os.close(1)) if kind == "closed" else None)
    try:
        status, _, err = ended(process)
    finally:
        device.kill()
        device.wait()
        os.close(write)
    assert status == 0 and says in err and "PASS: 2 PASS; the report is" in err and "Traceback" not in err
    assert result(tmp_path)["verdict"] == "PASS" and (tmp_path / "out" / "archive.zip").exists()


def test_ctrl_c_leaves_a_report(tmp_path):
    numbers = ports(3)
    device = subprocess.Popen([sys.executable, str(REFERENCE / "terminal.py"), *map(str, numbers)],
    stderr=subprocess.DEVNULL)
    process = start(tmp_path, "--no-person", numbers=numbers)
    try:
        for line in process.stdout:
            if " 5.1 " in line:
                break
        process.send_signal(signal.SIGINT)
        status, _, err = ended(process)
    finally:
        device.kill()
        device.wait()
    assert status == 2 and "stopped by hand" in err
    found = {case["case"]: case for case in result(tmp_path)["cases"]}
    assert found["5.1"]["verdict"] == "PASS" and found["6.1"]["seen"] == "stopped by hand"


def test_a_device_that_floods(tmp_path):
    numbers = ports(3)
    process = start(tmp_path, "--no-person", "--wait", "2", "--only", "3.1", numbers=numbers)
    for line in process.stdout:
        if "is expected" in line:
            break
    with socket.create_connection(("127.0.0.1", numbers[0])) as sock:
        sock.settimeout(10)
        with pytest.raises(OSError):
            while True:
                sock.sendall(b"x" * 65536)
    status, _, err = ended(process)
    assert status in (1, 2, 3) and "Traceback" not in err


@pytest.mark.timeout(120)
def test_only_strict_repeat_and_from_failed(tmp_path):
    first = examine("terminal", "further-field", tmp_path / "a", "--only", "3.2", "--strict", "--repeat", "2")
    assert first.status == 1 and first.verdicts == {"3.2": "NON-STRICT"} and first.result["verdict"] == "FAIL"
    again = examine("terminal", None, tmp_path / "b", "--from-failed", str(tmp_path / "a"))
    assert again.status == 0 and again.verdicts == {"3.2": "PASS"}
