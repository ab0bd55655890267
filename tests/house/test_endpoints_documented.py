"""docs/endpoints.md names every path that the doors serve."""

import re

from proxx.api.app import api
from tests.house import files


def test_every_path_is_documented():
    text = files.text("docs/endpoints.md")
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    bases = {re.sub(r"\{[^}]*\}.*", "", path) for path in paths}
    missing = [path for path in bases if path not in text]
    assert missing == []
