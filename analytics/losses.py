"""What was given up, in words: records of calls, kept prompts and answers. The reasons are those of `RecordLoss`."""

from typing import Final

OF_BODIES: Final = "bodies: "
REASONS: Final = {
    "journal full": "the database was away until the journal reached PROXY_JOURNAL_LIMIT",
    "disk full": "neither the disk nor memory would take them",
    "refused": "the database refused what they say",
    "bodies: memory full": "there was no room for them in PROXY_BODIES_MEMORY",
    "bodies: store full": "the oldest went early, because all together had reached PROXY_BODIES_LIMIT",
    "bodies: refused": "they could not be stored",
}


def sentence(reason: str, count: int) -> str:
    """Say for the first page what was lost within a day, and why."""
    what = "Prompts and answers of {:,} calls" if reason.startswith(OF_BODIES) else "{:,} records"
    return f"{what.format(count)} were lost in the last 24 hours: {REASONS.get(reason, reason)}."


def title(reason: str, count: int) -> str:
    """Say in a line what was given up."""
    if reason.startswith(OF_BODIES):
        return f"Prompts and answers of {count} calls were given up: {reason.removeprefix(OF_BODIES)}"
    return f"{count} records of calls were given up: {reason}"


def harm(reason: str) -> str:
    """Say what that means."""
    if reason.startswith(OF_BODIES):
        return "They were asked for, and are not or not wholly kept; the records of these calls are."
    return "Neither the database nor the disk would take them; sums and budgets lack these calls."
