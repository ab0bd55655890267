"""A Gemini client (streams by SSE, as the official ones do)."""

import json
from typing import Any

from tests.clients.talk import Call, Heard, Raw, Results, Said, Talk, User

NAME = "gemini"
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tools": "STOP", "filter": "SAFETY"}
_BUDGET = {"none": 0, "low": 1024, "medium": 8192, "high": 24576}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def path(talk: Talk) -> str:
    verb = "streamGenerateContent?alt=sse" if talk.stream else "generateContent"
    return f"/v1beta/models/{talk.model}:{verb}"


def body(talk: Talk) -> dict[str, Any]:
    sent: dict[str, Any] = {"contents": [_content(turn) for turn in talk.turns]}
    if talk.system:
        sent["systemInstruction"] = {"parts": [{"text": talk.system}]}
    if talk.tools:
        tools = [{"name": t.name, "description": t.description, "parametersJsonSchema": t.schema} for t in talk.tools]
        sent["tools"] = [{"functionDeclarations": tools}]
    if talk.choice:
        calling: dict[str, Any] = {"mode": _MODES.get(talk.choice, "ANY")}
        if talk.choice not in _MODES:
            calling["allowedFunctionNames"] = [talk.choice]
        sent["toolConfig"] = {"functionCallingConfig": calling}
    plain: dict[str, Any] = {"maxOutputTokens": talk.limit, "stopSequences": list(talk.stop)}
    plain |= {"temperature": talk.temperature, "candidateCount": talk.n if talk.n > 1 else None}
    if talk.effort:
        plain["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": _BUDGET[talk.effort]}
    if talk.schema is not None:
        plain |= {"responseMimeType": "application/json", "responseJsonSchema": talk.schema}
    elif talk.json:
        plain["responseMimeType"] = "application/json"
    sent["generationConfig"] = {name: value for name, value in plain.items() if value not in ([], None)}
    if talk.num_ctx is not None:
        sent["num_ctx"] = talk.num_ctx
    return sent


def _content(turn: User | Said | Results | Raw) -> dict[str, Any]:
    match turn:
        case Raw():
            return {"role": "model", "parts": list(turn.items)}
        case Said():
            parts: list[dict[str, Any]] = [{"text": turn.text}] if turn.text else []
            parts += [{"functionCall": {"name": name, "args": arguments}} for _, name, arguments in turn.calls]
            return {"role": "model", "parts": parts}
        case Results():
            answers = [{"name": name, "response": {"output": text}} for _, name, text in turn.results]
            return {"role": "user", "parts": [{"functionResponse": answer} for answer in answers]}
    parts = [{"text": turn.text}]
    parts += [{"inlineData": {"mimeType": "image/png", "data": image}} for image in turn.images]
    parts += [{"fileData": {"mimeType": "image/png", "fileUri": url}} for url in turn.image_urls]
    parts += [{"inlineData": {"mimeType": "application/pdf", "data": data}} for data in turn.documents]
    return {"role": "user", "parts": parts}


def whole(answer: bytes) -> Heard:
    return _heard([json.loads(answer)])


def stream(answer: bytes) -> Heard:
    """Read as google-genai for Python does: nothing but `data: ` + JSON + blank line."""
    found = []
    for frame in answer.decode().replace("\r\n", "\n").split("\n\n"):
        if line := frame.strip():
            assert line.startswith("data: "), f"no Gemini event: {frame!r}"
            found.append(json.loads(line[6:]))
    for event in found[:-1]:
        assert "error" not in event, "an error is the last word"
    if found and "error" in found[-1]:
        return Heard(error=found[-1]["error"])
    return _heard(found)


def _heard(objects: list[dict[str, Any]]) -> Heard:
    heard, texts, parts = Heard(), {}, []
    for event in objects:
        assert event["modelVersion"]
        assert event["responseId"]
        heard.model = event["modelVersion"]
        assert not heard.finish, "the finish reason stands in the last object"
        block = (event.get("promptFeedback") or {}).get("blockReason")
        heard.finish = heard.finish or (block or "")
        for candidate in event.get("candidates") or ():
            index = candidate.get("index", 0)
            content = (candidate.get("content") or {}).get("parts") or []
            shown = [part["text"] for part in content if "text" in part and not part.get("thought")]
            texts[index] = texts.get(index, "") + "".join(shown)
            if index == 0:
                parts += content
            if candidate.get("finishReason") and index == len(texts) - 1:
                heard.finish = candidate["finishReason"]
            chunks = (candidate.get("groundingMetadata") or {}).get("groundingChunks") or ()
            heard.citations += [chunk["web"]["uri"] for chunk in chunks]
        if "usageMetadata" in event:
            heard.usage = _usage(event["usageMetadata"])
    heard.texts = [texts[index] for index in sorted(texts)] or [""]
    heard.thought = "".join(part["text"] for part in parts if part.get("thought") and "text" in part)
    made = [part["functionCall"] for part in parts if "functionCall" in part]
    heard.calls = [Call(call.get("id", ""), call["name"], call.get("args", {})) for call in made]
    heard.history, heard.ended = tuple(parts), bool(heard.finish)
    return heard


def _usage(read: dict[str, Any]) -> dict[str, int]:
    prompt, thoughts = read.get("promptTokenCount", 0), read.get("thoughtsTokenCount", 0)
    tool = read.get("toolUsePromptTokenCount", 0)
    output = read.get("candidatesTokenCount", 0) + thoughts
    assert read["totalTokenCount"] == prompt + output + tool
    cached = read.get("cachedContentTokenCount", 0)
    return {"input": prompt + tool, "output": output, "cached": cached, "reasoning": thoughts}


def error(answer: bytes) -> str:
    read = json.loads(answer)
    assert read["error"]["message"]
    assert isinstance(read["error"]["code"], int)
    return str(read["error"]["status"])
