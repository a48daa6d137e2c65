"""The cases of a terminal: connection, registration and heartbeat (sections 1 to 4). PURE."""
from collections.abc import Iterable

from econduit_terminal.sandbox.certify.table.answers import WRONG_ANSWERS, Shape, WrongAnswer
from econduit_terminal.sandbox.certify.table.model import Case, Catalogue, Level, Need, Profile, Role

CATALOGUE = Catalogue(Role.TERMINAL)
_plain = CATALOGUE.add
MUST, SHOULD, PRACTICE, INFO = Level.MUST, Level.SHOULD, Level.PRACTICE, Level.INFO
QUICK_RETURN = "registered within 3 s: PASS; within 10 s: NON-STRICT; later or never: FAIL"
SEVERED = "\"as quick as possible\" is a demand; the seconds are ours, from what terminals in the field reach"

# 1 Overview: the terminator
REGISTER_ENDS = _plain(
    "1.1", "1.2 1.3", MUST, "The registration ends in EOT EOT", does="Looks at the end of every Register of the run.",
    expects="Exactly two 0x04 behind the JSON object, nothing between, nothing before or after.",
    why="The server knows by nothing else that a message is whole.")
HEARTBEAT_ENDS = _plain(
    "1.2", "1.2 1.3", MUST, "The heartbeat ends in EOT EOT", does="Looks at the end of every heartbeat of the run.",
    expects="Exactly two 0x04 behind the JSON object.", why="As 1.1.")
RESPONSE_ENDS = _plain(
    "1.3", "1.2 1.3 5.2", MUST, "A response ends in EOT EOT", does="Looks at the end of every response of the run.",
    expects="Exactly two 0x04 behind the application's answer.", why="The one change to transactions that the document "
    "asks.")

# 2 Connection
ONE_CONNECTION = _plain(
    "2.3", "2.1", MUST, "One registered connection at a time", does="Watches both ports during the whole run.",
    expects="Once a newer connection is registered, nothing is sent over the older one, and it is closed within 2 s.",
    why="The document knows one connection; with two, the cloud cannot know where a transaction goes.")
STAYS_IDLE = _plain(
    "2.1", "1.1 2.1", MUST, "The idle connection stays open", rests_on=[ONE_CONNECTION],
    does="Leaves the registered terminal alone for three heartbeats, 20 s at least, and acknowledges them.",
    expects="The same connection all the while.", why="\"Remains open at all times\".")
STAYS_AFTER_SALE = _plain(
    "2.2", "2.1 2.2", MUST, "The connection stays open after a transaction",
    does="Two transactions, one after the other, and a pause.",
    expects="Both come and go over one connection, which is open afterwards.", why="\"Remains open at all times\".")
PRIMARY_FIRST = _plain(
    "2.4", "2.3 2.4", MUST, "The primary endpoint comes first", needs=[Need.SECONDARY],
    does="Both endpoints listen; the connection is closed three times.",
    expects="A registration at the primary each time; at the secondary now and then: NON-STRICT.",
    why="The secondary is for when no connection can be made to the primary.")
FIN = _plain("2.9", "2.6 3.8 7.2", MUST, "The cloud closes the connection (FIN)", rests_on=[ONE_CONNECTION],
           does="Closes the idle, registered connection.", expects=QUICK_RETURN, why=SEVERED)
FAILOVER_REFUSED = _plain(
    "2.5", "2.3 2.4", MUST, "The primary refuses connections", needs=[Need.SECONDARY], rests_on=[FIN],
    does="Closes the primary's port and the connection.", expects="A registration at the secondary within 30 s.",
    why="\"The secondary should be tried automatically\".")
FAILOVER_BLACKHOLED = _plain(
    "2.6", "2.3 2.4", MUST, "The primary does not answer at all", needs=[Need.SECONDARY],
    rests_on=[FIN, FAILOVER_REFUSED], does="Fills the primary's accept queue, so that the kernel drops every SYN; "
    "closes "
    "the connection.", expects="A registration at the secondary within 45 s.",
    why="A network that blocks a port blocks it in silence as a rule: the very case the document names.")
FAILOVER_SILENT = _plain(
    "2.7", "2.3 2.4 3.3", MUST, "The primary accepts and says nothing", needs=[Need.SECONDARY],
    rests_on=[FIN, FAILOVER_REFUSED], does="Accepts at the primary, never answers the registration.",
    expects="A registration at the secondary within 45 s.",
    why="What took the connection is not the cloud (a proxy): no connection to the primary endpoint can be made.")
