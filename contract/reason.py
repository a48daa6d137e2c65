"""Why the terminal is offline: every reason, what happened, and what to do about it. PURE.

Rules
- A reason is one row. The display, the commands, the metrics and the table in docs/operations.md are made from it.
- `words` is what is shown; `…` stands for what differs from one time to the next (an endpoint, a number).
- `remedy` is for the merchant at the counter, `support` for who looks into it. Empty: there is nothing to do.
- `label` is for the metrics, where a row's text holds what comes from outside and never ends to be different.
- A text that is no row here was given by a person (`reconnect --reason`), or by a newer program: it is shown as is.
"""
import re
from enum import Enum
from functools import cache

GAP = "…"
UNANSWERED = " before it answered the registration"
"""What may follow a reason that ended a connection."""
_WAIT = "Wait: the terminal tries again by itself"
_ROUTER = "Restart the router"
_PROVIDER = "Restart the router. If that does not help, call the internet provider"
_SUPPORT = "Call support"


class Reason(Enum):
    """(words, what happened, what support does, what the merchant does[, the label in the metrics])"""

    STARTING = "starting", "the agent has just started", "wait a second", ""
    CONNECTING = ("connecting", "nothing is known against the network, and the terminal is on its way to the cloud",
                  "wait a moment; if it lasts, see `econduit-watchdog check`", "")
    CABLE = ("cable unplugged", "no network interface has a link",
             "plug the cable in at both ends; see whether the switch is on",
             "Plug the network cable in at both ends")
    WIFI_LOST = ("Wi-Fi lost", "the access point is off or out of reach",
                 "move closer; see whether the access point is on",
                 "Move closer to the Wi-Fi access point, or switch it on")
    WIFI_PASSWORD = ("Wi-Fi password refused", "the access point is there and ends the log-in again and again",
                     "enter the password of the Wi-Fi network again; at the very edge of the range, move closer",
                     "Enter the Wi-Fi password again")
    NO_LINK = ("no cable and no Wi-Fi", "neither has a link, and the terminal has not been online since it started, so "
               "that nothing tells which of them it is meant to use",
               "plug the cable in, or switch the access point on",
               "Plug the network cable in, or move closer to the Wi-Fi access point")
    SWITCHED_OFF = ("network switched off", "the interface is administratively down: its cable may well be in",
                    "switch it on (`ip link set eth0 up`); for Wi-Fi, check flight mode and `rfkill`, too",
                    "Switch the network on in the terminal's settings")
    NOT_READABLE = ("interfaces not readable",
                    "a container shows neither /sys nor /proc/net, so nothing says which interfaces there are",
                    "mount them; the terminal works all the same as long as the network does", _SUPPORT)
    NO_ADDRESS = ("no address", "there is a link, but no address",
                  "see whether the router's DHCP works, or set a fixed address", _ROUTER)
    NO_GATEWAY = ("no gateway",
                  "there is an address, but no default route, and no route to the cloud's addresses either",
                  "see whether the router's DHCP names a gateway", _ROUTER)
    GATEWAY_SILENT = ("gateway silent", "the router does not answer, nor anything behind it", "restart the router",
                      _ROUTER)
    NO_DNS = ("no DNS", "names cannot be looked up, and that is the fault: the network answers, or the name server "
              "itself does not, or it says that there is no such name",
              "check the name servers in `/etc/resolv.conf` and the names in `[cloud]`", _ROUTER)
    WRONG_DNS = ("no DNS: … is answered with …", "the cloud's name is answered with an address that cannot be its own: "
                 "0.0.0.0 or 127.0.0.1 (a DNS filter), the router's or a private one (a login page, a filter, or a "
                 "router whose line is down)",
                 "open a page in a browser on this network, it may want a log-in; have the filter let the names in "
                 "`[cloud]` through, or put a name that is meant so into `/etc/hosts`; restart the router",
                 "Log in to this network with a browser, or ask whoever runs it",
                 "no DNS: wrong answer")
    NO_DNS_OR_INTERNET = ("no DNS or no internet", "names cannot be looked up, the router answers, and nothing behind "
                          "it could be asked: a name server that fails and a line that is down look the same",
                          "check the name servers in `/etc/resolv.conf`; restart modem or router, call the internet "
                          "provider; `watchdog.reference_hosts` tells the two apart", _PROVIDER)
    NO_INTERNET = ("no internet", "the router answers, what was asked behind it does not; or a router on the way "
                   "rejects everything, and is named",
                   "restart modem or router; call the internet provider; a firewall that blocks "
                   "all of the cloud looks the same", _PROVIDER)
    CLOUD_SILENT = ("cloud not answering", "the cloud's host refuses; or the internet answers, which is proven, and "
                    "the cloud does not", "wait, ask eConduit; see whether a firewall blocks both ports", _WAIT)
    BLOCKED_PORT = ("blocked port", "one of the two endpoints answers, the other does not",
                    "the terminal works over the other; have the firewall open the port",
                    "Ask whoever runs this network to open the port")
    REFUSED_TYPE = ("registration refused: FAILED-INVALID-TERMINAL-TYPE", "the cloud does not know `terminal.type`",
                    "set it to what eConduit has told you; tried again every `rejected_retry`", _SUPPORT,
                    "registration refused")
    REFUSED = ("registration refused: …", "the cloud does not take this terminal, at none of its endpoints",
               "ask eConduit whether the TerminalID is known", _SUPPORT,
               "registration refused")
    REFUSED_UNSAID = ("registration refused", "the same, where the watchdog says so",
                      "ask eConduit whether the TerminalID is known", _SUPPORT)
    NOT_THE_CLOUD = ("… is answered by something else, …", "the network does not let the terminal through to that "
                     "endpoint: a proxy, a login page (HTTP, a web page) or another service takes its place",
                     "log in to the network, or have the proxy let the terminal's ports through; where it says TLS, "
                     "check `cloud.tls` and the port; where it is not the eConduit Cloud, check host and port in "
                     "`[cloud]`",
                     "Log in to this network with a browser, or ask whoever runs it",
                     "answered by something else")
    NO_ANSWER = ("no answer to the registration within …", "something takes the connection and does not answer: the "
                 "cloud's service, or a proxy in its place", "wait; ask eConduit if it lasts at both endpoints", _WAIT)
    NO_ACK = ("heartbeat not acknowledged within …", "the cloud's host answers, its service does not",
              "the terminal dials again by itself; on slow lines raise `heartbeat.ack_timeout`", _WAIT)
    BROKE_OFF = ("a message broke off after … bytes", "the cloud began a message and did not end it within `patience`",
                 "nothing; ask eConduit if it happens again and again", _WAIT,
                 "a message broke off")
    TOO_LONG = ("a message of more than … bytes (max_message)", "the cloud sent a longer message than is taken",
                "raise `max_message` where your transactions are as long as that", _SUPPORT)
    FLOOD = ("more than … messages in one burst", "the cloud sent more than any terminal could run",
             "ask eConduit", _WAIT)
    NO_CERTIFICATE = ("…: certificate not accepted (…); check the clock, cloud.ca_file and the host name",
                      "the endpoint speaks TLS, and is not who it should be", "the reason says what to check", _SUPPORT,
                      "certificate not accepted")
    NO_TLS = ("…: does not speak TLS as expected (…); check cloud.tls and the port",
              "the endpoint, or what takes its place, speaks no TLS", "the reason says what to check", _SUPPORT,
              "does not speak TLS as expected")
    TLS_FAILED = ("…: TLS not possible (…)", "TLS failed for another reason, which is given",
                  "see `econduit-watchdog check`", _WAIT,
                  "TLS not possible")
    TLS_SILENT = ("…: no answer in time", "the endpoint, or what takes its place, speaks no TLS",
                  "wait; check `cloud.tls`", _WAIT)
    CLOSED = ("closed by the cloud", "the cloud ended the connection", "nothing; if it happens again and again, see "
              "whether two terminals have one TerminalID", _WAIT)
    RESET = ("reset by the cloud", "the cloud ended the connection", "nothing; if it happens again and again, see "
             "whether two terminals have one TerminalID", _WAIT)
    LOST = ("connection lost (…)", "the kernel gave up the connection, and says why",
            "see `econduit-watchdog check`", _WAIT,
            "connection lost")
    TIMED_OUT = ("connection timed out", "the line went dead without a sign",
                 "nothing; on cellular lines see below", _WAIT)
    FORGOTTEN = ("connection lost on the way", "this connection is dead though new ones open: a router on the way was "
                 "restarted, or forgot it", "nothing; if it happens again and again, see how long the router keeps "
                 "connections (NAT, firewall)", _WAIT)
    OVERSIZED = ("large packets lost on the way", "small packets pass and large ones do not, and no router says so "
                 "(MTU); the terminal goes on with smaller ones", "correct the MTU of the router or the VPN; see the "
                 "problem `packet size`", _WAIT)
    NO_ROUTE = ("no route to the cloud", "the network changed under the connection", "see `econduit-watchdog check`",
                _WAIT)
    INTERFACE_DOWN = ("interface down", "the network changed under the connection", "see `econduit-watchdog check`",
                      _WAIT)
    REFUSED_BY = ("refused by …", "the endpoint's host is up, its service is not",
                  "wait, ask eConduit; a firewall may refuse the port", _WAIT)
    ROUTER_REJECTS = ("router … rejects the way to …", "a router on the way says so itself (its address and its reason "
                      "are given)", "have it let the ports of `[cloud]` through; if it is the provider's, call them",
                      _PROVIDER,
                      "a router rejects the way")
    NO_ANSWER_FROM = ("no answer from …", "the endpoint cannot be reached", "see `econduit-watchdog check`", _PROVIDER)
    NO_WAY = ("no way to …", "the endpoint cannot be reached", "see `econduit-watchdog check`", _PROVIDER)
    CANNOT_DIAL = ("… cannot be dialed (…)", "the kernel refuses the dial, and says why",
                   "see `econduit-watchdog check`", _SUPPORT,
                   "cannot be dialed")
    BAD_NAME = ("… is no name that can be looked up", "the name in `[cloud]` is not one",
                "correct it; `econduit-agent check-config` shows what is in force", _SUPPORT)
    NO_NAME = ("name … not found (…)", "the endpoint's name cannot be looked up",
               "check the name servers, and the names in `[cloud]`", _PROVIDER,
               "name not found")
    NAME_SILENT = ("name … not answered…", "the endpoint's name cannot be looked up",
                   "check the name servers, and the names in `[cloud]`", _PROVIDER)
    SETTINGS = ("settings wrong: …", "settings cannot work, or the device has no serial number",
                "the reason says what is wrong; `econduit-agent check-config` lists all of it", _SUPPORT,
                "settings wrong")
    SETTINGS_CHANGED = ("settings changed", "the terminal changes its connection on purpose", "wait a second", "")
    TO_PRIMARY = ("back to the primary endpoint", "the terminal changes its connection on purpose", "wait a second", "")
    ASKED = ("asked for …", "the terminal changes its connection on purpose; also any text given with "
             "`reconnect --reason`", "wait a second", "")
    AGENT_SILENT = ("agent not answering", "the agent does not answer its watchdog, which restarts it soon",
                    "nothing at once; if it happens again, send the log (`econduit-agent bugreport`)", _WAIT)
    AGENT_GONE = ("agent not running", "nobody serves the agent's socket; the watchdog says so in the status file",
                  "`supervisorctl status econduit:agent`", _SUPPORT)
    STOPPED = ("stopped", "the agent was told to end", "`supervisorctl start econduit:agent`", _SUPPORT)
    FAILED = ("the agent failed and starts again", "a bug in the agent; supervisord starts it again",
              "nothing at once; send the log (`econduit-agent bugreport`)", _WAIT)

    def __init__(self, words: str, happened: str, support: str, remedy: str, label: str | None = None):
        self.words = words
        self.happened = happened
        self.support = support
        self.remedy = remedy
        self.label = label
        self._pattern = re.compile("(.*?)".join(map(re.escape, words.split(GAP))), re.DOTALL)

    def text(self, *details: object) -> str:
        """The words with these details in place of each `…`."""
        first, *rest = self.words.split(GAP)
        if len(rest) != len(details):
            raise ValueError(f"{self.name} takes {len(rest)} details, got {len(details)}")
        return first + "".join(f"{detail}{part}" for detail, part in zip(details, rest, strict=True))

    def says(self, text: str) -> bool:
        """Is this text this reason?"""
        return self._pattern.fullmatch(text.removesuffix(UNANSWERED)) is not None


