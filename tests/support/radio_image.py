"""The disk and the kernel of a virtual terminal: Debian 12 with systemd, Debian's own kernel, and its simulated radios.

    image = radio_image.base()      # from the cache, or made now (a minute and a half)

It holds what our packages depend on, and nothing of ours: they are installed in the running machine, as on a terminal.
Everything that tests bring along comes over a shared folder (see radio_machine.py), so that another test makes no
other image.

The kernel is started directly, without a boot loader, and from its unpacked form: an emulated processor would take
seconds to unpack it. An initrd of busybox and six modules finds the disk.
"""
import fcntl
import hashlib
import lzma
import os
import shutil
import stat
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import debian_root

RELEASE = "bookworm"
DISK = 1536 << 20
"""Bytes of the terminal's file system; sparse here."""
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs",
         "busybox": "busybox-static"}
"""Program → the Debian package that brings it."""
PACKAGES = ("systemd-sysv", "udev", "dbus", "kmod", "procps", "iproute2", "iputils-ping", "nftables", "iw", "hostapd",
            "wpasupplicant", "dnsmasq-base", "isc-dhcp-client", "python3")
"""What the terminal, its router and its cloud need beside what our packages depend on."""
MODULES = ("arch", "crypto", "lib", "mm", "net", "fs/ext4", "fs/jbd2", "fs/mbcache.ko", "fs/9p", "fs/fscache",
           "fs/netfs", "fs/fuse", "fs/autofs", "fs/configfs", "drivers/virtio", "drivers/block/virtio_blk.ko",
           "drivers/char/virtio_console.ko", "drivers/char/hw_random", "drivers/net/virtio_net.ko",
           "drivers/net/net_failover.ko", "drivers/net/veth.ko", "drivers/net/wireless/mac80211_hwsim.ko")
"""What the machine has of the kernel's modules: the rest is drivers for hardware that it has not."""
INITRD_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
INITRD_INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module; done
looks=0
until [ -b /dev/vda ] || [ $looks = 100 ]; do looks=$((looks+1)); /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 -o rw,noatime,barrier=0 /dev/vda /root || /bin/busybox poweroff -f
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""
INSIDE = """#!/bin/sh
modprobe -a virtio_console 9pnet_virtio
mkdir -p /run/lab
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 lab /run/lab || exit 1
exec python3 /run/lab/radio_inside.py
"""
NETWORK = """[Match]
Name={name}
[Link]
RequiredForOnline=no
[Network]
DHCP=ipv4
LinkLocalAddressing=no
[DHCPv4]
RouteMetric={metric}
"""
FILES = {
    "/usr/local/sbin/lab-inside": INSIDE,
    "/etc/systemd/system/lab-inside.service":
        "[Unit]\nDescription=What the tests speak to\n"
        "[Service]\nExecStart=/usr/local/sbin/lab-inside\nKillMode=process\nRestart=always\n"
        "[Install]\nWantedBy=multi-user.target\n",
    "/etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\n",
    "/etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStartSec=180s\n",
    "/etc/hostname": "terminal\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/fstab": "",
    # Over the cable and over Wi-Fi it is the same router.
    "/etc/resolv.conf": "nameserver 192.168.60.1\nnameserver 192.168.50.1\noptions timeout:1 attempts:2\n",
    "/etc/machine-id": f"{1:032x}\n",
    # Three radios; the terminal's is wlan1, the others move to the router (guest/lab.sh).
    "/etc/modprobe.d/lab.conf": "options mac80211_hwsim radios=3\n",
    "/etc/modules-load.d/lab.conf": "mac80211_hwsim\n",
    "/etc/systemd/network/50-cable.network": NETWORK.format(name="eth0", metric=100),
    "/etc/systemd/network/50-wifi.network": NETWORK.format(name="wlan1", metric=600),
    # One channel alone is scanned: all of them would take 9 s each time.
    "/etc/wpa_supplicant/wpa_supplicant-wlan1.conf":
        "ctrl_interface=/run/wpa_supplicant\n"
        'network={\n ssid="shop"\n psk="open sesame"\n scan_freq=2437\n freq_list=2437\n}\n',
}
MASKED = """systemd-timesyncd.service systemd-networkd-wait-online.service systemd-update-utmp.service
    systemd-update-utmp-runlevel.service systemd-pstore.service systemd-journal-flush.service apt-daily.timer
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
    getty@tty1.service serial-getty@ttyS0.service systemd-binfmt.service systemd-firstboot.service
    systemd-machine-id-commit.service systemd-logind.service getty-static.service modprobe@drm.service
    modprobe@efi_pstore.service wpa_supplicant.service hostapd.service systemd-hwdb-update.service
    ldconfig.service"""
"""Services off: what this machine need not start, and those of the radio's programs, which the lab starts itself."""
USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache/apt", "var/lib/apt/lists")


class Unavailable(Exception):
    """Why there is no such machine here, in one line."""


@dataclass(frozen=True)
class Image:
    """The files that a machine starts from; nothing is written to them."""

    kernel: Path
    initrd: Path
    disk: Path


def missing() -> str | None:
    """Why there can be no such machine here; None where there can."""
    if os.geteuid():
        return "no virtual terminal: its disk is made as root only"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if absent := [package for program, package in TOOLS.items() if not shutil.which(program, path=path)]:
        return f"no virtual terminal: {', '.join(absent)} not installed (see scripts/test)"
    return None


