"""The real exporters of the OpenTelemetry SDK for Python against the real binary.

Every signal over gRPC, HTTP/protobuf and HTTP/JSON, plain and with gzip, on both ports: what was exported is what is
stored, field for field where a user looks.
"""

import logging
import unittest

import grpc
from opentelemetry.exporter.otlp.common.http import Compression as JsonCompression
from opentelemetry.exporter.otlp.json.http import OTLPMetricExporter as JsonMetrics
from opentelemetry.exporter.otlp.json.http import OTLPSpanExporter as JsonSpans
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression as HttpCompression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from clew import Clew

CLEW: Clew


def setUpModule() -> None:
    global CLEW
    CLEW = Clew()


def tearDownModule() -> None:
    code = CLEW.stop()
    assert code == 0, f"clew serve ended with {code} on SIGTERM"


def exporters(transport: str, packed: bool, address: str):
    """The three exporters of a transport; Python's JSON package has none for logs."""
    if transport == "grpc":
        options = {
            "endpoint": f"http://{address}",
            "insecure": True,
            "compression": grpc.Compression.Gzip if packed else grpc.Compression.NoCompression,
        }
        return GrpcSpans(**options), GrpcLogs(**options), GrpcMetrics(**options)
    at = {signal: f"http://{address}/v1/{signal}" for signal in ("traces", "logs", "metrics")}
    if transport == "http/protobuf":
        how = HttpCompression.Gzip if packed else HttpCompression.NoCompression
        return (
            HttpSpans(at["traces"], compression=how),
            HttpLogs(at["logs"], compression=how),
            HttpMetrics(at["metrics"], compression=how),
        )
    how = JsonCompression.GZIP if packed else JsonCompression.NONE
    return (
        JsonSpans(at["traces"], compression=how),
        None,
        JsonMetrics(at["metrics"], compression=how),
    )


class Exporters(unittest.TestCase):
    maxDiff = None

    def run_program(self, transport: str, packed: bool, address: str) -> None:
        service = self.id().rsplit(".", 1)[-1]
        resource = Resource.create({"service.name": service, "deployment.environment.name": "test"})
        spans, logs, metrics = exporters(transport, packed, address)
        before = CLEW.call("get_storage")

        tracer_provider = TracerProvider(resource=resource)
        tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
        tracer = tracer_provider.get_tracer("clew.tests", "1.2.3")
        logger = logging.getLogger(service)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        logger_provider = LoggerProvider(resource=resource)
        if logs is not None:
            logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
            logger.addHandler(LoggingHandler(logger_provider=logger_provider))

        with tracer.start_as_current_span("answer", kind=SpanKind.SERVER) as root:
            with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as call:
                call.set_attributes(
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o",
                        "gen_ai.response.model": "gpt-4o-2024-08-06",
                        "gen_ai.response.id": f"resp-{service}",
                        "gen_ai.usage.input_tokens": 2**40 + 7,
                        "gen_ai.usage.output_tokens": 11,
                        "gen_ai.response.finish_reasons": ["stop"],
                        "text": "Zürich ✓ \U0001f9f5",
                        "ratio": 0.1,
                        "yes": True,
                    }
                )
                call.add_event("first token", {"at": 1})
                logger.info("within %s", "the call")
                logger.warning("still within")
            with tracer.start_as_current_span("execute_tool get_order") as tool:
                tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order"})
                tool.record_exception(ValueError("no such order"))
                tool.set_status(Status(StatusCode.ERROR, "no such order"))
        meter_provider = MeterProvider(
            resource=resource,
            metric_readers=[PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)],
        )
        meter = meter_provider.get_meter("clew.tests")
        meter.create_counter("requests").add(3, {"route": "/a"})
        meter.create_histogram("latency", unit="s").record(0.25)
        meter.create_observable_gauge("depth", [lambda _: []])
        # Ends as a program does: each provider sends what it still holds.
        for provider in (tracer_provider, logger_provider, meter_provider):
            provider.shutdown()

        # A success reply means committed: no waiting here.
        after = CLEW.call("get_storage")
        self.assertEqual(after["spans"] - before["spans"], 3, "spans")
        self.assertEqual(after["traces"] - before["traces"], 1, "traces")
        self.assertEqual(after["logs"] - before["logs"], 2 if logs is not None else 0, "logs")
        self.assertEqual(after["points"] - before["points"], 2, "metric points")

        # Facts follow the acknowledgement, a trace's row at most four times a second.
        def summary():
            rows = CLEW.call("list_traces", services=[service])["rows"]
            return rows[0] if rows and rows[0]["name"] == "answer" and rows[0]["callCount"] == 1 else None

        row = CLEW.eventually("facts", summary)
        trace_id = format(root.get_span_context().trace_id, "032x")
        self.assertEqual(row["traceId"], trace_id)
        self.assertEqual((row["name"], row["service"], row["state"]), ("answer", service, "complete"))
        self.assertEqual((row["spanCount"], row["errorCount"], row["callCount"]), (3, 1, 1))
        self.assertEqual((row["inputTokens"], row["outputTokens"]), (2**40 + 7, 11))
        self.assertEqual(row["models"], ["gpt-4o-2024-08-06"])

        detail = CLEW.call(
            "get_span", traceId=trace_id, spanId=format(call.get_span_context().span_id, "016x")
        )
        attributes = {each["key"]: (each["type"], each["value"]) for each in detail["attributes"]}
        self.assertEqual(attributes["text"], ("string", "Zürich ✓ \U0001f9f5"))
        self.assertEqual(attributes["yes"], ("bool", "true"))
        self.assertEqual(attributes["ratio"], ("double", "0.1"))
        self.assertEqual(attributes["gen_ai.usage.input_tokens"], ("int", str(2**40 + 7)))
        self.assertEqual([each["name"] for each in detail["events"]], ["first token"])
        if logs is not None:
            bodies = [each["body"] for each in detail["logs"]]
            self.assertEqual(sorted(bodies), ["still within", "within the call"])
        senders = [each for each in CLEW.call("get_connections")["senders"] if each["service"] == service]
        self.assertEqual(len(senders), 1)
        self.assertEqual(senders[0]["language"], "python")
        self.assertIn(transport.lower(), senders[0]["transport"].lower())


def add_tests() -> None:
    for transport in ("grpc", "http/protobuf", "http/json"):
        for packed in (False, True):
            for port in ("grpc", "http"):

                def test(self, transport=transport, packed=packed, port=port):
                    self.run_program(transport, packed, getattr(CLEW, port))

                words = [transport.replace("/", "_"), "gzip" if packed else "plain", "on", port, "port"]
                setattr(Exporters, "test_" + "_".join(words), test)


add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