@cache
def _by_length() -> tuple[Reason, ...]:
    """The more of a text is fixed, the better it fits."""
    return tuple(sorted(Reason, key=lambda reason: -len(reason.words.replace(GAP, ""))))


def reason_of(text: str) -> Reason | None:
    """The row of a text; where it names two endpoints, each with its own reason, the row of the first."""
    for part in dict.fromkeys((text, text.partition("; ")[0])):
        for reason in _by_length():
            if reason.says(part):
                return reason
    return None


_ANSWERS = (Reason.REFUSED_BY, Reason.NO_ANSWER, Reason.CLOSED, Reason.RESET, Reason.NO_TLS)
"""Something beyond this network answered, or took the connection: the line is not to be blamed."""


def remedy(text: str) -> str:
    """What the merchant can do; empty where there is nothing to do, or nothing is known of it. Where one of two
    endpoints answers, the silence of the other is nothing that a router or a provider could change."""
    reason = reason_of(text)
    if reason is not None and reason.remedy == _PROVIDER:
        reason = next((one for part in text.split("; ") if (one := reason_of(part)) in _ANSWERS), reason)
    return reason.remedy if reason else ""


def label(text: str) -> str:
    """The label for the metrics: the row's where it has one, else the text itself."""
    reason = reason_of(text)
    return text if reason is None or reason.label is None else reason.label
