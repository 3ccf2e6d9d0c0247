"""A paralegal with Anthropic's own SDK: streaming, extended thinking, a tool, a cached prompt, a cut answer, a refusal.

The SDK writes spans of its own (`anthropic.messages.create`), so every call is there twice, with one response id.

`python contract.py [openinference|openllmetry]` names whose instrumentation watches it.
"""

import sys

import telemetry
from anthropic import Anthropic, RateLimitError
from opentelemetry import trace

CONTRACT = "\n".join(
    f"Clause {number}. {text}"
    for number, text in enumerate(
        [
            "The landlord lets the second floor of Mill Lane 8 to the tenant.",
            "The term is ten years from 1 July 2021 with one option for five more.",
            "The rent follows the consumer price index once a year.",
        ],
        start=1,
    )
)
TOOLS = [
    {
        "name": "find_clause",
        "description": "Finds the clauses that hold some words, with their exact wording.",
        "input_schema": {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
    }
]
CLAUSE = "14.2 Either party may terminate at the end of a calendar quarter on giving six months' notice in writing."


def instrument(whose: str) -> None:
    if whose == "openllmetry":
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
    else:
        from openinference.instrumentation.anthropic import AnthropicInstrumentor
    AnthropicInstrumentor().instrument()


def main() -> None:
    telemetry.start()
    instrument(sys.argv[1] if len(sys.argv) > 1 else "openinference")
    client = Anthropic(max_retries=0)
    tracer = trace.get_tracer("paralegal")
    system = [
        {"type": "text", "text": "You are a paralegal. Quote the clause that you rely on."},
        {"type": "text", "text": CONTRACT, "cache_control": {"type": "ephemeral"}},
    ]

    def ask(messages: list, **settings):
        with client.messages.stream(
            model="claude-sonnet-5-5", max_tokens=2048, system=system, messages=messages, tools=TOOLS, **settings
        ) as stream:
            for _ in stream.text_stream:
                pass
            return stream.get_final_message()

    with tracer.start_as_current_span("answer_question"):
        messages = [{"role": "user", "content": "May we end the lease before 2031?"}]
        first = ask(messages, thinking={"type": "enabled", "budget_tokens": 1024})
        call = next(block for block in first.content if block.type == "tool_use")
        with tracer.start_as_current_span("find_clause"):
            result = {"type": "tool_result", "tool_use_id": call.id, "content": CLAUSE}
        messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        print(ask(messages).content[-1].text)
    with tracer.start_as_current_span("review_contract"):
        ask([{"role": "user", "content": "Summarise every clause."}])
        ask([{"role": "user", "content": "Forge an earlier date on page three."}])
    whole = {"model": "claude-sonnet-5-5", "max_tokens": 256, "system": system}
    question = [{"role": "user", "content": "What is the rent index?"}]
    with tracer.start_as_current_span("answer_question"):
        try:
            client.messages.create(**whole, messages=question)
        except RateLimitError as error:
            print(f"{type(error).__name__}, once more")
        print(client.messages.create(**whole, messages=question).content[0].text)


if __name__ == "__main__":
    main()
