"""JSON without the white space between its tokens. All else stays: order of keys, spelling of numbers, escapes."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS


def compacted(data: bytes) -> str:
    """Return sound JSON in its shortest form; half a character in it, and it is returned as it stands."""
    try:
        return msgspec.json.format(data, indent=-1).decode(errors="replace")
    except FAULTS:
        return data.decode(errors="replace")
