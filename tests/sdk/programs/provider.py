"""A stand-in for model providers: it answers from a script, at the pace of a real one, and notes what it served.

OpenAI's chat completions, responses and embeddings, Anthropic's messages, and Gemini's generateContent (`gemini.py`),
streamed or whole, on loopback. The first
part of a path names the run: `http://127.0.0.1:PORT/<run>/v1/chat/completions`. What stands in `scenes.py` decides an
answer; equal requests in equal order get equal answers, ids and token counts. Each call becomes one line of ground truth.

Run alone, it serves until it is stopped: `python provider.py [PORT]`. `STAND_IN_PACE` slows it down or hurries it up.
"""

import base64
import hashlib
import json
import math
import os
import re
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import gemini
from scenes import LINES, Line

DIMENSIONS = 24
FIRST_TOKEN_SECONDS = 0.4
REASONING_TOKENS_A_SECOND = 400
TOKENS_A_SECOND = 60

DATED = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
}


def tokens(text: str) -> int:
    """About what a tokenizer would count: four characters a token."""
    return math.ceil(len(text) / 4)


def pieces(text: str) -> list[str]:
    """A text as the parts in which it streams."""
    return re.findall(r"\s*\S{1,9}", text) or [text]


def flat(content: object) -> str:
    """The text of a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(flat, content)))
    if isinstance(content, dict):
        for key in ("text", "content", "output", "arguments", "input", "thinking"):
            if content.get(key):
                value = content[key]
                return value if isinstance(value, str) else flat(value) or json.dumps(value)
    return ""


class Heard:
    """What of a request decides its answer: its words, and how many rounds of tools went before."""

    def __init__(self, api: str, body: dict) -> None:
        items = body.get("messages") or body.get("input") or []
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        self.system = flat(body.get("system") or body.get("instructions") or "")
        self.user, self.rounds, self.prompt = "", 0, 0
        self.results = []
        after_call = False
        for item in items:
            role, kind = item.get("role"), item.get("type")
            parts = item.get("content") if isinstance(item.get("content"), list) else []
            kinds = {part.get("type") for part in parts if isinstance(part, dict)}
            calls = item.get("tool_calls") or "tool_use" in kinds or kind in ("function_call", "custom_tool_call")
            results = role == "tool" or "tool_result" in kinds or (kind or "").endswith("_call_output")
            if role in ("system", "developer"):
                self.system += "\n" + flat(item.get("content"))
            elif role == "user" and not results:
                self.user, self.rounds = flat(item.get("content")), 0
            elif calls and not after_call:
                self.rounds += 1
            after_call = bool(calls)
            if results:
                self.results.append(flat(item))
            self.prompt += 4 + tokens(flat(item) + json.dumps(item.get("tool_calls") or ""))
        self.prompt += tokens(flat(body.get("system") or body.get("instructions") or ""))
        self.prompt += tokens(json.dumps(body.get("tools") or "")) // 2
        self.api = api

    def line(self) -> Line | None:
        """The first line of the script that is meant."""
        words = f"{self.system}\n{self.user}".lower()
        for line in LINES:
            if line.round == self.rounds and all(word.lower() in words for word in line.hears):
                return line
        return None


class Served:
    """One answer, with the tokens that it costs."""

    def __init__(self, line: Line, heard: Heard, seed: str) -> None:
        self.line = line
        self.seed = seed
        self.calls = [
            (f"call_{self.mark(f'call{index}')}", name, arguments if isinstance(arguments, str) else json.dumps(arguments))
            for index, (name, arguments) in enumerate(line.calls)
        ]
        self.input = heard.prompt + line.pinned
        self.reasoning = line.reasoning
        self.cached = line.cached
        self.cache_write = line.cache_write
        self.input += self.cached + self.cache_write
        written = tokens(line.says) + sum(8 + tokens(arguments) for _, _, arguments in self.calls)
        self.output = written + self.reasoning

    def mark(self, of: str) -> str:
        """A name that is the same in every recording."""
        return hashlib.sha256(f"{self.seed}/{of}".encode()).hexdigest()[:24]

    def usage(self) -> dict:
        """As the ground truth states it: cached and written tokens are parts of the input."""
        return {
            "input": self.input,
            "output": self.output,
            "cached": self.cached,
            "cache_write": self.cache_write,
            "reasoning": self.reasoning,
        }

    def finish(self) -> str:
        return self.line.stop or ("tool_calls" if self.calls else "stop")


# ---- OpenAI: chat completions --------------------------------------------------------------------------------------


def chat_usage(served: Served) -> dict:
    return {
        "prompt_tokens": served.input,
        "completion_tokens": served.output,
        "total_tokens": served.input + served.output,
        "prompt_tokens_details": {"cached_tokens": served.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": served.reasoning, "audio_tokens": 0},
    }


def chat_frame(served: Served, kind: str, model: str) -> dict:
    frame = {"id": f"chatcmpl-{served.mark('id')}", "object": kind, "created": 1795200000, "model": model}
    return frame | {"service_tier": "default", "system_fingerprint": "fp_stand_in"}


def chat_whole(served: Served, model: str) -> dict:
    message: dict = {"role": "assistant", "content": served.line.says or None, "refusal": None}
    if served.line.stop == "refusal":
        message["refusal"], message["content"] = served.line.says, None
    if served.calls:
        message["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in served.calls
        ]
    finish = "stop" if served.line.stop == "refusal" else served.finish()
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return chat_frame(served, "chat.completion", model) | {"choices": [choice], "usage": chat_usage(served)}


def chat_stream(served: Served, model: str, body: dict):
    """Chunks, each with how many tokens it took."""
    frame = chat_frame(served, "chat.completion.chunk", model)

    def chunk(delta: dict, finish: str | None = None) -> dict:
        return frame | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": "", "refusal": None}), 0
    for piece in pieces(served.line.says) if served.line.says else []:
        yield chunk({"content": piece}), 1
    for index, (id, name, arguments) in enumerate(served.calls):
        call = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield chunk({"tool_calls": [call]}), 2
        for piece in pieces(arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), 1
    yield chunk({}, served.finish()), 0
    if (body.get("stream_options") or {}).get("include_usage"):
        yield frame | {"choices": [], "usage": chat_usage(served)}, 0


# ---- OpenAI: responses ---------------------------------------------------------------------------------------------


def output_items(served: Served) -> list[dict]:
    items: list[dict] = []
    if served.line.thinks:
        summary = [{"type": "summary_text", "text": served.line.thinks}]
        items.append({"type": "reasoning", "id": f"rs_{served.mark('reasoning')}", "summary": summary})
    if served.line.says:
        kind = "refusal" if served.line.stop == "refusal" else "output_text"
        part = {"type": kind, "annotations": [], "logprobs": [], "text": served.line.says}
        if kind == "refusal":
            part = {"type": kind, "refusal": served.line.says}
        item = {"type": "message", "id": f"msg_{served.mark('message')}", "role": "assistant", "status": "completed"}
        items.append(item | {"content": [part]})
    for id, name, arguments in served.calls:
        custom = not arguments.startswith("{")
        item = {"type": "custom_tool_call" if custom else "function_call", "id": f"{'ctc' if custom else 'fc'}_{id[5:]}"}
        item |= {"call_id": id, "name": name, "input" if custom else "arguments": arguments}
        items.append(item | {"status": "completed"})
    return items


def response_whole(served: Served, model: str, body: dict, status: str = "completed") -> dict:
    is_cut = served.line.stop == "length"
    done = status == "completed"
    return {
        "id": f"resp_{served.mark('id')}",
        "object": "response",
        "created_at": 1795200000,
        "status": "incomplete" if done and is_cut else status,
        "incomplete_details": {"reason": "max_output_tokens"} if done and is_cut else None,
        "error": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model,
        "output": output_items(served) if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "store": True,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": body.get("metadata") or {},
        "prompt_cache_diagnostics": None,
        "usage": {
            "input_tokens": served.input,
            "input_tokens_details": {"cached_tokens": served.cached, "cache_write_tokens": served.cache_write},
            "output_tokens": served.output,
            "output_tokens_details": {"reasoning_tokens": served.reasoning},
            "total_tokens": served.input + served.output,
        }
        if done
        else None,
    }


def response_stream(served: Served, model: str, body: dict):
    started = response_whole(served, model, body, "in_progress")
    yield {"type": "response.created", "response": started}, 0
    yield {"type": "response.in_progress", "response": started}, 0
    for index, item in enumerate(output_items(served)):
        at = {"output_index": index, "item_id": item["id"]}
        empty = item | {"status": "in_progress"}
        if item["type"] in ("function_call", "custom_tool_call"):
            key = "arguments" if item["type"] == "function_call" else "input"
            name = f"response.{item['type']}_{key}"
            yield {"type": "response.output_item.added", "output_index": index, "item": empty | {key: ""}}, 2
            for piece in [item[key]] if served.line.at_once else pieces(item[key]):
                yield at | {"type": f"{name}.delta", "delta": piece}, 1
            done = {"type": f"{name}.done", "name": item["name"]} if key == "arguments" else {"type": f"{name}.done"}
            yield at | done | {key: item[key]}, 0
        elif item["type"] == "message":
            part = item["content"][0]
            what = "refusal" if part["type"] == "refusal" else "text"
            name = "refusal" if what == "refusal" else "output_text"
            at["content_index"] = 0
            yield {"type": "response.output_item.added", "output_index": index, "item": empty | {"content": []}}, 0
            yield at | {"type": "response.content_part.added", "part": part | {what: ""}}, 0
            for piece in [part[what]] if served.line.at_once else pieces(part[what]):
                yield at | {"type": f"response.{name}.delta", "delta": piece, "logprobs": []}, 1
            yield at | {"type": f"response.{name}.done", what: part[what], "logprobs": []}, 0
            yield at | {"type": "response.content_part.done", "part": part}, 0
        else:
            yield {"type": "response.output_item.added", "output_index": index, "item": item | {"summary": []}}, 0
        yield {"type": "response.output_item.done", "output_index": index, "item": item}, 0
    whole = response_whole(served, model, body)
    kind = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    yield {"type": kind, "response": whole}, 0


# ---- Anthropic: messages -------------------------------------------------------------------------------------------


STOPS = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "refusal": "refusal"}


def blocks(served: Served) -> list[dict]:
    found: list[dict] = []
    if served.line.thinks:
        found.append({"type": "thinking", "thinking": served.line.thinks, "signature": served.mark("signature")})
    if served.line.says:
        found.append({"type": "text", "text": served.line.says, "citations": None})
    for id, name, arguments in served.calls:
        found.append({"type": "tool_use", "id": f"toolu_{id[5:]}", "name": name, "input": json.loads(arguments)})
    return found


def lasting(served: Served) -> dict:
    """How long what was written to the cache lasts, where the script says so."""
    hour = served.line.cache_hour
    of = {"ephemeral_5m_input_tokens": served.cache_write - hour, "ephemeral_1h_input_tokens": hour}
    return {"cache_creation": of} if hour else {}


def message_whole(served: Served, model: str) -> dict:
    """Anthropic counts what was cached beside the input, not in it."""
    return {
        "id": f"msg_{served.mark('id')}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks(served),
        "stop_reason": STOPS[served.finish()],
        "stop_sequence": None,
        "usage": {
            "input_tokens": served.input - served.cached - served.cache_write,
            "cache_creation_input_tokens": served.cache_write,
            "cache_read_input_tokens": served.cached,
            "output_tokens": served.output,
            "service_tier": "standard",
        }
        | lasting(served),
    }


def message_stream(served: Served, model: str):
    whole = message_whole(served, model)
    start = whole | {"content": [], "stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
    yield {"type": "message_start", "message": start}, 0
    for index, block in enumerate(whole["content"]):
        at = {"index": index}
        deltas = {
            "thinking": ("thinking", "thinking_delta", {"thinking": "", "signature": ""}),
            "text": ("text", "text_delta", {"text": ""}),
            "tool_use": ("partial_json", "input_json_delta", {"input": {}}),
        }
        key, kind, empty = deltas[block["type"]]
        text = json.dumps(block["input"]) if kind == "input_json_delta" else block[key]
        yield at | {"type": "content_block_start", "content_block": block | empty}, 0
        for piece in pieces(text):
            yield at | {"type": "content_block_delta", "delta": {"type": kind, key: piece}}, 1
        if kind == "thinking_delta":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            yield at | {"type": "content_block_delta", "delta": signed}, 0
        yield at | {"type": "content_block_stop"}, 0
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": served.output}}, 0
    yield {"type": "message_stop"}, 0


# ---- OpenAI: embeddings --------------------------------------------------------------------------------------------


def embed(text: str) -> list[float]:
    """A bag of words as a unit vector: near texts get near vectors."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"[a-z]{4,}", text.lower()):
        vector[zlib.crc32(word[:6].encode()) % DIMENSIONS] += 1.0
    length = math.sqrt(sum(number * number for number in vector)) or 1.0
    return [round(number / length, 4) for number in vector]


