"""PURE: moments as our programs write them down."""
from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """In UTC with milliseconds: `2026-11-23T07:50:24.123Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
