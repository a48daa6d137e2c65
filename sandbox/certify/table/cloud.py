"""The cases of a cloud. PURE. The numbers begin with C."""
from econduit_terminal.sandbox.certify.table.model import Catalogue, Level, Need, Profile, Role

CATALOGUE = Catalogue(Role.CLOUD)
_add = CATALOGUE.add
MUST, SHOULD, PRACTICE, INFO = Level.MUST, Level.SHOULD, Level.PRACTICE, Level.INFO
STREAM = "TCP is a stream: a message comes in any number of segments, at any pace."

# 3 Registration (first in time; what the other cases rest on)
OK = _add("C3.1", "3.1 3.3 3.4", MUST, "A right registration is answered OK-REGISTRATION", does="Registers.",
          expects="OK-REGISTRATION, alone or with EOT EOT, within 5 s.", why="The first of the three messages.")
STAYS = _add("C2.1", "2.1 2.2", MUST, "The connection stays open", rests_on=[OK],
             does="Waits 5 s after the registration; looks at it after a transaction, too, where there is a URL.",
             expects="It is open; nothing came that is not a transaction.", why="\"Remains open at all times\".")
ACK = _add("C4.1", "4.3 4.4", MUST, "A heartbeat is acknowledged", rests_on=[OK, STAYS],
           does="Registers with AckHeartbeat \"true\", sends "
           "a heartbeat.", expects='{"Status":"OK"} and EOT EOT within 5 s.', why="The document's text.")
SECONDARY = _add("C2.2", "2.3", MUST, "The second endpoint", needs=[Need.SECOND_PORT], rests_on=[OK],
                 does="Registers at the second endpoint.", expects="OK-REGISTRATION.",
                 why="\"We have 2 production endpoints\".")
DROPPED = _add("C2.3", "2.6 3.8", MUST, "A registration after the connection was dropped", rests_on=[OK],
               does="Resets the connection, registers again at once, five times.", expects="OK-REGISTRATION each time.",
               why="A terminal comes back as quickly as possible; the cloud must not hold the old one against it.")
ALONE = _add("C1.1", "1.2", MUST, "A single 0x04 ends nothing", rests_on=[OK],
             does="Sends a registration and one 0x04, waits "
             "0.7 s, then the other.", expects="No answer before the second one; OK-REGISTRATION then.",
             why="\"2 - 0x04 characters\" are how the cloud knows that it has everything.")
UNENDED = _add("C1.2", "1.2", MUST, "A message without its end is not taken", rests_on=[OK],
               does="Sends a registration without EOT EOT, waits 0.7 s, sends EOT EOT.",
               expects="No answer before EOT EOT; OK-REGISTRATION then.", why="As C1.1.")
BYTEWISE = _add("C1.3", "1.2", MUST, "A registration byte by byte", rests_on=[OK],
                does="Sends each byte in its own segment.",
                expects="OK-REGISTRATION, once.", why=STREAM)
SPLIT_END = _add("C1.4", "1.2", MUST, "EOT EOT split in two segments", rests_on=[OK, ALONE, ACK],
                 does="Sends a heartbeat whose two EOT come 300 ms apart.", expects="One acknowledgement.", why=STREAM)
SURPLUS_END = _add("C1.5", "1.2", PRACTICE, "EOT EOT with nothing before it", rests_on=[OK, ACK],
                   does="Sends EOT EOT alone, then a heartbeat.", expects="The heartbeat is acknowledged.",
                   why="An empty message is no reason to end a day.")
INVALID_TYPE = _add("C3.2", "3.3 3.6", MUST, "An invalid terminal type", needs=[Need.TYPES], rests_on=[OK],
                    does="Registers with a TerminalType that does not exist (--invalid-type).",
                    expects="FAILED-INVALID-TERMINAL-TYPE.", why="The third of the three messages.")
MISSING = _add("C3.3", "3.3 3.5", MUST, "A field is missing", rests_on=[OK],
               does="Registers without TerminalType, without TerminalID, and with an empty TerminalID.",
               expects="FAILED-REGISTRATION or FAILED-INVALID-TERMINAL-TYPE.",
               why="\"Generic catch all for any errors\".")
NOT_JSON = _add("C3.4", "3.3 3.5", MUST, "A registration that is not JSON", rests_on=[OK],
                does="Sends half of one, with EOT EOT.",
                expects="FAILED-REGISTRATION.", why="\"Generic catch all for any errors\".")
NO_REGISTER = _add("C3.5", "3.3 3.7", MUST, "A heartbeat before any registration", rests_on=[OK],
                   does="Sends a heartbeat first.", expects="No OK-REGISTRATION, no acknowledgement.",
                   why="Nobody has said yet who this is, nor that it wants acknowledgements.")
AFTER_FAILURE = _add("C3.6", "3.3 3.8", MUST, "A right registration after a refused one", rests_on=[OK],
                     does="Registers wrongly, then rightly on a new connection.", expects="OK-REGISTRATION.",
                     why="A mistake is corrected in the settings, not by a new serial number.")
ANSWER_TEXT = _add("C3.7", "3.3", MUST, "Answers are the document's texts",
                   does="Looks at every answer to a registration.",
                   expects="Exactly one of the three texts, at most EOT EOT or white space around.",
                   why="Terminals compare them byte by byte.")
GLUED = _add("C3.9", "1.2", MUST, "A registration and a heartbeat in one segment", rests_on=[OK, ACK],
             does="Sends both in one write.",
             expects="OK-REGISTRATION and one acknowledgement.", why=STREAM)
LARGE_REGISTER = _add("C3.10", "3.1", PRACTICE, "A registration with a further field", rests_on=[OK],
                      does="Adds a field that the document does not know.", expects="OK-REGISTRATION.",
                      why="A newer terminal may say more.")

