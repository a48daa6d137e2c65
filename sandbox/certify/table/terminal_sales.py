"""The cases of a terminal: transactions, display, cables (sections 5 to 7). PURE."""
from collections.abc import Iterable

from econduit_terminal.sandbox.certify.table import terminal as before
from econduit_terminal.sandbox.certify.table.answers import Shape
from econduit_terminal.sandbox.certify.table.model import Case, Level, Need, Profile

_plain = before.CATALOGUE.add
MUST, SHOULD, PRACTICE, INFO = Level.MUST, Level.SHOULD, Level.PRACTICE, Level.INFO
ONCE = "Run exactly once, every byte as sent, and answered."
STREAM = "TCP is a stream: a message comes in any number of segments, at any pace."

TERMINATED, UNCHANGED = before.TERMINATED, before.UNCHANGED

def _add(id_: str, statements: str, level: Level, title: str, *, does: str, expects: str, why: str,
         rests_on: Iterable[Case] = (), needs: Iterable[Need] = (), profile: Profile = Profile.QUICK) -> Case:
    return _plain(id_, statements, level, title, does=does, expects=expects, why=why, needs=needs, profile=profile,
                  rests_on=[*rests_on, UNCHANGED, *before.STEADY, before.ACK_SHAPES[Shape.TERMINATED]])


BARE = _add("5.3", "5.1", MUST, "A transaction without EOT EOT", does="Sends one whose format says where it ends.",
            expects=ONCE, why="The document terminates what the terminal sends; of transactions it says nothing.",
            rests_on=[TERMINATED])
BYTEWISE = _add("5.4", "5.1", MUST, "A transaction byte by byte", does="Sends each byte in its own segment, some of "
                "characters outside ASCII, then further ones split at changing places, once between the two EOT.",
                expects=ONCE, why=STREAM,
                rests_on=[TERMINATED, UNCHANGED])


def _pause(id_: str, words: str) -> Case:
    return _add(id_, "5.1", MUST, f"A pause of {words} inside a transaction", rests_on=[TERMINATED, UNCHANGED],
                does="Stops in the middle for so long, once terminated and once bare.", expects=ONCE,
                why=STREAM + " A lost segment comes again after 0.2 s and more.")


PAUSES: dict[float, Case] = {0.1: _pause("5.5", "100 ms"), 0.4: _pause("5.6", "400 ms"), 3.0: _pause("5.7", "3 s")}
GLUED = _add("5.8", "5.1", MUST, "Two transactions in one segment", rests_on=[TERMINATED, before.STAYS_AFTER_SALE],
             does="Sends both in one write.", expects="Each is answered, and run at most once; the first is run.",
             why=STREAM)
GLUED_TO_ACK = _add("5.9", "4.4 5.1", MUST, "A transaction in one segment with an acknowledgement", needs=[Need.ACK],
                    rests_on=[TERMINATED, before.COMES], does="Waits for a heartbeat, sends both in one write.",
                    expects=ONCE,
                    why=STREAM)
LARGE = _add("5.10", "5.1", MUST, "A transaction of 64 KiB", does="Sends one.", expects=ONCE,
             why="Nothing limits a transaction; a signature is tens of kilobytes.", rests_on=[TERMINATED, UNCHANGED])
ANSWER = _add("5.11", "5.1 5.2", MUST, "The answer comes unchanged", does="Asks for an answer of 2,000 bytes.",
              expects="Whole and well-formed, of the length asked for.", why="The answer is the application's.",
              rests_on=[TERMINATED])
LARGE_ANSWER = _add("5.12", "5.1 5.2", MUST, "An answer of 300 KiB", does="Asks for it.", rests_on=[ANSWER],
                    expects="Whole and well-formed, of the length asked for.",
                    why="Signatures and receipts come as images.")
SLOW_READER = _add("5.13", "5.2", MUST, "The cloud reads slowly", does="Asks for 300 KiB, stops reading for 2 s.",
                   expects="The whole answer.", why="A full socket buffer is no error.", rests_on=[LARGE_ANSWER])
SERIES = _add("5.14", "2.2 5.1", MUST, "Ten transactions in a row", does="Sends each as soon as the one before is "
              "answered.",
              expects="Ten runs, ten answers in order.", why="A busy lunch.", rests_on=[TERMINATED])
LRC = _add("5.15", "5.1", MUST, "A check byte that is itself 0x04", needs=[Need.STX], rests_on=[TERMINATED, BARE],
           does="Sends a transaction whose LRC is 0x04, terminated and bare.", expects=ONCE,
           why="The LRC may be any byte; the terminator must not swallow it.")
CUT_REQUEST = _add("5.20", "2.6 5.1", PRACTICE, "Cut in mid-request, asked again", rests_on=[TERMINATED, before.RST],
                   does="Sends half a request, resets; sends it whole on the next connection.",
                   expects="Half a request is not run; the whole is run once.", why="A customer is charged once.")
