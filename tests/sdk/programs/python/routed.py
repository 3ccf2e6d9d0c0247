"""The articles' own instrumentation, written by hand: a gateway, whose trace goes on in a service that routes its calls.

What the spans are called and what they state is what the articles that Clew grew from write: `llm.route` with the model
that it chose, `llm.generation` below a request's `traceparent`, `llm.completion` with tokens and cost, and the spans of a
RAG pipeline with the score of its answer. No instrumentation knows these calls.
"""

import time

import telemetry
from openai import APIError, OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# Dollars a token, sent and generated.
PRICES = {"gpt-4o": (0.000005, 0.000015), "gpt-4o-mini": (0.00000015, 0.0000006)}
SHELF = {
    "returns": "Goods go back within 30 days, unused and in their box.",
    "shipping": "Parcels are sent within two working days.",
    "warranty": "The warranty lasts two years from delivery.",
}
PROPAGATOR = TraceContextTextMapPropagator()


def cost(model: str, usage) -> float:
    sent, generated = PRICES[model]
    return usage.prompt_tokens * sent + usage.completion_tokens * generated


def gateway() -> TracerProvider:
    """The tracer of another service: what it starts, this one goes on with."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shop-gateway"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def main() -> None:
    telemetry.start()
    upstream = gateway()
    client = OpenAI(max_retries=0)
    tracer = trace.get_tracer("llm-service")

    def ask(model: str, messages: list) -> object:
        return client.chat.completions.create(model=model, messages=messages)

    def generation(prompt: str, headers: dict) -> str:
        """S1: the trace of the request that came in goes on."""
        attributes = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.request.max_tokens": 1024}
        context = PROPAGATOR.extract(carrier=headers)
        with tracer.start_as_current_span(
            "llm.generation", context=context, kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            response = ask("gpt-4o", [{"role": "user", "content": prompt}])
            span.set_attribute("gen_ai.response.id", response.id)
            span.set_attribute("gen_ai.response.finish_reason", response.choices[0].finish_reason)
            span.set_attribute("gen_ai.usage.prompt_tokens", response.usage.prompt_tokens)
            span.set_attribute("gen_ai.usage.completion_tokens", response.usage.completion_tokens)
            return response.choices[0].message.content

    def completion(prompt: str, model: str) -> str:
        """S0: one call with its tokens, cost and time."""
        with tracer.start_as_current_span("llm.completion") as span:
            span.set_attribute("llm.model", model)
            span.set_attribute("llm.request_type", "completion")
            began = time.monotonic()
            try:
                response = ask(model, [{"role": "user", "content": prompt}])
                span.set_attribute("llm.prompt.tokens", response.usage.prompt_tokens)
                span.set_attribute("llm.completion.tokens", response.usage.completion_tokens)
                span.set_attribute("llm.total.tokens", response.usage.total_tokens)
                span.set_attribute("llm.cost.usd", cost(model, response.usage))
                span.set_attribute("llm.finish_reason", response.choices[0].finish_reason)
                span.set_status(StatusCode.OK)
                return response.choices[0].message.content
            except APIError as error:
                span.set_status(StatusCode.ERROR, str(error))
                span.set_attribute("llm.error.type", type(error).__name__)
                span.record_exception(error)
                raise
            finally:
                span.set_attribute("llm.duration_ms", (time.monotonic() - began) * 1000)

    def routed(task: str, prompt: str) -> str:
        """S1: which model it is depends on the task."""
        model = "gpt-4o-mini" if task == "classify" else "gpt-4o"
        with tracer.start_as_current_span("llm.route") as span:
            span.set_attribute("llm.routed_model", model)
            span.set_attribute("llm.task_type", task)
            return completion(prompt, model)

    def pipeline(question: str) -> str:
        """S2's pipeline, with the score that S0's keeps of its retrieval and S2's of its answer."""
        with tracer.start_as_current_span("chain.rag_pipeline", attributes={"chain.name": "rag_pipeline"}) as chain:
            with tracer.start_as_current_span(
                "retrieval.vector_search", attributes={"retriever.name": "vector_search"}
            ) as span:
                found = [text for topic, text in SHELF.items() if topic in question]
                span.set_attribute("retrieval.doc_count", len(found))
            with tracer.start_as_current_span("llm.chat.completion", attributes={"llm.model": "gpt-4o-mini"}) as span:
                context = "\n\n".join(found)
                asked = [{"role": "system", "content": f"Context:\n{context}"}, {"role": "user", "content": question}]
                response = ask("gpt-4o-mini", asked)
                usage = response.usage
                span.set_attribute("llm.prompt_tokens", usage.prompt_tokens)
                span.set_attribute("llm.completion_tokens", usage.completion_tokens)
                span.set_attribute("llm.total_tokens", usage.total_tokens)
                span.set_attribute("llm.cost_usd", cost("gpt-4o-mini", usage))
            chain.set_attribute("llm.quality_score", 0.92)
            return response.choices[0].message.content

    web = upstream.get_tracer("shop-gateway")
    with web.start_as_current_span("POST /ask", kind=SpanKind.SERVER) as request:
        request.set_attribute("http.request.method", "POST")
        request.set_attribute("url.path", "/ask")
        headers: dict[str, str] = {}
        PROPAGATOR.inject(headers)
        print(generation("When does the shop open on Sunday?", headers))
        request.set_attribute("http.response.status_code", 200)
    print(routed("classify", "Is this a complaint: the parcel came broken?"))
    print(routed("reason", "Why may a parcel come broken?"))
    print(pipeline("How long is the warranty, and how do returns work?"))
    try:
        routed("classify", "Is this a complaint: too many requests?")
    except APIError as error:
        print(type(error).__name__)
    upstream.shutdown()


if __name__ == "__main__":
    main()