def embeddings_whole(body: dict) -> tuple[dict, int]:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    count = sum(tokens(text) if isinstance(text, str) else len(text) for text in texts)
    data = []
    for index, text in enumerate(texts):
        vector: object = embed(text if isinstance(text, str) else str(text))
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}, count


# ---- serving -------------------------------------------------------------------------------------------------------


class Provider(ThreadingHTTPServer):
    """Serves on a free port of loopback, or on the given one, in a thread of its own."""

    daemon_threads = True

    def __init__(self, port: int = 0, pace: float = 1.0, truth: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), Calls)
        self.pace, self.truth = pace, truth
        self.lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.lines: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address) -> None:
        """A program that ends with its connections open is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def url(self, run: str) -> str:
        """The base address of a run, without `/v1`."""
        return f"http://127.0.0.1:{self.server_address[1]}/{run}"

    def note(self, line: dict) -> None:
        """Adds a line of ground truth."""
        with self.lock:
            self.lines.append({"seq": len(self.lines) + 1} | line)
            if self.truth:
                with self.truth.open("a") as file:
                    file.write(json.dumps(self.lines[-1]) + "\n")


class Calls(BaseHTTPRequestHandler):
    """Answers calls."""

    protocol_version = "HTTP/1.1"
    server: Provider

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: dict, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(len(data))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events, is_named: bool, needs_end: bool, **headers: str) -> None:
        self.send_response(200)
        for name, value in ({"content-type": "text/event-stream"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("connection", "close")
        self.end_headers()
        for number, (event, worth) in enumerate(events):
            time.sleep(worth / TOKENS_A_SECOND * self.server.pace)
            if event.get("type", "").startswith("response."):
                event = event | {"sequence_number": number}
            name = f"event: {event['type']}\n" if is_named else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        if needs_end:
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        run, _, path = self.path.partition("?")[0].strip("/").partition("/")
        api = {
            "v1/chat/completions": "chat",
            "v1/responses": "responses",
            "v1/messages": "messages",
            "v1/embeddings": "embeddings",
        }.get(path)
        named = re.fullmatch(r"v1beta/models/([^/:]+):(generateContent|streamGenerateContent)", path)
        if named:
            api, body = "gemini", gemini.heard(body) | {"model": named[1], "stream": named[2] == "streamGenerateContent"}
        if api is None:
            return self.answer(404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}})
        model = DATED.get(body["model"], body["model"])
        truth = {
            "run": run,
            "response_id": None,
            "provider": {"messages": "anthropic", "gemini": "google"}.get(api, "openai"),
            "api": api,
            "model": body["model"],
            "response_model": model,
            "stream": bool(body.get("stream")),
            "status": 200,
            "usage": None,
            "finish_reason": None,
            "tool_calls": [],
        }
        if api == "embeddings":
            time.sleep(0.12 * self.server.pace)
            reply, count = embeddings_whole(body)
            usage = {"input": count, "output": 0, "cached": 0, "cache_write": 0, "reasoning": 0}
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            self.server.note(truth | {"usage": usage, "user": str(texts[0])[:80]})
            return self.answer(200, reply)
        heard = Heard(api, body)
        # What an agent's harness tells the model between the user's words is not what the user said.
        between = r"<(system-reminder|session_context)>.*?</\1>\s*"
        truth["user"] = re.sub(between, "", heard.user, flags=re.DOTALL)[:80]
        line = heard.line()
        if line is None:
            said = f"the script has no line for round {heard.rounds} of {heard.user[:60]!r} under {heard.system[:60]!r}"
            sys.stderr.write(f"{run}: {said}\n")
            return self.answer(400, {"error": {"message": said, "type": "invalid_request_error"}})
        with self.server.lock:
            attempt = f"{run}/{line.hears}/{line.round}"
            self.server.attempts[attempt] += 1
            if self.server.attempts[attempt] <= line.fails:
                line = None
            else:
                self.server.calls[run] += 1
                seed = f"{run}/{self.server.calls[run]}"
        if line is None:
            time.sleep(0.08 * self.server.pace)
            self.server.note(truth | {"status": 429, "response_model": None})
            error = {"message": "Rate limit reached: 30000 tokens a minute. Try again in 300 ms.", "code": "rate_limit_exceeded"}
            error |= {"type": "rate_limit_error" if api == "messages" else "tokens", "param": None}
            return self.answer(429, {"type": "error", "error": error}, retry_after_ms="300")
        served = Served(line, heard, seed)
        prefix = {"chat": "chatcmpl-", "responses": "resp_", "messages": "msg_", "gemini": "gen_"}[api]
        truth |= {"response_id": prefix + served.mark("id"), "usage": served.usage()}
        truth |= {"finish_reason": served.finish(), "tool_calls": [name for _, name, _ in served.calls]}
        self.server.note(truth)
        thinking = FIRST_TOKEN_SECONDS + served.reasoning / REASONING_TOKENS_A_SECOND
        time.sleep(thinking * self.server.pace)
        if not body.get("stream"):
            time.sleep((served.output - served.reasoning) / TOKENS_A_SECOND * self.server.pace)
            whole = {
                "chat": lambda: chat_whole(served, model),
                "responses": lambda: response_whole(served, model, body),
                "messages": lambda: message_whole(served, model),
                "gemini": lambda: gemini.whole(served, model),
            }
            return self.answer(200, whole[api]())
        if api == "chat":
            return self.stream(chat_stream(served, model, body), False, True)
        if api == "gemini":
            return self.stream(gemini.stream(served, model), False, False)
        if api == "responses":
            return self.stream(response_stream(served, model, body), True, False)
        return self.stream(message_stream(served, model), True, False, request_id=f"req_{served.mark('request')}")


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    provider = Provider(port, float(os.environ.get("STAND_IN_PACE", "1")))
    print(provider.url("demo"), flush=True)
    threading.Event().wait()
