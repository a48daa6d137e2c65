"""The laboratory itself: what its helpers do is what the terminal sees, and nothing of it stays."""
import subprocess
import sys

from econduit_terminal.sandbox.lab.netlab import CLOUD, DNS, ELSEWHERE, PREFIX, Lab, remove_stale


def reaches(lab, address, **more):
    return lab.terminal.run("ping", "-c1", "-W1", address, check=False, **more).returncode == 0


def carrier(lab, interface="eth0"):
    return lab.terminal.run("cat", f"/sys/class/net/{interface}/carrier").stdout.strip()


def test_the_cloud_is_in_reach_and_a_cable_is_a_cable(lab):
    assert reaches(lab, CLOUD) and reaches(lab, ELSEWHERE) and reaches(lab, DNS)
    assert carrier(lab) == "1"
    lab.cable_out()
    assert carrier(lab) == "0"
    assert "default via 10.77.1.1" in lab.terminal.run("ip", "route").stdout
    lab.cable_in()
    assert carrier(lab) == "1" and reaches(lab, CLOUD)


def test_silence_behind_the_router(lab):
    lab.router.drop()
    assert not reaches(lab, CLOUD) and reaches(lab, "10.77.1.1")
    lab.router.allow()
    assert reaches(lab, CLOUD)


def test_a_stall_ends_by_itself(lab):
    assert reaches(lab, CLOUD)
    lab.router.stall(3)
    assert not reaches(lab, CLOUD) and reaches(lab, "10.77.1.1")
    assert lab.terminal.run("ping", "-c1", "-w10", CLOUD).returncode == 0


ECHO = """
import socket, sys, threading

def serve(peer):
    while data := peer.recv(100):
        peer.sendall(data)

server = socket.create_server((sys.argv[1], 7))
print("ready")
while True:
    peer, _ = server.accept()
    threading.Thread(target=serve, args=(peer,), daemon=True).start()
"""
ASKER = """
import socket, sys, time
def ask(sock):
    sock.settimeout(0.5)
    try:
        sock.sendall(b"?")
        return "answers" if sock.recv(100) else "ended"
    except TimeoutError:
        return "is silent"
old = socket.create_connection((sys.argv[1], 7))
print("from port", old.getsockname()[1])
while True:
    with socket.create_connection((sys.argv[1], 7)) as new:
        print("the old one", ask(old), "the new one", ask(new))
    time.sleep(0.05)
"""


def test_a_router_that_forgets_one_connection(lab):
    lab.cloud.python("-c", ECHO, CLOUD).line("ready")
    asker = lab.terminal.python("-c", ASKER, CLOUD)
    port = int(asker.line("from port")[1].split()[-1])
    asker.line("the old one answers the new one answers")
    lab.router.forget(port)
    asker.line("the old one is silent the new one answers")
    lab.router.allow()
    asker.line("the old one answers", after=asker.lines[-1][0])


def test_a_lossy_line(lab):
    lab.router.lose(50)
    told = lab.terminal.run("ping", "-c100", "-i0.002", "-W1", CLOUD, check=False).stdout
    assert 50 < int(told.partition("% packet loss")[0].split()[-1]) < 100    # both ways: 75 in the mean


def test_a_router_that_is_switched_off_behind_a_switch(lab):
    lab.router.die()
    assert carrier(lab) == "1" and not reaches(lab, "10.77.1.1")
    lab.router.revive()
    assert lab.terminal.run("ping", "-c1", "-w5", CLOUD).returncode == 0    # it may take the router a moment


def test_names_are_the_laboratory_s_own(lab):
    lab.name_server(cloud__test=CLOUD)
    assert CLOUD in lab.terminal.run("getent", "ahostsv4", "cloud.test").stdout
    assert lab.terminal.run("getent", "ahostsv4", "example.org", check=False).returncode != 0


def test_two_uplinks(lab2):
    lab2.router.drop()
    assert not reaches(lab2, CLOUD)
    assert lab2.terminal.run("ping", "-c1", "-W1", "-I", "eth1", CLOUD).returncode == 0


def test_another_address(lab):
    lab.set_address("10.77.1.9/24", "10.77.1.1")
    assert "10.77.1.9" in lab.terminal.run("ip", "-4", "addr", "show", "eth0").stdout
    assert reaches(lab, CLOUD)


def test_nothing_leaves_the_namespaces(lab):
    assert not reaches(lab, "192.0.2.1") and not reaches(lab, "1.1.1.1")


def test_what_a_killed_run_leaves_is_removed_by_the_next():
    script = ("import os, signal\n"
              "from econduit_terminal.sandbox.lab.netlab import Lab\n"
              "lab = Lab().__enter__(); lab.terminal.start('sleep', '600'); print(lab.id, flush=True)\n"
              "os.kill(os.getpid(), signal.SIGKILL)")
    with Lab() as lab:
        if lab.enter:
            return      # an ordinary user's laboratory goes with its holder
        killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
        left = killed.stdout.strip()
        listed = subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
        assert left.startswith(PREFIX) and left in listed
        remove_stale()
        listed = subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
        assert left not in listed and lab.id in listed
