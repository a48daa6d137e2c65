"""The words are the interface: they stand on the display and label the metrics."""
from econduit_terminal.watchdog import reasons


def test_the_words():
    assert {word for name, word in vars(reasons).items() if name.isupper()} == {
        "cable unplugged", "Wi-Fi lost", "Wi-Fi password refused", "network switched off", "interfaces not readable",
        "no address", "no gateway", "gateway silent", "no DNS", "no DNS or no internet", "no internet",
        "cloud not answering", "blocked port", "registration refused", "connecting", "online"}