FAILOVER_REFUSES = _plain(
    "2.8", "2.4 3.5", PRACTICE, "The primary refuses the registration", needs=[Need.SECONDARY],
    rests_on=[FIN, FAILOVER_REFUSED], does="Answers FAILED-REGISTRATION at the primary, OK-REGISTRATION at the "
    "secondary.",
    expects="A registration at the secondary within 45 s.",
    why="No sentence demands it, since both endpoints are one cloud; a terminal that asks both is online sooner.")
BACK_AT_PRIMARY = _plain(
    "2.20", "2.4", MUST, "Back at the primary", needs=[Need.SECONDARY], rests_on=[FIN, FAILOVER_REFUSED, PRIMARY_FIRST],
    does="The primary listens again; the connection to the secondary is closed, up to three times.",
    expects="A registration at the primary.", why="The secondary is for when no connection can be made to the primary.")
RST = _plain("2.10", "2.6 3.8 7.2", MUST, "The cloud resets the connection (RST)", rests_on=[ONE_CONNECTION],
           does="Resets the idle, registered connection.", expects=QUICK_RETURN, why=SEVERED)
HALF_CLOSE = _plain("2.11", "2.6 3.8", MUST, "The cloud closes its sending side only",
                  does="Sends FIN and keeps its receiving side open.", expects=QUICK_RETURN,
                  why=SEVERED + "; nothing can come over this connection any more", rests_on=[FIN])
FIN_MID_REGISTRATION = _plain(
    "2.12", "2.6 3.8", MUST, "Closed before the registration is answered", rests_on=[FIN],
    does="Closes the connection after the Register, without an answer.",
    expects="A new registration within 5 s: PASS; within 20 s: NON-STRICT; else FAIL.", why=SEVERED)
CLOSE_ON_ACCEPT = _plain(
    "2.13", "2.6 3.8", MUST, "Closed as soon as it is accepted", rests_on=[FIN],
    does="Accepts and closes every connection for 4 s, then listens as usual.",
    expects="Registered within 10 s: PASS; within 30 s: NON-STRICT; else FAIL.",
    why=SEVERED + "; a load balancer without a live server does this")
DIAL_RATE = _plain(
    "2.14", "2.6", PRACTICE, "The dials of a terminal that is turned away", rests_on=[FIN],
    does="Counts the connections during 2.13.", expects="At most 10 a second.",
    why="Ten thousand terminals without any pause are an attack on the cloud that tries to come back.")


def _restart(id_: str, seconds: int, profile: Profile) -> Case:
    return _plain(id_, "2.6 3.8 7.2", MUST, f"The cloud restarts and is away for {seconds} s", rests_on=[FIN],
                  profile=profile,
                does=f"Closes both ports and the connection, listens again after {seconds} s.",
                expects=f"Registered within {3 + seconds // 3} s of listening: PASS; within {10 + seconds} s: "
                  f"NON-STRICT; "
                        "else FAIL.", why=SEVERED)


RESTARTS: dict[int, Case] = {2: _restart("2.15", 2, Profile.QUICK), 15: _restart("2.16", 15, Profile.QUICK),
                             60: _restart("2.17", 60, Profile.FULL)}
RETURN_TIMES = _plain("2.18", "2.6 7.2", INFO, "How long the returns took", does="Collects the times of section 2.",
                    expects="Nothing; they are for comparing.", why="The document names no seconds.")
CONFIGURABLE = _plain("2.19", "2.5", SHOULD, "The endpoints can be configured",
                    does="Sees the device come to the examiner, which is none of eConduit's hosts.",
                    expects="A registration at each port that is declared.", why="\"It is recommended\".")

# 5 Transactions: the two that cases before them rest on
TERMINATED = _plain("5.1", "2.2 5.1", MUST, "A transaction, ended by EOT EOT", rests_on=[ONE_CONNECTION],
                  does="Sends two transactions, one after the "
                  "other.", expects="Each is run once and answered once.", why="What the terminal is for.")
UNCHANGED = _plain("5.2", "5.1", MUST, "The request reaches the application unchanged", rests_on=[TERMINATED],
                 does="A transaction with unusual spacing, escapes and characters outside ASCII.",
                 expects="The application was handed exactly these bytes, without EOT.",
                 why="\"The communication format has not changed at all\".")

