"""The installed product on a real radio: whatever happens to its networks, the display is right and no sale runs twice.

In the order of the file: one terminal lives through all of it. Times have room: the processor is emulated, and Python
runs some twenty times slower there; scripts/bench-radio measures them.
"""
import pytest
from radio_events import DHCLIENT, EVENTS, Event
from radio_lab import WIFI, Radio

pytestmark = pytest.mark.timeout(900)   # the first one makes the machine and boots it

NOTICED, SILENT, REGISTERED = 5.0, 10.0, 10.0
"""Seconds from the kernel's word; of a silent loss, from the loss itself."""


def happens_during_a_sale(radio: Radio, event: Event) -> None:
    """The customer has the card in the reader meanwhile: one run, one approval, and the POS has it."""
    event.prepare(radio)
    with radio.sale_in_progress(event.name):
        times = event.happen(radio)
    assert times.noticed < (SILENT if event.silent else NOTICED), times
    assert times.registered < REGISTERED, times


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_under_networkd(radio: Radio, event: Event) -> None:
    happens_during_a_sale(radio, event)


def test_under_dhclient(radio: Radio) -> None:
    """A plain client never reaches the cloud over Wi-Fi while the dead route stays."""
    radio.use_dhclient()
    happens_during_a_sale(radio, DHCLIENT)
    assert "linkdown" in radio.run("ip", "route")["output"], "the dead route is there"


def test_a_reboot(radio: Radio) -> None:
    """Nobody touches the terminal: it is online when the network is, and remembers what it ran."""
    answer = radio.sale("before the boot")()
    assert answer["ResultCode"] == "Approved"
    runs = radio.runs()
    radio.reboot()
    _, status = radio.offline(0.0, "no cable and no Wi-Fi")
    assert status["terminal_id"] == answer["TerminalID"]
    radio.lab("network")
    radio.start_cloud()
    radio.settled(interface=WIFI)
    again = radio.sale("before the boot")()
    assert (again["AuthCode"], radio.runs()) == (answer["AuthCode"], runs), "asked again, it is answered, not run"


def test_nothing_was_run_twice(radio: Radio) -> None:
    """Over all that happened here."""
    assert sorted(radio.runs()) == sorted(radio.sold)
