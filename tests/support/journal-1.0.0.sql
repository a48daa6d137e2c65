-- The journal's file as release 1.0.0 made it: its tables, word for word, and its version.
CREATE TABLE transactions (
    id              INTEGER PRIMARY KEY,    -- microseconds since 1970 at first, always rising
    state           TEXT NOT NULL
                    CHECK (state IN ('handed', 'answered', 'unknown', 'delivered', 'expired', 'scrubbed')),
    digest          BLOB,                   -- SHA-256 of the request; NULL without a RefID: it has no duplicates
    ref_id          TEXT,                   -- for people: printable, shortened, card numbers masked
    command         TEXT,                   -- likewise
    request_size    INTEGER NOT NULL,       -- bytes
    received        REAL NOT NULL,          -- wall clock, for people
    at_wall         REAL NOT NULL,          -- the moment of the hand-over, then of the answer: see ages.py
    at_boot         TEXT NOT NULL,
    at_up           REAL NOT NULL,
    took            REAL,                   -- seconds from the hand-over to the answer
    outcome         TEXT CHECK (outcome IN ('answer', 'failure', 'not_run')),
    reason          TEXT,                   -- of a failure, for people
    answer          BLOB,                   -- NULL before it is in and after it is scrubbed
    answer_size     INTEGER,                -- bytes
    card            INTEGER NOT NULL DEFAULT 0,     -- the answer looks like card data
    delivered       REAL,                   -- wall clock, for people
    CHECK (answer IS NULL OR state IN ('answered', 'delivered', 'expired'))
);
CREATE INDEX by_digest ON transactions (digest) WHERE digest IS NOT NULL;
CREATE INDEX unsettled ON transactions (state) WHERE state IN ('handed', 'answered');
CREATE INDEX kept ON transactions (id) WHERE answer IS NOT NULL;
PRAGMA user_version = 1;
