"""A journal as an agent of release 1.0.0 leaves it, killed: tables, rows, and a write-ahead log with half of them.

It is made from `journal-1.0.0.sql` alone and imports nothing of the product: that is what an upgrade finds.
"""
import hashlib
import json
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SCHEMA = Path(__file__).with_name("journal-1.0.0.sql")
FILE = "journal.sqlite3"
CARD = "4111111111111111"
BOOT = Path("/proc/sys/kernel/random/boot_id")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Row:
    """One transaction of 1.0.0. age: seconds since its hand-over or, once it is answered, its answer.

    outcome: of an answered one, None for others. kept: the answer still stands in the file. delivered: to the cloud.
    """

    ref: str
    state: str
    age: float
    outcome: str | None = "answer"
    card: bool = False
    delivered: bool = False
    with_ref: bool = True

    @property
    def request(self) -> bytes:
        """Its bytes as the cloud sent them."""
        name = "RefID" if self.with_ref else "Invoice"
        return json.dumps({"Command": "Sale", "Amount": "2.50", name: self.ref}).encode()

    @property
    def answer(self) -> bytes:
        """What the application or, in its place, the terminal answered."""
        said = {"ResultCode": "Approved", "AuthCode": f"OLD-{self.ref}", "RefID": self.ref}
        if self.outcome != "answer":
            said = {"ResultCode": "Failed", "Message": "payment application not reachable", "RefID": self.ref}
        if self.card:
            said["Account"] = CARD
        return json.dumps(said).encode()

    def values(self, id: int, boot: str, now: float, up: float) -> dict[str, object]:
        """Its columns."""
        answered = self.state not in ("handed", "unknown")
        kept = self.state in ("answered", "delivered", "expired")
        return {
            "id": id, "state": self.state,
            "digest": hashlib.sha256(self.request).digest() if self.with_ref else None,
            "ref_id": self.ref if self.with_ref else None, "command": "Sale", "request_size": len(self.request),
            "received": now - self.age - 2, "at_wall": now - self.age, "at_boot": boot, "at_up": up - self.age,
            "took": 1.5 if answered else None, "outcome": self.outcome if answered else None,
            "reason": "payment application not reachable" if answered and self.outcome != "answer" else None,
            "answer": self.answer if kept else None, "answer_size": len(self.answer) if answered else None,
            "card": self.card, "delivered": now - self.age if self.delivered else None,
        }


def write(folder: Path, rows: list[Row], same_boot: bool) -> Path:
    """The journal with these rows in a state_dir, as a killed agent leaves it. same_boot: or the power went."""
    now, up = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    boot = BOOT.read_text().strip() if same_boot else "11111111-2222-3333-4444-555555555555"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        file = Path(made, FILE)
        connection = sqlite3.connect(file, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.executescript(SCHEMA.read_text())
            for number, row in enumerate(rows):
                if number == len(rows) // 2:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                values = row.values(int((now - row.age) * 1e6) + number, boot, now, up)
                connection.execute(f"INSERT INTO transactions ({', '.join(values)}) "
                                   f"VALUES ({', '.join('?' * len(values))})", tuple(values.values()))
            for name in (FILE, f"{FILE}-wal"):      # while it is open: closing it would put the log into the file
                shutil.copy(Path(made, name), folder / name)
                (folder / name).chmod(0o600)
        finally:
            connection.close()
    return folder / FILE