# 4 Heartbeat
NO_ACK = _add("C4.2", "4.5", MUST, "AckHeartbeat \"false\": no acknowledgement", rests_on=[OK],
              does="Registers with \"false\", sends two heartbeats.", expects="Nothing comes.",
              why="\"Otherwise, no response is sent\".")
ACK_ENDS = _add("C4.3", "4.4", MUST, "The acknowledgement ends in EOT EOT", rests_on=[ACK], does="Looks at the bytes.",
                expects="EOT EOT behind the JSON object.", why="The document shows it so.")
BEATS_SPLIT = _add("C4.4", "1.2 4.4", MUST, "Heartbeats split and glued", rests_on=[ACK, SPLIT_END],
                   does="Three heartbeats in one segment, then one byte by byte.", expects="Four acknowledgements.",
                   why=STREAM)
IDLE = _add("C4.5", "2.1 4.1", MUST, "Idle for long", rests_on=[ACK],
            does="Heartbeats alone: two in 24 s (quick), or one a minute for 190 s.",
            expects="The connection stays, each is acknowledged.", why="\"To keep the connection alive\".")
ACK_TIME = _add("C4.6", "4.4", INFO, "How fast the acknowledgement is", rests_on=[ACK], does="Measures it.",
                expects="Nothing.",
                why="The document names no seconds.")
ACK_TWICE = _add("C4.7", "4.4", MUST, "One acknowledgement for each heartbeat", rests_on=[ACK],
                 does="Counts them over five heartbeats.",
                 expects="Five.", why="\"Here is what the response will look like\": one.")

# 5, 7 Transactions by the URL
_URL = [Need.URL]
SALE = _add("C5.1", "5.1 7.1", MUST, "A transaction by the URL, end to end", needs=_URL, rests_on=[OK, STAYS],
            does="Calls the URL, answers over the connection.", expects="The request comes over the connection, once; "
            "the caller gets the answer.", why="\"We will provide you with a url\".")
TWICE = _add("C3.8", "3.1 3.8", MUST, "Two registrations of one TerminalID", rests_on=[OK, SALE],
             does="Registers on a second connection while the first is open; a transaction by the URL where there is "
             "one.",
             expects="OK-REGISTRATION; the transaction comes over the newer.",
             why="After a silent loss the cloud still holds the old connection when the terminal is back.")
SALE_FIELDS = _add("C5.2", "5.1 7.1", MUST, "The answer reaches the caller unchanged", needs=_URL, rests_on=[SALE],
                   does="Answers with marked values, one outside ASCII.", expects="Every text as answered.",
                   why="An approval must arrive as it was given.")
SALE_BYTEWISE = _add("C5.3", "1.2 5.2", MUST, "An answer byte by byte", needs=_URL, rests_on=[SALE, SPLIT_END],
                     does="Sends it so.",
                     expects="The caller gets the whole of it.", why=STREAM)
SALE_ALONE = _add("C5.4", "1.2 5.2", MUST, "An answer with a single 0x04 inside", needs=_URL, rests_on=[SALE, ALONE],
                  does="Sends half an answer, one 0x04 alone, waits, and ends with EOT EOT after the rest.",
                  expects="The caller is not answered before EOT EOT.", why="Half an approval is none.")
SALE_LARGE = _add("C5.5", "5.2", MUST, "An answer of 300 KiB", needs=_URL, rests_on=[SALE], does="Sends it.",
                  expects="The caller gets the whole of it.", why="Signatures come as images.")
SALE_LOST = _add("C5.6", "5.1 7.2", MUST, "The terminal goes during a transaction", needs=_URL, rests_on=[SALE],
                 does="Resets the connection after the request.", expects="The caller is not told \"Approved\".",
                 why="What nobody answered is not approved.")
SALE_LATE = _add("C5.7", "5.1", PRACTICE, "A late answer, after a new registration", needs=_URL, rests_on=[SALE],
                 does="Resets after the request, registers again, sends the answer then.",
                 expects="The caller (or checkStatus) gets the answer.",
                 why="The customer was charged: somebody must learn of it.")
SALE_NOBODY = _add("C5.8", "7.1", MUST, "A transaction for a terminal that is not connected", needs=_URL,
                   rests_on=[SALE],
                   does="Calls the URL with no connection.", expects="An answer that is not \"Approved\", within 30 s.",
                   why="The merchant must learn that the terminal is offline.")
SALE_BEATS = _add("C5.9", "4.4 5.1", MUST, "A heartbeat between request and answer", needs=_URL, rests_on=[SALE, ACK],
                  does="Sends a heartbeat, then the answer.", expects="The caller gets the answer, not the heartbeat.",
                  why="A heartbeat is no response.")
SERIES = _add("C5.10", "5.1", MUST, "Ten transactions in a row", needs=_URL, rests_on=[SALE, STAYS],
              does="One after the other.",
              expects="Each caller gets its own answer.", why="Answers must not be mixed up.")
TWO_TERMINALS = _add("C5.11", "2.2 5.1", MUST, "Two terminals at once", needs=_URL, rests_on=[SALE],
                     does="Registers a second TerminalID (the last digit is another), calls the URL for each.",
                     expects="Each transaction comes over its own terminal's connection; INFO where the cloud takes no "
                     "second one.", why="A sale that another shop's terminal runs is charged to the wrong customer.")
LONG = _add("C4.8", "2.1 4.4", MUST, "Hours of heartbeats", rests_on=[ACK], profile=Profile.LONG,
            does="One a minute, for as long "
            "as --hours says.", expects="The connection stays, each is acknowledged.", why="Slow leaks need time.")
