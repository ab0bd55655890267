"""How OpenAI words the 400 of its newer endpoints: one function per kind of mistake, each returning a Refused."""

from collections.abc import Sequence
from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.refusals import invalid

_TYPES = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
}


def refused(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """Return the 400 with this text."""
    return Refused(invalid(message, param=param, code=code))


def unknown(param: str) -> Refused:
    """Return the 400 for a member that does not exist."""
    return refused(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def moved(param: str, place: str) -> Refused:
    """Return the 400 for a member of Chat Completions that lives elsewhere in Responses."""
    text = f"Unsupported parameter: '{param}'. In the Responses API, this parameter has moved to '{place}'."
    return refused(f"{text} Try again with the new parameter.", None, "unsupported_parameter")


def unsupported(param: str) -> Refused:
    """Return the 400 for a member that this model does not take."""
    return refused(
        f"Unsupported parameter: '{param}' is not supported with this model.", param, "unsupported_parameter"
    )


def unsupported_value(param: str, value: Any, model: str, allowed: Sequence[str]) -> Refused:
    """Return the 400 for a value that this model does not take."""
    text = f"Unsupported value: '{value}' is not supported with the '{model}' model."
    return refused(f"{text} Supported values are: {listed(allowed)}.", param, "unsupported_value")


def missing(param: str) -> Refused:
    """Return the 400 for a member that must be there."""
    return refused(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, wanted: str, value: Any) -> Refused:
    """Return the 400 for a value of the wrong JSON type."""
    text = f"Invalid type for '{param}': expected {wanted}, but got {json_type(value)} instead."
    return refused(text, param, "invalid_type")


def wrong_value(param: str, value: Any, allowed: Sequence[str]) -> Refused:
    """Return the 400 for a value that is none of those allowed."""
    return refused(f"Invalid value: '{value}'. Supported values are: {listed(allowed)}.", param, "invalid_value")


def too_long(param: str, most: int, length: int) -> Refused:
    """Return the 400 for a text above its length."""
    text = f"Invalid '{param}': string too long. Expected a string with maximum length {most}, "
    return refused(f"{text}but got a string with length {length} instead.", param, "string_above_max_length")


def empty_string(param: str) -> Refused:
    """Return the 400 for an empty text."""
    text = f"Invalid '{param}': empty string. Expected a string with minimum length 1, but got an empty string instead."
    return refused(text, param, "empty_string")


def empty_array(param: str) -> Refused:
    """Return the 400 for an empty list."""
    text = f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return refused(text, param, "empty_array")


def pattern(param: str, wanted: str) -> Refused:
    """Return the 400 for a text that does not match."""
    text = f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{wanted}'."
    return refused(text, param, "invalid_value")


def outside(param: str, value: float, *, least: float | None = None, most: float | None = None) -> Refused:
    """Return the 400 for a number below `least` or above `most`; only one of them is given."""
    kind = "integer" if isinstance(value, int) else "decimal"
    way, sign, bound, code = ("below minimum", ">=", least, "below_min") if most is None else _above(most)
    text = f"Invalid '{param}': {kind} {way} value. Expected a value {sign} {bound}, but got {value} instead."
    return refused(text, param, f"{kind}_{code}_value")


def _above(most: float) -> tuple[str, str, float, str]:
    return "above maximum", "<=", most, "above_max"


def listed(names: Sequence[str]) -> str:
    """Join names as OpenAI does: 'a', 'b', and 'c'."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def json_type(value: Any) -> str:
    """Name a JSON type with its article."""
    return _TYPES.get(type(value), "an object")


def text(value: Any, param: str, *, most: int = 0) -> str:
    """Return a non-empty text, or raise the 400 for what it is instead."""
    if not isinstance(value, str):
        raise wrong_type(param, "a string", value)
    if not value:
        raise empty_string(param)
    if most and len(value) > most:
        raise too_long(param, most, len(value))
    return value


def only(data: dict[str, Any], allowed: Sequence[str] | frozenset[str], where: str) -> None:
    """Raise the 400 for the first member that is none of those allowed; `where` ends in a dot or is empty."""
    for name in data:
        if name not in allowed:
            raise unknown(f"{where}{name}")
