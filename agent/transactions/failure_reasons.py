"""PURE. What failure answers say where the application did not speak: for the people at the POS and their support."""

BUSY = "terminal busy with another transaction: this request was not carried out"
CROWDED = ("terminal busy with other transactions: this request was not carried out now, it is not known whether it "
           "was before; ask again in a moment, do not start a new one")
STOPPING = "terminal restarting: this request was not carried out, try again in a moment"
RESTARTING = ("terminal restarting: this request was not carried out now, it is not known whether it was before; ask "
              "again in a moment, do not start a new one")
NO_DISK = "terminal storage not answering: this request was not carried out"
NOT_LOOKED_UP = ("terminal storage not answering: this request was not carried out now, it is not known whether it was "
                 "before; ask again in a moment, do not start a new one")
BROKEN = ("terminal error, see the agent's log: it is not known whether the transaction took place; "
          "look at the payment application before trying again")
UNKNOWN = ("terminal interrupted during this transaction: it is not known whether it took place; "
           "look at the payment application before trying again")
INTERRUPTED = ("terminal interrupted during this transaction {when}: it is not known whether it took place; "
               "check it at the payment application before charging again")
NEVER_DELIVERED = ("this transaction was answered {when}, but nobody is known to have received the answer, and it is "
                   "no longer kept: check it at the payment application before charging again")
USED = "already used: {command}, then Void; a new sale needs a new RefID"
SCRUBBED = "this transaction was answered before, and the answer is no longer kept: look at the payment application"
SCRUBBED_CARD = ("this transaction was answered before; the answer held card data and was deleted when it was "
                 "delivered: look at the payment application")
