"""What an operator copies out of a browser that could not come back by itself: an address, or a part of one. Pure.

Read are a whole address, `code#state`, a query with `code=`, and a bare code. Only what stands in it is taken; where
the address leads is never asked.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

LONGEST = 8192  # characters
LONGEST_CODE = 4096
MOST_FIELDS = 50
CODE = re.compile(r"[\x21-\x7e]+")


class Unreadable(ValueError):
    """There is no code in it; the text is a sentence for whoever pasted it."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was found. `error` is the provider's own, in place of a code; `state` may be absent."""

    code: str = ""
    state: str = ""
    error: str = ""
    about: str = ""

    def __repr__(self) -> str:
        return "Pasted(...)"


def read(text: str) -> Pasted:
    """Read what was pasted; raise `Unreadable`."""
    text = text.strip()
    if not text:
        raise Unreadable("Paste the address that the browser shows after the sign-in.")
    if len(text) > LONGEST:
        raise Unreadable("This is too long to be the address of a sign-in.")
    if "code=" in text or "error=" in text or "://" in text:
        return _of_query(text)
    code, _, state = text.partition("#")
    return Pasted(_checked(code), state.strip())


def of_parameters(said: dict[str, str]) -> Pasted:
    """Read the parameters of a callback; raise `Unreadable`."""
    error, state = said.get("error", ""), said.get("state", "")[:LONGEST_CODE]
    if error:
        return Pasted(state=state, error=error[:100], about=said.get("error_description", "")[:300])
    return Pasted(_checked(said.get("code", "")), state)


def _of_query(text: str) -> Pasted:
    _, asks, query = text.partition("?")
    if not asks:
        _, _, query = text.partition("#")
    if "=" not in query:
        query = text
    try:
        said = {name: values[0] for name, values in parse_qs(query, max_num_fields=MOST_FIELDS).items()}
    except ValueError:
        raise Unreadable("This is no address.") from None
    code, _, beside = said.get("code", "").partition("#")  # some pages show both in one
    state = said.get("state", beside).partition("#")[0]
    return of_parameters({**said, "code": code, "state": state})


def _checked(code: str) -> str:
    code = code.strip()
    if not code:
        raise Unreadable("There is no code in it: copy the whole address, from http to its end.")
    if len(code) > LONGEST_CODE or not CODE.fullmatch(code):
        raise Unreadable("This is not a code that a provider gives.")
    return code
