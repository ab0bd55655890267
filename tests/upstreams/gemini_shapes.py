"""The messages of the Gemini API as its JSON parser knows them: what it does not know is a 400, before all else.

A shape is a scalar (string, bytes, int, number, bool), `struct` (any object), `any`, the name of a message, an enum as
a tuple of names, or one of these in a list (`[X]`) or a map (`{X}`). Names are camelCase; the parser also takes
snake_case, which a good client never writes: see World.only_camel_case.
"""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

Shape = str | tuple[str, ...]

SCHEMA_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
HARM = (
    "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_CIVIC_INTEGRITY",
)  # fmt: skip
MESSAGES: dict[str, dict[str, Shape]] = {
    "GenerateContentRequest": {
        "model": "string",
        "contents": "[Content]",
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "toolConfig": "ToolConfig",
        "generationConfig": "GenerationConfig",
        "safetySettings": "[SafetySetting]",
        "cachedContent": "string",
        "serviceTier": ("STANDARD", "FLEX", "PRIORITY"),
        "store": "bool",
        "labels": "struct",
        "continuationToken": "string",
    },
    "CountTokensRequest": {"contents": "[Content]", "generateContentRequest": "GenerateContentRequest"},
    "EmbedContentRequest": {
        "model": "string",
        "content": "Content",
        "taskType": (
            "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
            "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY",
        ),
        "title": "string",
        "outputDimensionality": "int",
    },
    "BatchEmbedContentsRequest": {"requests": "[EmbedContentRequest]"},
    "Content": {"role": "string", "parts": "[Part]"},
    "Part": {
        "text": "string",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "struct",
        "codeExecutionResult": "struct",
        "toolCall": "struct",
        "toolResponse": "struct",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "videoMetadata": "struct",
        "mediaResolution": "any",
        "partMetadata": "struct",
    },
    "Blob": {"mimeType": "string", "data": "bytes"},
    "FileData": {"mimeType": "string", "fileUri": "string"},
    "FunctionCall": {"id": "string", "name": "string", "args": "struct"},
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "struct",
        "parts": "[FunctionResponsePart]",
        "willContinue": "bool",
        "scheduling": ("SILENT", "WHEN_IDLE", "INTERRUPT"),
    },
    "FunctionResponsePart": {"inlineData": "Blob", "fileData": "FileData"},
    "Tool": {
        "functionDeclarations": "[FunctionDeclaration]",
        "googleSearch": "struct",
        "googleSearchRetrieval": "struct",
        "urlContext": "struct",
        "codeExecution": "struct",
        "googleMaps": "struct",
        "fileSearch": "struct",
        "computerUse": "struct",
        "mcpServers": "any",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
        "behavior": ("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"),
    },
    "Schema": {
        "type": SCHEMA_TYPES,
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "[string]",
        "items": "Schema",
        "minItems": "int",
        "maxItems": "int",
        "properties": "{Schema}",
        "required": "[string]",
        "minProperties": "int",
        "maxProperties": "int",
        "minimum": "number",
        "maximum": "number",
        "minLength": "int",
        "maxLength": "int",
        "pattern": "string",
        "example": "any",
        "anyOf": "[Schema]",
        "propertyOrdering": "[string]",
        "default": "any",
        "additionalProperties": "any",
        "ref": "string",
        "defs": "{Schema}",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "struct",
        "includeServerSideToolInvocations": "bool",
    },
    "FunctionCallingConfig": {
        "mode": ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
        "allowedFunctionNames": "[string]",
    },
    "GenerationConfig": {
        "temperature": "number",
        "topP": "number",
        "topK": "number",
        "candidateCount": "int",
        "maxOutputTokens": "int",
        "stopSequences": "[string]",
        "seed": "int",
        "presencePenalty": "number",
        "frequencyPenalty": "number",
        "responseLogprobs": "bool",
        "logprobs": "int",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "responseModalities": "[string]",
        "thinkingConfig": "ThinkingConfig",
        "mediaResolution": "string",
        "speechConfig": "struct",
        "imageConfig": "struct",
        "enableEnhancedCivicAnswers": "bool",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int",
        "thinkingLevel": ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
    },
    "SafetySetting": {
        "category": HARM,
        "threshold": (
            "HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH",
            "BLOCK_NONE", "OFF",
        ),
    },
}  # fmt: skip


