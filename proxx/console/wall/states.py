"""How an account stands, in one word of a closed list: what it says, its colour, and how much it wants attention."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class State:
    """One word: what people read, the badge's colour, and whether somebody should look."""

    name: str
    label: str
    mark: str  # of the style sheet: ok, refused, error, cancelled or nothing
    needs_look: bool = False


# What wants attention first stands first: the page is in this order.
STATES: Final = {
    one.name: one
    for one in (
        State("sign_in_again", "Sign in again", "error", needs_look=True),
        State("expired", "Expired", "error", needs_look=True),
        State("failing", "Failing", "error", needs_look=True),
        State("exhausted", "Used up", "refused", needs_look=True),
        State("resting", "Resting", "refused", needs_look=True),
        State("partly", "Some models blocked", "cancelled", needs_look=True),
        State("low", "Nearly used up", "cancelled"),
        State("working", "Working", "ok"),
        State("off", "Off", ""),
    )
}
PLACES: Final = {name: place for place, name in enumerate(STATES)}
