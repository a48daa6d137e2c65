"""Veths of this namespace alone, beside those whose other end is elsewhere."""
import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.watchdog import rtnetlink, veth


def test_a_kernel_that_does_not_say(monkeypatch):
    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(rtnetlink, "NetlinkSocket", refused)
    assert veth.unpaired() is None


@given(st.binary())
def test_any_bytes(body):
    assert veth._unpaired(body) is None or isinstance(veth._unpaired(body), str)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have a network of its own")
def test_pairs_of_every_kind():
    script = """
        import os, subprocess
        from econduit_terminal.watchdog.veth import unpaired
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready && exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        assert holder.stdout.readline() == "ready\\n"
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input=f'''
            link add eth0 type veth peer name far netns {holder.pid}
            link add one type veth peer name two
            link add br0 type bridge
        ''')
        print(sorted({"eth0", "one", "two", "br0", "lo"} & unpaired()))
        holder.kill()
    """
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=30)
    assert done.stdout == "['br0', 'eth0', 'lo']\n", done.stderr
