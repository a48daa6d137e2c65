"""Text without secrets, for people who ask for help. PURE.

- Card data is masked as everywhere (transactions/pan.py).
- The value of a name such as password, token or secret is left out.
- The arguments of a program (`application = exec:…`) are left out: that is where people put passwords.

Names, addresses and numbers of devices stay: they are what support works with.
"""
import re

from ..transactions.pan import mask

HIDDEN = "(hidden)"

_NAMED = re.compile(r"""(?ix) \b ( [\w-]{0,40} (?: passw(?:or)?d | passphrase | secret | token | api[_-]?key | psk ) )
                        ( ["']? \s{0,8} [=:] \s{0,8} ) ( "[^"\n]*" | '[^'\n]*' | [^\s,;&]+ )""")
_PROGRAM = re.compile(r"(exec:[^\S\n]*\S+)[^\S\n]+\S.*")


def redact(text: str) -> str:
    text = _PROGRAM.sub(rf"\1 {HIDDEN}", text)
    return mask(_NAMED.sub(rf"\1\2{HIDDEN}", text))
