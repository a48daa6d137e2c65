"""What the payment application has taken since the last batch, and its answers that are not about money. PURE.

| command      | answer                                                                                               |
|--------------|------------------------------------------------------------------------------------------------------|
| CloseBatch   | count and sum of what was approved since the last one, credit and gift apart; they begin again       |
| GetUserInput | what a customer would have typed: the first digits or letters, `MaxLength` of them                   |
| Status       | the answer that this RefID got; `Unknown` where there is none                                        |
"""
import json
from collections import OrderedDict
from decimal import Decimal
from typing import Any

from econduit_terminal.sandbox.payment_app.outcomes import AMOUNT, Request

MAX_KEPT = 1000
CUSTOMER = {"n": "1234567890" * 10, "a": "CUSTOMER" * 13, "an": "A1B2C3D4E5" * 10, "c": "1"}
SUBTRACTED = ("refund", "void", "giftrefund")


class Batch:
    """The open batch and the last answers, at most `MAX_KEPT`."""

    def __init__(self) -> None:
        self._number = 0
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._open()

    def _open(self) -> None:
        self._number += 1
        self._taken = {side: (0, Decimal(0)) for side in ("Credit", "Gift")}

    def ran(self, request: Request, approved: bool, answer: bytes) -> None:
        """A request was run and is answered like this."""
        if request.ref:
            self._answers[request.ref] = answer
            self._answers.move_to_end(request.ref)
            if len(self._answers) > MAX_KEPT:
                self._answers.popitem(last=False)
        command = (request.command or "").lower()
        if not approved or command in ("auth", "giftbalance") or not request.fields:
            return
        if not AMOUNT.fullmatch(text := request.amount or "0"):
            return
        amount = Decimal(text)
        side = "Gift" if command.startswith("gift") else "Credit"
        count, total = self._taken[side]
        self._taken[side] = count + 1, total - amount if command in SUBTRACTED else total + amount

    def answer(self, request: Request) -> bytes | None:
        """The answer to a command of the table above; None for every other."""
        fields: dict[str, Any]
        match (request.command or "").lower():
            case "closebatch":
                fields = {"ResultCode": "Approved", "Message": "BATCH CLOSED"}
                for side, (count, total) in self._taken.items():
                    fields |= {f"ResultCode{side}": 1, f"Message{side}": "BATCH CLOSED",
                               f"BatchNum{side}": f"{self._number:03d}", f"TransCnt{side}": count,
                               f"Amt{side}": float(total)}
                self._open()
            case "getuserinput":
                longest = str(request.fields.get("maxlength", ""))[:4]
                typed = CUSTOMER.get(str(request.fields.get("type", "")).lower(), CUSTOMER["an"])
                fields = {"ResultCode": "Approved", "Message": "",
                          "UserInput": typed[:int(longest) if longest.isdecimal() else 10]}
            case "status":
                kept = self._answers.get(request.ref or "")
                if kept is not None:
                    return kept
                fields = {"ResultCode": "Unknown", "Message": "NO SUCH TRANSACTION"}
            case _:
                return None
        return json.dumps({"TransType": request.command, "RefID": request.ref or "", **fields},
                          separators=(",", ":")).encode()
