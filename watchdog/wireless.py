"""The name of the Wi-Fi network that an interface is in (SSID), from nl80211 (linux/nl80211.h). No tools, no
privilege."""
import socket
import struct
from collections.abc import Callable

from econduit_terminal.watchdog.rtnetlink import Kernel, attribute, attributes

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 0x10, 3, 1, 2
NL80211_CMD_GET_INTERFACE, NL80211_ATTR_IFINDEX, NL80211_ATTR_SSID = 5, 3, 0x34

_GENERIC = struct.Struct("=BBH")


def ssid(interface: str, kernel: Callable[[int], Kernel] = Kernel) -> str | None:
    """None where it is in none, or no Wi-Fi. Bytes that are no UTF-8 are shown as escapes: an SSID may be any bytes."""
    try:
        with kernel(NETLINK_GENERIC) as asked:
            family = asked.ask(GENL_ID_CTRL, _GENERIC.pack(CTRL_CMD_GETFAMILY, 1, 0)
                               + attribute(CTRL_ATTR_FAMILY_NAME, b"nl80211\0"))
            number = struct.unpack("=H", attributes(family[_GENERIC.size:])[CTRL_ATTR_FAMILY_ID])[0]
            index = struct.pack("=I", socket.if_nametoindex(interface))
            answer = asked.ask(number, _GENERIC.pack(NL80211_CMD_GET_INTERFACE, 0, 0)
                               + attribute(NL80211_ATTR_IFINDEX, index))
    except (OSError, KeyError, struct.error):
        return None
    name = attributes(answer[_GENERIC.size:]).get(NL80211_ATTR_SSID, b"")
    return name.decode(errors="backslashreplace") or None