@dataclass(slots=True)
class Parser:
    """Reads one request; `violations` are (field, description), `snake` the names that were not in camelCase."""

    violations: list[tuple[str, str]] = field(default_factory=list)
    snake: list[str] = field(default_factory=list)

    def read(self, value: Any, shape: Shape, where: str = "") -> Any:
        """Return the value with all names of messages in camelCase; note what cannot be read."""
        if isinstance(shape, tuple):
            return self._enum(value, shape, where)
        if shape.startswith("["):
            return self._list(value, shape[1:-1], where)
        if shape.startswith("{"):
            return self._map(value, shape[1:-1], where)
        if shape in MESSAGES:
            return self._message(value, shape, where)
        if not _is(value, shape):
            self._wrong(where, _TYPES[shape], value)
        return value

    def _message(self, value: Any, name: str, where: str) -> dict[str, Any]:
        if isinstance(value, list):
            self._not_repeating(where)
            return {}
        if not isinstance(value, dict):
            self._wrong(where, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{name}", value)
            return {}
        found: dict[str, Any] = {}
        for given, inner in value.items():
            known = given if given in MESSAGES[name] else _camel(given)
            if known not in MESSAGES[name]:
                text = f'Invalid JSON payload received. Unknown name "{given}"{at(where)}: Cannot find field.'
                self.violations.append((where, text))
                continue
            if known != given:
                self.snake.append(given)
            if inner is not None:
                place = f"{where}.{_snake(known)}" if where else _snake(known)
                found[known] = self.read(inner, MESSAGES[name][known], place)
        return found

    def _list(self, value: Any, shape: str, where: str) -> list[Any]:
        # The parser takes one message for a list of one.
        items = value if isinstance(value, list) else [value]
        return [self.read(item, shape, f"{where}[{index}]") for index, item in enumerate(items)]

    def _map(self, value: Any, shape: str, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(where, "Map", value)
            return {}
        return {
            name: self.read(inner, shape, f"{where}[{index}].value")
            for index, (name, inner) in enumerate(value.items())
        }

    def _enum(self, value: Any, names: tuple[str, ...], where: str) -> Any:
        if isinstance(value, list):
            self._not_repeating(where)
            return ""
        if not isinstance(value, str) or value.upper() not in names:
            self._wrong(where, "TYPE_ENUM", value)
            return ""
        return value.upper()

    def _not_repeating(self, where: str) -> None:
        name = where.rpartition(".")[2]
        text = f'Unknown name "{name}"{at(where)}: Proto field is not repeating, cannot start list.'
        self.violations.append((where, f"Invalid JSON payload received. {text}"))

    def _wrong(self, where: str, kind: str, value: Any) -> None:
        shown = f'"{value}"' if isinstance(value, str) else value
        text = f"Base64 decoding failed for {shown}" if kind == "TYPE_BYTES" else f"{shown}"
        self.violations.append((where, f"Invalid value at '{where}' ({kind}), {text}"))


def at(where: str) -> str:
    """Return the place as the parser's texts name it."""
    return f" at '{where}'" if where else ""


def unsealed(data: str) -> bytes | None:
    """Return the bytes of base64 in either alphabet, or None."""
    try:
        return base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return None


def _is(value: Any, shape: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape:
        case "string":
            return isinstance(value, str)
        case "bytes":
            return isinstance(value, str) and unsealed(value) is not None
        case "bool":
            return isinstance(value, bool)
        case "int":
            return (number and value == int(value)) or (isinstance(value, str) and value.lstrip("-").isdigit())
        case "number":
            return number
        case "struct":
            return isinstance(value, dict)
        case "any":
            return True
    raise ValueError(f"No shape is called {shape}.")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


_TYPES = {
    "string": "TYPE_STRING",
    "bytes": "TYPE_BYTES",
    "int": "TYPE_INT32",
    "number": "TYPE_FLOAT",
    "bool": "TYPE_BOOL",
    "struct": "type.googleapis.com/google.protobuf.Struct",
}
