"""Gemini's generateContent, as the stand-in provider speaks it: from and to the shapes of `provider.py`."""

import json

FINISHES = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS"}


def heard(body: dict) -> dict:
    """A request as messages of a chat."""
    messages = []
    for content in body.get("contents") or []:
        parts = content.get("parts") or []
        text = "\n".join(part["text"] for part in parts if part.get("text"))
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if calls:
            messages.append({"role": "assistant", "content": text, "tool_calls": calls})
        elif content.get("role") == "model":
            messages.append({"role": "assistant", "content": text})
        elif results:
            messages += [{"role": "tool", "content": json.dumps(result.get("response"))} for result in results]
        else:
            messages.append({"role": "user", "content": text})
    system = (body.get("systemInstruction") or {}).get("parts") or []
    said = "\n".join(part.get("text", "") for part in system)
    return {"messages": messages, "system": said, "tools": body.get("tools")}


def usage(served) -> dict:
    """Gemini counts thoughts beside the answer, and cached tokens as a part of the prompt."""
    return {
        "promptTokenCount": served.input,
        "candidatesTokenCount": served.output - served.reasoning,
        "thoughtsTokenCount": served.reasoning,
        "cachedContentTokenCount": served.cached,
        "totalTokenCount": served.input + served.output,
    }


def frame(served, model: str, parts: list[dict], finish: str | None) -> dict:
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}} | ({"finishReason": finish} if finish else {})
    return {"candidates": [candidate], "modelVersion": model, "responseId": f"gen_{served.mark('id')}"}


def whole(served, model: str) -> dict:
    """An answer in one piece."""
    parts = []
    if served.line.thinks:
        parts.append({"text": served.line.thinks, "thought": True})
    if served.line.says:
        parts.append({"text": served.line.says})
    for _, name, arguments in served.calls:
        parts.append({"functionCall": {"name": name, "args": json.loads(arguments)}})
    return frame(served, model, parts, FINISHES[served.finish()]) | {"usageMetadata": usage(served)}


def stream(served, model: str):
    """Chunks, each with how many tokens it took; the last has the counts."""
    answer = whole(served, model)
    *first, last = answer["candidates"][0]["content"]["parts"]
    for part in first:
        yield frame(served, model, [part], None), 8
    yield frame(served, model, [last], FINISHES[served.finish()]) | {"usageMetadata": usage(served)}, 8
