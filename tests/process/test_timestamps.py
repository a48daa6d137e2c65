from datetime import UTC, datetime, timedelta, timezone

import pytest

from econduit_terminal.process.timestamps import rfc3339


@pytest.mark.parametrize("moment, text", [
    (datetime(2026, 11, 23, 7, 50, 24, 123999, UTC), "2026-11-23T07:50:24.123Z"),
    (datetime(2026, 11, 23, 1, 20, tzinfo=timezone(timedelta(hours=-7))), "2026-11-23T08:20:00.000Z"),
])
def test_in_utc_to_the_millisecond(moment, text):
    assert rfc3339(moment) == text