# 3 Registration
REGISTER_JSON = _plain("3.1", "3.1", MUST, "The registration is a JSON object", does="Reads the first message.",
                     expects="One valid JSON object, in UTF-8, that stands alone.",
                     why="The example lacks its opening brace and has typographic quotes; it is JSON by its own words.")
REGISTER_NAMES = _plain(
    "3.2", "3.1", MUST, "The registration's names", does="Compares the names with the document's six.",
    expects="Exactly these, in this case; a further field: NON-STRICT.", why="Names are compared with case.",
    rests_on=[REGISTER_JSON])
REGISTER_TYPES = _plain("3.3", "3.1", MUST, "The registration's values are quoted strings", does="Looks at each value.",
                      expects="Six strings, none empty.", why="AckHeartbeat is \"true\" in quotes.",
                        rests_on=[REGISTER_JSON])
REGISTER_ORDER = _plain("3.4", "3.1", MUST, "The registration's fields are in the document's order",
                      does="Compares the order.", expects="The document's; another order: NON-STRICT.",
                      why="Order has no meaning in JSON, but the document shows one.", rests_on=[REGISTER_JSON])
REGISTER_VALUES = _plain(
    "3.5", "3.1 3.2 4.4", MUST, "The registration's values", does="Compares Command, TerminalType, TerminalID and "
    "AckHeartbeat with the document and the declaration.", expects="Register, and what device.toml says.",
    why="The cloud pairs by TerminalID and refuses unknown types.", rests_on=[REGISTER_JSON])


def _shape(id_: str, shape: Shape) -> Case:
    return _plain(id_, "3.3 3.4 3.7", MUST, f"OK-REGISTRATION, {shape.value}",
                does="Answers so, then sends a transaction.", expects="The terminal takes it as success: it answers.",
                rests_on=[TERMINATED],
                why="The document does not say how the server's answer ends; TCP does not keep segments together.")


OK_SHAPES: dict[Shape, Case] = {shape: _shape(id_, shape) for id_, shape in
                                zip(("3.6", "3.7", "3.8", "3.9"), Shape, strict=True)}


def _wrong(id_: str, answer: WrongAnswer) -> Case:
    failed = {"FAILED-REGISTRATION": " 3.5", "FAILED-INVALID-TERMINAL-TYPE": " 3.6"}.get(answer.name, "")
    return _plain(id_, "3.3 3.4" + failed, MUST, f"Answered with {answer.name}",
                does="Answers the registration so, sends a transaction, watches, then answers the next one rightly.",
                expects="Not online, no heartbeat, nothing run.", why="\"Anything else is a failure\".")


WRONG: dict[str, Case] = {answer.name: _wrong(f"3.{10 + at}", answer) for at, answer in enumerate(WRONG_ANSWERS)}
NO_ANSWER = _plain("3.22", "3.3 3.4", MUST, "No answer to the registration",
                   does="Never answers; sends a transaction, watches.",
                 expects="Not online, no heartbeat, nothing run.", why="Nothing is not OK-REGISTRATION.")
LATE_ANSWER = _plain("3.23", "3.3", PRACTICE, "The answer comes after 1.5 s", rests_on=[TERMINATED],
does="Waits 1.5 s before it answers.",
                   expects="The terminal waits for it.", why="A cloud that is busy is not gone.")
RETRIES = _plain("3.24", "2.6 3.5", PRACTICE, "Tries again after a refusal",
               does="Looks for a new registration after each FAILED answer, within the declared time.",
               expects="A new registration.", why="A terminal that gives up needs somebody to go there.")
IDENTICAL = _plain("3.25", "3.1 3.8", MUST, "The same registration each time",
                   does="Compares every Register of the run.",
                 expects="The same bytes.", why="Nothing in it changes while the device runs.")
FIRST = _plain("3.26", "3.1 3.8", MUST, "The registration comes first on every connection",
             does="Looks at the first message of each connection.", expects="A Register.",
             why="\"You will need to send a new registration string\".")
ONCE = _plain("3.27", "3.7", MUST, "One registration for each connection, then waiting",
            does="Counts on each connection; looks for messages that nobody asked for.",
            expects="One Register, then heartbeats and responses alone, each response once.",
            why="\"Enter a waiting state\".")
AT_ONCE = _plain("3.28", "3.7 5.1", MUST, "A transaction in the same segment as the answer", rests_on=[TERMINATED,
    UNCHANGED],
               does="Sends OK-REGISTRATION EOT EOT and a transaction in one write.",
               expects="Run once, answered.", why="TCP does not keep messages apart.")
