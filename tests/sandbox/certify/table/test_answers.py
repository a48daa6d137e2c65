"""What a terminal is answered: pure."""
import pytest

from econduit_terminal.sandbox.certify.table.answers import OK, WRONG_ANSWERS, Shape


@pytest.mark.parametrize("shape, pieces", [
    (Shape.TERMINATED, (b"OK-REGISTRATION\x04\x04",)), (Shape.BARE, (b"OK-REGISTRATION",)),
    (Shape.CRLF, (b"OK-REGISTRATION\r\n\x04\x04",)), (Shape.SPLIT, (b"OK-REGI", b"STRATION\x04\x04"))])
def test_shapes(shape, pieces):
    assert shape.pieces(OK) == pieces


def test_twelve_wrong_answers_none_of_them_right_all_of_them_different():
    data = [answer.data for answer in WRONG_ANSWERS]
    assert len(set(data)) == 12 and all(one.strip(b"\x04\r\n ") != OK for one in data)
    assert len(data[-1].removesuffix(b"\x04\x04")) == 64 and b"\x04" not in data[-1][:64]
