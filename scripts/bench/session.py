"""What every row of a benchmark is given: the options, the table, folders, and rounds."""
import random
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.subjects import BARE, MQTT, MQTT10, PRODUCT, Peer, Product, Subject, bare_client, wait
from bench.table import Table, progress

from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab

CAP = 75.0
"""Seconds that anybody gets to come back."""
SETTLE = 4.0
"""Seconds after all are online."""
PERIOD = 2.1
"""Seconds of peace between two rounds, and up to so many more: a whole period of the product's keepalive, so that
trouble meets each of its moments alike."""
STEADY = "[reconnect]\nstable_after = 2s\n"
"""Rounds follow each other within seconds; in life the last trouble was hours ago, not seconds."""

Samples = dict[str, list[float | None]]


class Session:
    """One run of a benchmark."""

    def __init__(self, options: Namespace, table: Table, folder: Path):
        self.options, self.table, self._folder = options, table, folder
        self._count = 0

    def folder(self) -> Path:
        """A path of its own, where nothing is yet."""
        self._count += 1
        return self._folder / str(self._count)

    def product(self, lab: Lab, id: str = "29531204", more: str = "") -> Product:
        """A terminal whose product is the measured one; not started."""
        return Product(lab, self.folder(), self.options.product, id, more)

    def everybody(self, lab: Lab) -> dict[str, Subject]:
        """The product and its peers, started."""
        found: dict[str, Subject] = {PRODUCT: self.product(lab, more=STEADY).start(), BARE: bare_client(lab)}
        if not self.options.without_mqtt:
            found[MQTT] = Peer(lab, "mqtt_client.py", CLOUD, 1883, 60)
            found[MQTT10] = Peer(lab, "mqtt_client.py", CLOUD, 1883, 10)
        return found

    def rounds(self, row: str, default: int) -> Iterator[int]:
        """Its rounds, each announced."""
        count = self.options.rounds or default
        for number in range(1, count + 1):
            progress(f"{row}: round {number} of {count}")
            yield number

    def settle(self, subjects: Mapping[str, Subject]) -> None:
        """Until all are online, and a while more. Raises SystemExit."""
        if not wait(lambda: all(it.online() for it in subjects.values()), CAP + 60):
            raise SystemExit(f"not online: {', '.join(name for name, it in subjects.items() if not it.online())}")
        time.sleep(SETTLE + random.uniform(0, PERIOD))

    def losses(self, row: str, count: int, subjects: Mapping[str, Subject], trouble: Callable[[], object],
               cure: Callable[[], float], away: Callable[[], float]) -> tuple[Samples, Samples]:
        """For each subject the seconds to notice and to be back; None where it did neither before the cap.

        away(): seconds between trouble and cure. cure(): the moment at which it was effective. Who is back before that
        can be said was so in no time: what is looked for is the first word since the cure began.
        """
        noticed: Samples = defaultdict(list)
        back: Samples = defaultdict(list)
        for _ in self.rounds(row, count):
            self.settle(subjects)
            began = time.monotonic()
            trouble()
            time.sleep(max(0.0, away() - (time.monotonic() - began)))
            curing = time.monotonic()
            cured = cure()
            lost = {name: at for name, it in subjects.items() if (at := it.first("offline", began)) is not None}
            again = _first_online([subjects[name] for name in lost], curing)
            for name in subjects:
                noticed[name].append(lost[name] - began if name in lost else None)
            for name, at in zip(lost, again, strict=True):
                back[name].append(None if at is None else max(0.0, at - cured))
        return noticed, back


def _first_online(subjects: Sequence[Subject], after: float) -> list[float | None]:
    """When each was first online after a moment; None where it was not before the cap."""
    wait(lambda: all(it.first("online", after) for it in subjects), CAP)
    return [it.first("online", after) for it in subjects]