def packages() -> list[str]:
    """All that is installed in the image."""
    return sorted({*PACKAGES, *debian_root.dependencies()})


def base() -> Image:
    """The image, from the cache or made now. Those made differently are removed. Raises Unavailable."""
    if reason := missing():
        raise Unavailable(reason)
    key = hashlib.sha256("\n".join([Path(__file__).read_text(), *packages()]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "econduit-terminal-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"radio-{key}"
    with open(cache / "radio.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for old in cache.glob("radio-*"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix="radio-new-", dir=cache) as new:
                _make(Path(new))
                Path(new, "done").rename(folder)
    return Image(folder / "vmlinux", folder / "initrd", folder / "root.ext4")


def _call(*command: object, given: str = "") -> None:
    """A program to its end. Raises Unavailable with the last of its output."""
    done = subprocess.run([str(word) for word in command], input=given, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")
    if done.returncode:
        raise Unavailable(f"no virtual terminal: {command[0]} failed with status {done.returncode}:\n"
                          f"{done.stdout[-2000:]}")


def _make(work: Path) -> None:
    """work/done with the three files."""
    root, done = work / "root", work / "done"
    done.mkdir()
    # The kernel's package is fetched, not installed: no boot loader, no initrd of its own, no other drivers.
    download = ("mkdir $1/kernel && cd $1/kernel && export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG && "
                "apt-get -o APT::Sandbox::User=root download -qq $(apt-cache depends linux-image-amd64 | "
                "sed -n 's/.*Depends: \\(linux-image-[0-9][^ ]*\\).*/\\1/p' | head -n 1)")
    _call("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(packages())}",
          "--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude=/{name}/*" for name in USELESS[:4]),
          f"--customize-hook={download}", RELEASE, root, "-",
          given="\n".join(debian_root.sources(RELEASE)) + "\n")
    _take_kernel(root, work, done)
    _furnish(root)
    disk = done / "root.ext4"
    with open(disk, "wb") as file:
        file.truncate(DISK)
    _call("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-d", root,
          disk)


def _take_kernel(root: Path, work: Path, done: Path) -> None:
    """Unpack the kernel's package: its modules to the root, the kernel itself and an initrd to `done`."""
    [package] = (root / "kernel").iterdir()
    unpacked = work / "kernel"
    _call("dpkg-deb", "-x", package, unpacked)
    shutil.rmtree(root / "kernel")
    [source] = (unpacked / "lib/modules").iterdir()
    target = root / "lib/modules" / source.name
    for name in MODULES:
        here = target / "kernel" / name
        here.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / "kernel" / name).is_dir() else shutil.copy2)(source / "kernel" / name, here)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy2(source / name, target)
    _call("chroot", root, "depmod", "-a", source.name)
    (done / "vmlinux").write_bytes(_unpacked((unpacked / f"boot/vmlinuz-{source.name}").read_bytes()))
    (done / "initrd").write_bytes(_initrd(target))


def _unpacked(image: bytes) -> bytes:
    """The ELF kernel in a bzImage, by the header of Linux's x86 boot protocol: setup_sects, payload_offset and
    _length. QEMU starts it by its PVH entry."""
    setup = (image[0x1F1] or 4) * 512 + 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    return lzma.LZMADecompressor().decompress(image[setup + offset:][:length])


def _initrd(modules: Path) -> bytes:
    """busybox, the modules that the disk and its file system need, in the order of their needs, and who loads them."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).name] = [path, *rest.split()]
    load = list(dict.fromkeys(path for name in INITRD_MODULES for path in reversed(needs[f"{name}.ko"])))
    names = [Path(path).name for path in load]
    files = {"init": INITRD_INIT.format(modules=" ".join(names)).encode(),
             "bin/busybox": Path(shutil.which("busybox") or "/bin/busybox").read_bytes(),
             **{name: (modules / path).read_bytes() for name, path in zip(names, load, strict=True)}}
    entries = [*((name, stat.S_IFDIR | 0o755, b"", (0, 0)) for name in ("bin", "dev", "root")),
               ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
               *((name, stat.S_IFREG | 0o755, data, (0, 0)) for name, data in files.items()),
               ("TRAILER!!!", 0, b"", (0, 0))]
    return b"".join(_cpio(number, *entry) for number, entry in enumerate(entries, 1))


def _cpio(number: int, name: str, mode: int, data: bytes, device: tuple[int, int]) -> bytes:
    """One entry of an archive in cpio's "newc" format, as the kernel takes it for an initramfs."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _furnish(root: Path) -> None:
    """The lab's own files; services off that are not wanted."""
    for name, text in FILES.items():
        path = root / name.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
    (root / "usr/local/sbin/lab-inside").chmod(0o755)
    _call("chroot", root, "systemctl", "-q", "mask", *MASKED.split())
    _call("chroot", root, "systemctl", "-q", "enable", "lab-inside", "supervisor", "systemd-networkd",
          "wpa_supplicant@wlan1")
    _call("chroot", root, "systemctl", "-q", "set-default", "multi-user.target")
    _call("chroot", root, "touch", "/etc/.updated", "/var/.updated")     # as old as /usr: systemd updates nothing
    for name in USELESS:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)


if __name__ == "__main__":
    print(base())
