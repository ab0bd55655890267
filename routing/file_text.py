"""The text of a small file that an operator wrote; what it says is keys_file.py, models_file.py and policy_file.py."""

import os
from pathlib import Path

from routing.keys_file import FileFault

FILE_LIMIT = 5 * 1024 * 1024


def read_file(path: str) -> str:
    """Return a file's text, empty if there is no file; the name of a fault never holds what was read."""
    file = Path(path)
    try:
        if not file.exists() or file.is_dir() or path == os.devnull:
            return ""
        if not file.is_file():  # a pipe may never end
            raise FileFault(f"{file.name} is no regular file.")
        with file.open("rb") as stream:
            data = stream.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise FileFault(f"{file.name} is larger than {FILE_LIMIT // 1024 // 1024} MiB.")
        return data.decode().strip()
    except OSError:
        raise FileFault(f"{file.name} cannot be read.") from None
    except UnicodeDecodeError:
        raise FileFault(f"{file.name} is not UTF-8 text.") from None
