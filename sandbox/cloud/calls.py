"""The public calls of the eConduit Cloud, as one table: what each takes, and what is wrong with a call. PURE.

Rules (from eConduit's public API pages)

- `CALLS` is the one table: the HTTP side reads calls by it, and the desk makes its forms from it.
- Parameters come as a query, a form or a JSON object. Their names count in any case, since the JSON form writes
  `Command`, `Key` and `refId` where the query has `command`, `key` and `refID`.
- An amount has its decimal point; in the JSON form it may be a number.
- A parameter that is *present* may be empty where the pages say so (the further fields of runTransaction2), but must be
  there.
- A follow-up (Capture, Void, TipAdjust) reuses the first transaction's RefID, so it has one.
- What is wrong is a `CallError` that names the parameter and says what is accepted.
"""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

COMMANDS = ("Sale", "Refund", "Auth", "Capture", "Void", "TipAdjust", "GiftActivate", "GiftSale", "GiftRefund",
            "GiftAddValue", "GiftBalance")
FOLLOW_UPS = ("Capture", "Void", "TipAdjust")
WITHOUT_AMOUNT = ("Capture", "Void", "GiftBalance")
COUNTRIES = ("USA", "Canada", "UK", "Australia", "New Zealand")
INPUT_TYPES = ("c", "n", "a", "an")
PAYMENT_TYPES = ("credit", "debit", "EBT Cash", "EBT Food")
MAX_FIELD = 200
MAX_WAIT = 3600.0
"""Seconds."""


class CallError(Exception):
    """A public call that cannot be carried out as asked; the text says what is accepted."""


def _text(value: str) -> str:
    if len(value) > MAX_FIELD:
        raise ValueError(f"at most {MAX_FIELD} characters")
    return value


def _choice(*accepted: str) -> Callable[[str], str]:
    known = {name.lower(): name for name in accepted}

    def parse(value: str) -> str:
        if value.lower() not in known:
            raise ValueError("one of " + ", ".join(accepted))
        return known[value.lower()]
    return parse


def _amount(text: str) -> str:
    try:
        number = Decimal(text) if text.isascii() and "." in text and set(text) <= set("0123456789.") else None
    except InvalidOperation:
        number = None
    if number is None or len(text) > 20:
        raise ValueError("a number with its decimal point, such as 2.50")
    return text


def _seconds(text: str) -> str:
    try:
        accepted = 0 <= float(text) <= MAX_WAIT
    except ValueError:
        accepted = False
    if not accepted:
        raise ValueError(f"seconds, 0 to {MAX_WAIT:.0f}")
    return text


def _length(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= 99 and len(text) <= 2):
        raise ValueError("a whole number, 1 to 99")
    return text


def day(text: str) -> date:
    """The day that `MMddyyyy` means. Raises ValueError."""
    try:
        if len(text) != 8:
            raise ValueError
        return datetime.strptime(text, "%m%d%Y").date()
    except ValueError:
        raise ValueError("MMddyyyy, such as 01192016 for January 19, 2016") from None


def _day(text: str) -> str:
    day(text)
    return text


@dataclass(frozen=True)
class Field:
    """One parameter: how it is checked, whether it must be there (`required`) and may then be empty (`blank`)."""
    about: str
    check: Callable[[str], str] = _text
    required: bool = False
    blank: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class Call:
    """One public call: what it does, and its parameters by name."""
    about: str
    fields: Mapping[str, Field]


_KEY = {
    "key": Field("the ApiKey of the pairing", required=True, example="sandbox"),
    "password": Field("the ApiPassword of the pairing", required=True, example="sandbox"),
}
_TERMINAL = {"terminalId": Field("the number that the terminal's display shows", required=True)}
_COMMAND = Field("what to do", _choice(*COMMANDS), required=True, choices=COMMANDS, example="Sale")
_WAIT = {"wait": Field("seconds to wait for the answer (the sandbox's own)", _seconds)}
_RUN = {
    "command": _COMMAND, **_KEY,
    "amount": Field("with its decimal point; not for " + ", ".join(WITHOUT_AMOUNT), _amount, example="2.50"),
    "refID": Field("the POS's own number of the sale, which asked for again is run once; a follow-up ("
                   + ", ".join(FOLLOW_UPS) + ") has that of the first; empty: a new one"),
    **_TERMINAL,
}
_PAIR = {
    "resellerName": Field("who sells the POS", required=True, example="Sandbox"),
    "ReferenceID": Field("the merchant, in the reseller's books", required=True, example="merchant-1"),
    **_TERMINAL,
}
_MORE = "may be empty, but must be there"

