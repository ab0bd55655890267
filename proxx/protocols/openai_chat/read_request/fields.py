"""The members of one object of a client's body, each asked for by its type; a wrong one is told by its path."""

from typing import Any, NoReturn

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.errors import Unreadable

LARGEST = 2**63 - 1  # what every decoder takes as a whole number


class Fields:
    """One JSON object and where it stands. `null` reads as absent everywhere."""

    __slots__ = ("path", "raw")

    def __init__(self, raw: dict[str, Any], path: str = "") -> None:
        self.raw, self.path = raw, path

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def at(self, name: str) -> str:
        """Return the path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def text(self, name: str) -> str:
        """Return a text; empty if absent."""
        value = self.raw.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else self.wrong(name, "a string")

    def required(self, name: str) -> str:
        """Return a text that must be there."""
        return self.missing(name) if self.raw.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool | None:
        """Return true, false, or None if absent."""
        value = self.raw.get(name)
        return value if value is None or isinstance(value, bool) else self.wrong(name, "a boolean")

    def number(self, name: str) -> float | None:
        """Return a number, or None if absent."""
        value = self.raw.get(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        return self.wrong(name, "a number")

    def whole(self, name: str, *, least: int | None = None) -> int | None:
        """Return a whole number not below `least`, or None if absent."""
        value = self.number(name)
        if value is None:
            return None
        if not -LARGEST <= value <= LARGEST or value != int(value):
            return self.wrong(name, "an integer")
        if least is not None and value < least:
            raise Unreadable(
                f"Invalid '{self.at(name)}': it must be at least {least}.", code="invalid_value", param=self.at(name)
            )
        return int(value)

    def object(self, name: str) -> "Fields | None":
        """Return an object, or None if absent."""
        value = self.raw.get(name)
        if value is None:
            return None
        return Fields(value, self.at(name)) if isinstance(value, dict) else self.wrong(name, "an object")

    def plain(self, name: str) -> dict[str, Any] | None:
        """Return an object as it is, or None if absent."""
        found = self.object(name)
        return None if found is None else found.raw

    def objects(self, name: str) -> "list[Fields]":
        """Return a list of objects; empty if absent."""
        found = []
        for place, value in enumerate(self.list(name)):
            where = f"{name}[{place}]"
            found.append(Fields(value, self.at(where)) if isinstance(value, dict) else self.wrong(where, "an object"))
        return found

    def list(self, name: str) -> list[Any]:
        """Return a list; empty if absent."""
        value = self.raw.get(name)
        if value is None:
            return []
        return value if isinstance(value, list) else self.wrong(name, "an array")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return one text or a list of texts as texts."""
        value = self.raw.get(name)
        if isinstance(value, str):
            return (value,)
        for place, one in enumerate(self.list(name)):
            if not isinstance(one, str):
                return self.wrong(f"{name}[{place}]", "a string")
        return tuple(self.list(name))

    def json_text(self, name: str) -> str:
        """Return a text, or what clients sent in its place as the text of its JSON."""
        value = self.raw.get(name)
        if value is None or isinstance(value, str):
            return value or ""
        return encoded(value).decode()

    def missing(self, name: str) -> NoReturn:
        """Refuse that a member is not there."""
        where = self.at(name)
        raise Unreadable(f"Missing required parameter: '{where}'.", code="missing_required_parameter", param=where)

    def wrong(self, name: str, wanted: str) -> NoReturn:
        """Refuse a member's type."""
        where = self.at(name)
        raise Unreadable(f"Invalid type for '{where}': expected {wanted}.", code="invalid_type", param=where)

    def unknown(self, name: str, kinds: str) -> NoReturn:
        """Refuse a member's value; `kinds` says which there are."""
        where = self.at(name)
        raise Unreadable(f"Invalid value for '{where}': supported are {kinds}.", code="invalid_value", param=where)
