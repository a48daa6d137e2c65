"""A sale through the cloud's public call, as a POS would make it."""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request


def sell(url: str, terminal: str, amount: str, ref: str | None, command: str, timeout: float) -> int:
    """Runs one transaction, prints the answer: 0 approved, 1 not approved, 2 bad request, 3 no cloud there."""
    query = {"command": command, "key": "sandbox", "password": "sandbox", "amount": amount, "terminalId": terminal}
    if ref:
        query["refID"] = ref
    address = url.rstrip("/") + "/services/api.asmx/runTransaction?" + urllib.parse.urlencode(query)
    try:
        with urllib.request.urlopen(address, timeout=timeout) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        print(error.read(4096).decode("utf-8", "replace").strip(), file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        print(f"{url} does not answer: {reason}. Is `econduit-sandbox cloud` running, and is this its HTTP port?",
              file=sys.stderr)
        return 3
    print(json.dumps(answer, indent=2))
    return 0 if answer.get("ResultCode") == "Approved" else 1
