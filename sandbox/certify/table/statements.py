"""Every normative sentence of the document, in our own words, numbered section.sentence. PURE.

Sections: 1 Overview, 2 Connection, 3 Registration, 4 Heartbeat, 5 Transactions, 6 User Feedback, 7 Testing. The level
is MUST for what the document demands and SHOULD for what it recommends or asks "if possible".
"""
from econduit_terminal.sandbox.certify.table.model import Level, Statement

STATEMENTS: tuple[Statement, ...] = (
    Statement("1.1", Level.MUST, "The terminal makes the connection to the cloud and keeps it open for commands."),
    Statement("1.2", Level.MUST, "Whatever is sent to the server ends in two 0x04 characters."),
    Statement("1.3", Level.MUST, "That holds for registrations, heartbeats and transaction responses."),
    Statement("2.1", Level.MUST, "The connection is a raw TCP socket that stays open at all times."),
    Statement("2.2", Level.MUST, "Transactions come to the device over it, and responses go back over it."),
    Statement("2.3", Level.MUST, "There are two production endpoints, since some networks block some of the traffic."),
    Statement("2.4", Level.MUST, "When no connection can be made to the primary endpoint, the secondary is tried by "
              "itself."),
    Statement("2.5", Level.SHOULD, "Both endpoints can be configured through the terminal management system."),
    Statement("2.6", Level.MUST, "A connection severed for any reason is established again as quickly as possible."),
    Statement("3.1", Level.MUST, "A terminal that starts sends the registration, the JSON string with the six fields "
              "shown."),
    Statement("3.2", Level.MUST, "TerminalID is the device's serial number."),
    Statement("3.3", Level.MUST, "The server answers the registration with one of three messages."),
    Statement("3.4", Level.MUST, "OK-REGISTRATION is success; anything else is a failure."),
    Statement("3.5", Level.MUST, "FAILED-REGISTRATION stands for any error."),
    Statement("3.6", Level.MUST, "FAILED-INVALID-TERMINAL-TYPE says that the terminal type is invalid."),
    Statement("3.7", Level.MUST, "After a successful registration the terminal waits for commands."),
    Statement("3.8", Level.MUST, "When the connection is dropped, a new registration is sent."),
    Statement("4.1", Level.MUST, "A heartbeat is sent periodically while the terminal is idle."),
    Statement("4.2", Level.SHOULD, "Once a minute is recommended."),
    Statement("4.3", Level.MUST, "The heartbeat is the JSON string shown."),
    Statement("4.4", Level.MUST, "With AckHeartbeat \"true\" the server acknowledges with {\"Status\":\"OK\"} and two "
              "0x04."),
    Statement("4.5", Level.MUST, "Otherwise no acknowledgement is sent."),
    Statement("5.1", Level.MUST, "Transactions are processed as before; their format is unchanged."),
    Statement("5.2", Level.MUST, "Two 0x04 characters are put at the end of the response."),
    Statement("6.1", Level.MUST, "The user can easily tell whether the terminal is connected to the cloud."),
    Statement("6.2", Level.MUST, "Idle and connected, the terminal shows \"POS Online\"."),
    Statement("6.3", Level.MUST, "Not connected, it shows \"POS Offline\"."),
    Statement("6.4", Level.SHOULD, "The offline message is red, if possible."),
    Statement("7.1", Level.MUST, "A URL sends test transactions to the terminal."),
    Statement("7.2", Level.MUST, "A lost connection is established again as quickly as possible."),
    Statement("7.3", Level.MUST, "This is tried with the internet lost."),
    Statement("7.4", Level.MUST, "This is tried with the Wi-Fi lost."),
    Statement("7.5", Level.MUST, "This is tried with the network lost, the cable unplugged."),
    Statement("7.6", Level.MUST, "The host names and ports listed are eConduit's own.",
              untested="an examiner on a desk is none of these hosts; §2.5 lets the device come to it"),
)
BY_ID = {statement.id: statement for statement in STATEMENTS}
