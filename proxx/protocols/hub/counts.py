"""What a token count can be, and by which service tier a reply was made: for every dialect's reading of usage."""

from collections.abc import Mapping

MOST = 2**40  # no call has a million million tokens: whatever is above is a fault of the other side

_COUNTS = ("tokens", "TokenCount")
# A tier that has prices of its own, by the word that says it; default, auto, standard and the like have none.
_TIERS = {"flex": "flex", "priority": "priority", "batch": "batch", "fast": "fast"}
_RAW_TIERS = {b'"' + word.encode() + b'"': tier for word, tier in _TIERS.items()}


def count(number: object) -> int | None:
    """Return a whole number that a token count can be; anything else is unknown, not believed."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 <= number < MOST else None


def doubtful(*objects: Mapping[str, object]) -> bool:
    """Tell whether tokens are counted in a number that no count can be: below zero, broken, absurdly large."""
    return any(
        isinstance(number, int | float) and name.endswith(_COUNTS) and count(number) is None
        for said in objects
        for name, number in said.items()
    )


def tier(word: object) -> str:
    """Return the service tier that a word names; empty for the usual one."""
    return _TIERS.get(word.lower(), "") if isinstance(word, str) else ""


def raw_tier(word: bytes) -> str:
    """Return the service tier that a JSON value names; empty for the usual one, and for what is no word."""
    return _RAW_TIERS.get(word, "")


def modality(details: object, kind: str) -> int | None:
    """Return what a list of counts by modality, as Gemini writes it, says of one of them."""
    if not isinstance(details, list):
        return None
    found = [one.get("tokenCount") for one in details if isinstance(one, dict) and one.get("modality") == kind]
    return count(found[0]) if found else None