CALLS: dict[str, Call] = {
    "runTransaction": Call("run a transaction on a terminal", {
        **_RUN,
        "token": Field("a card token in place of the card"), "expDate": Field("its expiry, MMyy"),
        "invoiceNumber": Field("the POS's invoice"),
        "paymenttype": Field("the kind of payment", _choice(*PAYMENT_TYPES), choices=PAYMENT_TYPES), **_WAIT}),
    "runTransaction2": Call("run a transaction, with four further fields", {
        **_RUN,
        "invoiceNumber": Field(_MORE, required=True, blank=True), "merchantId": Field(_MORE, required=True, blank=True),
        "token": Field(_MORE, required=True, blank=True), "expDate": Field(_MORE, required=True, blank=True),
        "paymenttype": Field("the kind of payment", _choice(*PAYMENT_TYPES), choices=PAYMENT_TYPES), **_WAIT}),
    "checkStatus": Call("ask what became of a transaction: every 5 s for 3 minutes, then every 30 s", {
        "command": Field("of the transaction", _choice(*COMMANDS), choices=COMMANDS), **_KEY,
        "refID": Field("of the transaction", required=True),
        "date": Field("its day in US Central time, MMddyyyy", _day),
        "terminalId": Field("where it ran")}),
    "closeBatch": Call("settle what the terminal has taken", {**_KEY, **_TERMINAL, **_WAIT}),
    "getUserInput": Call("have the customer type something on the terminal", {
        **_KEY, **_TERMINAL,
        "title": Field("what the display asks for", required=True, example="ZIP code"),
        "type": Field("c: a choice, n: digits, a: letters, an: both", _choice(*INPUT_TYPES), required=True,
                      choices=INPUT_TYPES, example="n"),
        "maxLength": Field("characters at most", _length, required=True, example="5"), **_WAIT}),
    "pairTerminal": Call("get the key and password for a terminal", _PAIR),
    "pairTerminalWithCountry": Call("the same, with the merchant's country", {
        **_PAIR, "Country": Field("where the merchant is", _choice(*COUNTRIES), required=True, choices=COUNTRIES,
                                  example="USA")}),
    "unPairTerminal": Call("end a pairing: its key and password no longer count for this terminal", {
        **_KEY, **_TERMINAL}),
}
ALIASES = {"checkstatus2": "checkStatus"}


def find(name: str) -> str | None:
    """The call of this name, in any case; None where there is none."""
    known = {call.lower(): call for call in CALLS} | ALIASES
    return known.get(name.lower())


def read(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of call `name`, checked, by the names of the table; those left out are absent. Raises CallError.

    What the table does not name is ignored, as the real cloud does.
    """
    lower = {key.lower(): value for key, value in given.items()}
    found = {}
    for key, field in CALLS[name].fields.items():
        value = _plain(key, lower.get(key.lower()))
        if value is None or (not value and not field.blank):
            if field.required:
                raise CallError(f"{name} needs {key}: {field.about}"
                                + (f"; one of {', '.join(field.choices)}" if field.choices else ""))
            continue
        try:
            found[key] = field.check(value) if value else ""
        except ValueError as mistake:
            raise CallError(f"{key} must be {mistake}") from None
    if "amount" not in CALLS[name].fields:
        return found
    if not found.get("refID") and found["command"] in FOLLOW_UPS:
        raise CallError(f"{name} needs refID for {found['command']}: that of the first transaction")
    if not found.get("amount") and found["command"] not in WITHOUT_AMOUNT:
        raise CallError(f"{name} needs amount for {found['command']}: a number with its decimal point, such as 2.50")
    return found


def _plain(key: str, value: Any) -> str | None:
    """A parameter as text; an amount of the JSON form gets the decimals that a query has."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CallError(f"{key} must be a text or a number")
    if key != "amount":
        return str(value)
    return f"{value}.00" if isinstance(value, int) else f"{value:.2f}" if round(value, 2) == value else str(value)
