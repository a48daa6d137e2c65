"""PURE: how the state is put to people, wherever it is shown."""


def named(name: str, text: str) -> str:
    """A problem with its name, which is said once only."""
    return text if text.startswith(name) else f"{name}: {text}"
