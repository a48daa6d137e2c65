"""Memory that was freed."""
import ctypes
import subprocess
import sys

import pytest

from econduit_terminal.process import memory

HELD = """
import sys, threading
from econduit_terminal.process import memory

def pss():
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Pss:"))

def work():
    blocks = [bytearray(5000) for _ in range(4000)]
    last = bytearray(5000)      # above them: glibc gives back by itself what is at the top
    del blocks
    before = pss()
    memory.trim()
    print(before - pss())

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_what_a_thread_freed_is_given_back():
    given_back = int(subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True).stdout)
    assert given_back > 10_000, f"{given_back} of 20,000 kB"


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    memory.trim()


def test_a_python_without_ctypes(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)
    memory.trim()
