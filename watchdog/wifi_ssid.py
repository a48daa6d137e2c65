"""The name of the Wi-Fi network that an interface is in (SSID), from nl80211 (linux/nl80211.h). No tools, no privilege.

Since Linux 5.19 the interface itself does not tell it where wpa_supplicant does the log-in. The kernel's list of scan
results does: it marks the network that the interface is in.
"""
import socket
import struct
from collections.abc import Callable

from .rtnetlink import NetlinkSocket, attribute, attributes

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 0x10, 3, 1, 2
NL80211_CMD_GET_SCAN, NL80211_ATTR_IFINDEX, NL80211_ATTR_BSS = 32, 3, 0x2F
NL80211_BSS_INFORMATION_ELEMENTS, NL80211_BSS_STATUS = 6, 9
WLAN_EID_SSID = 0       # IEEE 802.11, 9.4.2.2

_GENERIC = struct.Struct("=BBH")


def ssid(interface: str, kernel: Callable[[int], NetlinkSocket] = NetlinkSocket) -> str | None:
    """None where it is in none, or no Wi-Fi. Bytes that are not UTF-8 become escapes: an SSID may be any bytes."""
    try:
        with kernel(NETLINK_GENERIC) as asked:
            family = asked.ask(GENL_ID_CTRL, _GENERIC.pack(CTRL_CMD_GETFAMILY, 1, 0)
                               + attribute(CTRL_ATTR_FAMILY_NAME, b"nl80211\0"))
            number = struct.unpack("=H", attributes(family[_GENERIC.size:])[CTRL_ATTR_FAMILY_ID])[0]
            index = struct.pack("=I", socket.if_nametoindex(interface))
            heard = list(asked.dump(number, _GENERIC.pack(NL80211_CMD_GET_SCAN, 0, 0)
                                    + attribute(NL80211_ATTR_IFINDEX, index)))
    except (OSError, KeyError, struct.error):
        return None
    for body in heard:
        network = attributes(attributes(body[_GENERIC.size:]).get(NL80211_ATTR_BSS, b""))
        if NL80211_BSS_STATUS in network:       # only the one that the interface is in has one
            name = _element(network.get(NL80211_BSS_INFORMATION_ELEMENTS, b""), WLAN_EID_SSID)
            return name.decode(errors="backslashreplace") or None
    return None


def _element(elements: bytes, kind: int) -> bytes:
    """One of a frame's elements: type, length, value, one after the other. Empty where it is not there."""
    while len(elements) >= 2:
        length = elements[1]
        if elements[0] == kind:
            return elements[2:2 + length]
        elements = elements[2 + length:]
    return b""
