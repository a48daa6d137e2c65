"""What the system says, in plain words."""
import errno
import os
import socket

import pytest

from econduit_terminal.sandbox.certify.plain_words import why, why_no_port


@pytest.mark.parametrize("number, words", [(errno.ENOENT, "no such file"), (errno.ENOSPC, "disk is full"),
                                           (errno.EACCES, "may not"), (errno.EEXIST, "directory is wanted")])
def test_a_known_refusal_says_what_to_do(number, words):
    assert words in why(OSError(number, os.strerror(number)))


def test_an_unknown_one_keeps_the_system_s_words():
    assert why(OSError(errno.ELOOP, os.strerror(errno.ELOOP))) == os.strerror(errno.ELOOP)
    assert why(OSError("words")) == why_no_port(OSError("words")) == "words"


def test_a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError) as refused:
        socket.create_server(taken.getsockname())
    assert why_no_port(OSError(refused.value.errno, "")).startswith("another program uses it")
