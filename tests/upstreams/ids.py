"""Names made up on the spot."""

import random
import string

_LETTERS = string.ascii_letters + string.digits
_random = random.Random()


def letters(count: int) -> str:
    """Return random letters and digits."""
    return "".join(_random.choices(_LETTERS, k=count))


def number(least: int, most: int) -> int:
    """Return a random whole number between the two, both included."""
    return _random.randint(least, most)
