"""A virtual terminal that runs: QEMU with an image (radio_image.py), and the line to the program inside it
(tests/radio/guest/radio_inside.py, which says what can be asked and heard).

    with Machine(radio_image.base(), files) as machine:
        machine.ask(run=["ip", "addr"], limit=60)["output"]
        machine.cable(False)
        machine.hear(lambda word: word["heard"] == "link" and word["state"] == "down", after=moment)

The machine has no way out: no network of its host's. Its two cards are the two ends of one cable. Times are its own
(monotonic): what is emulated runs some twenty times slower, clocks do not. It ends with the process that made it.
"""
import contextlib
import itertools
import json
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radio_image import Image

GUEST = Path(__file__).resolve().parent.parent / "radio/guest"
SERIAL = "29531204"
BOOT = 240.0
"""Seconds until the program inside speaks; 40 on a quiet machine with two processors."""
PATIENCE = 60.0
"""Seconds that an answer or a word may take before a test fails; far beyond what it takes."""

Word = dict[str, Any]


class Machine:
    """A context manager. `files`: what the machine finds in /run/lab beside its own files."""

    def __init__(self, image: Image, files: list[Path], memory: int = 1024) -> None:
        self._image, self._memory = image, memory
        self.folder = Path(tempfile.mkdtemp(prefix="econduit-radio-"))
        self.heard: list[Word] = []
        """All that was heard since the machine's last boot, oldest first."""
        self._boots = 0
        self._grown = threading.Condition()
        self._answers: dict[int, queue.Queue[Word]] = {}
        self._numbers = itertools.count(1)
        self._ended = False
        self._share = self.folder / "share"
        self._share.mkdir()
        for file in (*GUEST.iterdir(), *files):
            shutil.copy(file, self._share)

    def __enter__(self) -> "Machine":
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and nothing stays."""
        if hasattr(self, "_qemu"):
            self._qemu.kill()
            self._qemu.wait()
        if hasattr(self, "_line"):
            # Nobody reads on when it is closed.
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, timeout: float = PATIENCE, **request: Any) -> Word:
        """One request and its answer. Raises AssertionError where it could not be carried out."""
        return self.begin(**request)(timeout)

    def begin(self, **request: Any) -> Callable[..., Word]:
        """One request; the returned function waits for its answer, for so many seconds."""
        number = next(self._numbers)
        answers = self._answers[number] = queue.Queue()
        self._line.sendall(json.dumps({"id": number, **request}).encode() + b"\n")

        def answer(timeout: float = PATIENCE) -> Word:
            try:
                found = answers.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"no answer within {timeout:g} s: {request}\n{self.console()}") from None
            finally:
                self._answers.pop(number, None)
            assert "error" not in found, f"{request}: {found['error']}"
            return found

        return answer

    def hear(self, wanted: Callable[[Word], bool], after: float = 0.0, timeout: float = PATIENCE) -> Word | None:
        """The first word that is wanted and was said at the machine's moment `after` or later; None in vain."""
        looked = 0

        def found() -> Word | None:
            nonlocal looked
            for word in self.heard[looked:]:
                looked += 1
                if word["at"] >= after and wanted(word):
                    return word
            return None

        with self._grown:
            word: Word | None = None

            def there() -> bool:
                nonlocal word
                word = word or found()
                return word is not None or self._ended

            self._grown.wait_for(there, timeout)
            assert word or not self._ended, f"the machine ended\n{self.console()}"
            return word

    def now(self) -> float:
        """The machine's moment."""
        return float(self.ask(now=True)["now"])

    def cable(self, plugged: bool) -> None:
        """Plug or unplug the cable: real carrier at the terminal's end."""
        self._order(f"set_link net0 {'on' if plugged else 'off'}")

    def reboot(self) -> None:
        """As a person has it done, in order; and until the program inside speaks again."""
        boots = self._boots
        self.begin(run=["systemctl", "reboot"], limit=BOOT)
        self._booted(boots + 1)

    def console(self) -> str:
        """The end of what the machine and QEMU wrote."""
        texts = [(self.folder / name).read_text(errors="replace")[-3000:] for name in ("console.log", "qemu.log")
                 if (self.folder / name).exists()]
        return "-- console and QEMU\n" + "\n".join(texts)

    def _order(self, words: str) -> None:
        """To QEMU's own monitor."""
        assert self._qemu.stdin is not None
        self._qemu.stdin.write(words.encode() + b"\n")
        self._qemu.stdin.flush()

    def _start(self) -> None:
        with open(self.folder / "qemu.log", "wb") as log:
            self._qemu = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self._command()], stdin=subprocess.PIPE,
                                          stdout=log, stderr=log)
        self._line = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                self._line.connect(str(self.folder / "line"))
                break
            except OSError:
                assert self._qemu.poll() is None and time.monotonic() < deadline, f"no QEMU\n{self.console()}"
                time.sleep(0.02)
        threading.Thread(target=self._read, daemon=True).start()
        self.cable(False)
        self._booted(1)

    def _booted(self, boots: int) -> None:
        with self._grown:
            self._grown.wait_for(lambda: self._ended or self._boots >= boots, BOOT)
        assert self._boots >= boots, f"the machine did not start within {BOOT:g} s\n{self.console()}"

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._line.makefile("rb") as lines:
            for line in lines:
                word = json.loads(line)
                if "id" in word:
                    if answers := self._answers.get(word["id"]):
                        answers.put(word)
                    continue
                with self._grown:
                    if word["heard"] == "started":
                        self.heard.clear()      # with its clock
                        self._boots += 1
                    self.heard.append(word)
                    self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    def _command(self) -> list[str]:
        # What slows an emulated start down and shows nothing: audits, checks of the crypto code, a quiet console.
        kernel = ("console=ttyS0 quiet loglevel=4 mitigations=off nokaslr audit=0 apparmor=0 selinux=0 net.ifnames=0 "
                  "random.trust_cpu=on no_timer_check panic=1 systemd.show_status=0 cryptomgr.notests")
        return [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "stdio",
            "-machine", "pc,usb=off", "-smp", "2", "-m", str(self._memory),
            "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max,la57=off",
            "-smbios", f"type=1,manufacturer=SandboxMaker,product=Model1,serial={SERIAL}",
            "-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd), "-append", kernel,
            # What is written goes to a file that vanishes with QEMU.
            "-drive", f"file={self._image.disk},format=raw,snapshot=on,if=virtio,cache=unsafe,aio=threads",
            "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
            "-virtfs", f"local,path={self._share},mount_tag=lab,security_model=none,readonly=on",
            "-netdev", "hubport,id=net0,hubid=1", "-netdev", "hubport,id=net1,hubid=1",
            "-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:10,romfile=",
            "-device", "virtio-net-pci,netdev=net1,mac=52:54:00:00:00:11,romfile=",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=line,path={self.folder}/line,server=on,wait=off",
            "-device", "virtserialport,chardev=line,name=lab",
            "-serial", f"file:{self.folder}/console.log",
        ]
