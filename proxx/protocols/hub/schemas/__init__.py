"""JSON Schemas for upstreams that take only a part of JSON Schema.

`cleaned`: Gemini's subset. `rooted`: a root that is an object. `closed`: Anthropic's form of answer schemas.
`qualifies_strict`: whether OpenAI's strict mode takes a schema as it stands. None of them changes its argument.
"""

from proxx.protocols.hub.schemas.clean import cleaned
from proxx.protocols.hub.schemas.close import closed
from proxx.protocols.hub.schemas.root import rooted
from proxx.protocols.hub.schemas.strict import qualifies_strict

__all__ = ["cleaned", "closed", "qualifies_strict", "rooted"]