CUT_RUNNING = _add("5.21", "2.6 5.1", PRACTICE, "Cut while it runs, asked again", rests_on=[TERMINATED, before.FIN],
                   does="Closes the connection while the application works, asks again on the next one.",
                   expects="Run once; the same answer.", why="A customer is charged once.")
CUT_ANSWER = _add("5.22", "2.6 5.1", PRACTICE, "Cut in mid-answer, asked again",
                  rests_on=[TERMINATED, before.RST, LARGE_ANSWER],
                  does="Resets while a large answer is on its way, asks again.", expects="Run once; the same answer.",
                  why="A customer is charged once.")
CUT_ANSWERED = _add("5.23", "2.6 5.1", PRACTICE, "Cut after the answer, asked again", rests_on=[TERMINATED, before.FIN],
                    does="Closes after the answer, asks again.", expects="Run once; the same answer.",
                    why="The cloud may not have read what its socket took.")
SECOND = _add("5.24", "5.1", PRACTICE, "A second transaction while one runs", does="Sends another one while one runs.",
              expects="The first is answered as usual; the second is answered, run or refused, at most once.",
              why="A POS should wait; what happens when it does not is not said.", rests_on=[TERMINATED])
GARBAGE = _add("5.25", "5.1", PRACTICE, "Garbage", does="Sends 64 random bytes and EOT EOT.",
               expects="The next transaction works, on this connection or the next.",
               why="One bad message must not end a day.",
               rests_on=[TERMINATED])
ENDLESS = _add("5.26", "5.1", PRACTICE, "A message without an end", does="Sends up to 4 MiB of one message.",
               expects="The next transaction works, on this connection or the next.", why="Memory is limited.",
               rests_on=[TERMINATED])
LONG = _add("5.27", "2.1 2.6 5.1", MUST, "Hours of work", profile=Profile.LONG, rests_on=[TERMINATED, before.FIN],
            does="Transactions, idle times and cuts in turn, for as long as --hours says.",
            expects="Every transaction is run once and answered; every return within 10 s.",
            why="Slow leaks need time.")

# 6 User Feedback
ONLINE = _plain("6.1", "6.1 6.2", MUST, "\"POS Online\" when registered", needs=[Need.DISPLAY],
              does="Reads the display after the registration.", expects="\"POS Online\", exactly, within 5 s.",
              why="These are the document's words.")
OFFLINE = _plain("6.2", "6.1 6.3", MUST, "\"POS Offline\" when the connection is gone", needs=[Need.DISPLAY],
               does="Closes both ports and the connection.", expects="\"POS Offline\", exactly, within 10 s.",
               why="These are the document's words.")
RED = _plain("6.3", "6.4", SHOULD, "The offline message is red", needs=[Need.DISPLAY], does="Reads the colour then.",
           expects="Red; another colour: NON-STRICT.", why="\"If possible\".")
NOT_BEFORE = _plain("6.4", "6.2 6.3", MUST, "Not online before the registration is answered", needs=[Need.DISPLAY],
                  rests_on=[OFFLINE], does="Answers the registration after 1.5 s.",
                  expects="\"POS Online\" only after the answer.", why="A connection that is not registered is not "
                    "active.")
BACK_ONLINE = _plain("6.5", "6.2", MUST, "\"POS Online\" again after a return", needs=[Need.DISPLAY], rests_on=[ONLINE],
                   does="Reads the display after a new registration.", expects="\"POS Online\", exactly, within 5 s.",
                   why="As 6.1.")
DISPLAY_TIMES = _plain("6.6", "6.1", INFO, "How fast the display is", needs=[Need.DISPLAY],
                       does="Measures 6.1, 6.2 and 6.5.",
                     expects="Nothing; the times are for comparing.", why="The document names no seconds.")

# 7 Testing
RETURNS = "A registration within 20 s of its return (PASS), 60 s (NON-STRICT); every transaction run at most once."


def _loss(id_: str, statement: str, what: str, sale: bool, need: Need | None) -> Case:
    when = "during a transaction" if sale else "while idle"
    return _plain(id_, f"{statement} 7.2 2.6", MUST, f"{what} lost and back, {when}", needs=[need] if need else [],
                rests_on=[TERMINATED] if sale else [],
                does=f"Asks for it by prompt or hook, {when}; it stays away for a while, then comes back.",
                expects=RETURNS + (" The display says \"POS Offline\" meanwhile." if not sale else ""),
                why="The document's own list of tests.")


CABLE, CABLE_SALE = (_loss(f"7.{1 + at}", "7.5", "Cable", bool(at), Need.CABLE) for at in (0, 1))
WIFI, WIFI_SALE = (_loss(f"7.{3 + at}", "7.4", "Wi-Fi", bool(at), Need.WIFI) for at in (0, 1))
UPLINK, UPLINK_SALE = (_loss(f"7.{5 + at}", "7.3", "Internet", bool(at), None) for at in (0, 1))
