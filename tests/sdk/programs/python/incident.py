"""An incident's notes with OpenAI's own SDK: streams, a tool, JSON by a schema, embeddings, a rate limit, a cut answer.

Watched by OpenTelemetry's openai-v2; what was said goes into log events, as `OTEL_INSTRUMENTATION_GENAI_*` tell it.
"""

import json

import telemetry
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

SYSTEM = {"role": "system", "content": "You keep the notes of an incident at a shop. Be brief and exact."}
TOOL = {
    "type": "function",
    "function": {
        "name": "query_metrics",
        "description": "Reads a service's metric of the last minutes.",
        "parameters": {
            "type": "object",
            "properties": {"service": {"type": "string"}, "metric": {"type": "string"}, "minutes": {"type": "integer"}},
        },
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "severity",
        "schema": {"type": "object", "properties": {"severity": {"type": "string"}, "minutes": {"type": "integer"}}},
    },
}


def main() -> None:
    telemetry.start()
    OpenAIInstrumentor().instrument()
    client = OpenAI(max_retries=2)
    tracer = trace.get_tracer("incident-notes")

    def stream(messages: list, **settings):
        """Streams an answer; its text, and the calls of its last tool."""
        text, calls = "", {}
        for chunk in client.chat.completions.create(
            model="gpt-4.1-mini", messages=messages, stream=True, stream_options={"include_usage": True}, **settings
        ):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, {"id": part.id, "name": part.function.name, "arguments": ""})
                    call["arguments"] += part.function.arguments or ""
        return text, list(calls.values())

    def say(text: str) -> list:
        return [SYSTEM, {"role": "user", "content": text}]

    with tracer.start_as_current_span("incident_notes"):
        print(stream(say("Summarise the incident."))[0])
        messages = say("Who is affected?")
        _, [call] = stream(messages, tools=[TOOL])
        with tracer.start_as_current_span("query_metrics"):
            counted = json.dumps({"errors": 212, "from": "09:12", "to": "09:26", "region": "eu"})
        function = {"name": call["name"], "arguments": call["arguments"]}
        messages += [
            {"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": call["id"], "content": counted},
        ]
        print(stream(messages, tools=[TOOL])[0])
        judged = client.chat.completions.create(
            model="gpt-5-mini", messages=say("Judge the severity."), response_format=SCHEMA, seed=7
        )
        print(judged.choices[0].message.content)
        client.embeddings.create(model="text-embedding-3-small", input=["expired certificate", "payment errors"])
        client.chat.completions.create(model="gpt-4.1-mini", messages=say("Write the timeline."), max_tokens=48)


if __name__ == "__main__":
    main()