WITHDRAWN = _plain("3.29", "3.4 3.5", PRACTICE, "FAILED-REGISTRATION while registered", rests_on=[TERMINATED],
                 does="Sends it to a registered terminal, then looks for a new registration.",
                 expects="Not run as a transaction; a new registration follows, or the connection works on.",
                 why="The document does not foresee it; a cloud that restarts does it.")

# 4 Heartbeat
STEADY = (STAYS_IDLE, STAYS_AFTER_SALE, ONE_CONNECTION)
"""Without these, nothing that is done over a connection says anything of its own."""


def _add(id_: str, statements: str, level: Level, title: str, *, does: str, expects: str, why: str,
         rests_on: Iterable[Case] = (), needs: Iterable[Need] = ()) -> Case:
    return CATALOGUE.add(id_, statements, level, title, does=does, expects=expects, why=why, needs=needs,
                         rests_on=[*rests_on, *STEADY])


COMES = _add("4.1", "4.1", MUST, "An idle terminal sends heartbeats", does="Waits for them.", rests_on=[],
             expects="The first within the declared interval (and 10 %), then more.",
             why="\"Should be sent periodically\".")
INTERVAL = _add("4.2", "4.1 4.2", SHOULD, "The interval between heartbeats",
                does="Measures between heartbeats after the first, acknowledged and idle.",
                expects="The declared interval, from 5/6 to 13/12 of it (50 to 65 s of a minute): PASS; more often: "
                        "NON-STRICT; less often: FAIL.", why="A recommendation; too seldom, and the connection is "
                "taken for dead.",
                rests_on=[COMES])
MINUTE = _add("4.3", "4.2", SHOULD, "Once a minute", does="Looks at the declared interval.",
              expects="50 to 65 s: PASS; 10 to 50 s: NON-STRICT; below 10 s it is a lab's own setting: INFO; above: "
              "FAIL.",
              why="\"We recommend once per minute\".")
CONTENT = _add("4.4", "4.3", MUST, "The heartbeat's content", does="Compares every heartbeat of the run.",
               expects='{"Command":"TerminalHeartbeat"}; other spacing or a further field: NON-STRICT.',
               why="\"As follows\".")
NONE_IN_SALE = _add("4.5", "4.1", MUST, "No heartbeat during a transaction", rests_on=[COMES, TERMINATED],
                    does="A transaction that takes 150 s (three intervals in the quick profile).",
                    expects="No heartbeat until it is answered.", why="\"When the terminal is idle\".")


RESUMES = _add("4.13", "4.1", MUST, "Heartbeats go on after a transaction", rests_on=[COMES],
               does="Waits after a transaction.", expects="A heartbeat within the declared interval (and 30 %).",
               why="The terminal is idle again.")


def _ack(id_: str, shape: Shape) -> Case:
    return _add(id_, "4.4", MUST, f"Acknowledgement, {shape.value}", needs=[Need.ACK],
                rests_on=[COMES, TERMINATED] if shape is Shape.TERMINATED else [COMES, TERMINATED, RESUMES],
                does="Acknowledges so, then sends a transaction and waits for the next heartbeat.",
                expects="The connection stays, the acknowledgement is not run, the transaction is answered, a "
                "heartbeat follows.",
                why="As OK-REGISTRATION: bytes come as TCP brings them.")


ACK_SHAPES: dict[Shape, Case] = {shape: _ack(id_, shape) for id_, shape in
                                 zip(("4.6", "4.7", "4.8", "4.9"), Shape, strict=True)}
NO_ACK = _add("4.10", "4.4", PRACTICE, "A heartbeat that is not acknowledged", needs=[Need.ACK], rests_on=[COMES],
              does="Does not acknowledge, watches for two intervals and 10 s.",
              expects="The terminal leaves the connection and registers again.",
              why="The acknowledgement is there to find a cloud that has died; what follows is not said.")
ACK_FALSE = _add("4.11", "4.5", MUST, "AckHeartbeat \"false\": nothing is expected", needs=[Need.NO_ACK],
                 rests_on=[COMES],
                 does="Acknowledges nothing for three heartbeats.", expects="The connection stays, heartbeats go on.",
                 why="\"Otherwise, no response is sent\".")
SURPLUS = _add("4.12", "4.4 4.5", PRACTICE, "An acknowledgement that nobody asked for", rests_on=[TERMINATED],
               does="Sends one, and a transaction.",
               expects="It is not run; the transaction is.", why="It is not a transaction, whatever its time.")
