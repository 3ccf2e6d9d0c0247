// The real exporters of the OpenTelemetry SDK for JavaScript against the real binary: every signal over gRPC,
// HTTP/protobuf and HTTP/JSON, plain and with gzip, on both ports.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as JsonLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcSpans } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonSpans } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoSpans } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

import { Clew, eventually } from "../../support/clew.mjs";

const TRANSPORTS = {
  grpc: [GrpcSpans, GrpcLogs, GrpcMetrics],
  "http/protobuf": [ProtoSpans, ProtoLogs, ProtoMetrics],
  "http/json": [JsonSpans, JsonLogs, JsonMetrics],
};

function exporters(transport, compression, address) {
  return TRANSPORTS[transport].map((Exporter, index) => {
    const path = transport === "grpc" ? "" : `/v1/${["traces", "logs", "metrics"][index]}`;
    return new Exporter({ url: `http://${address}${path}`, compression });
  });
}

/** What an ordinary program does: an agent's answer with one model call, one failed tool, logs and metrics. */
async function runProgram(clew, service, transport, compression, address) {
  const [spans, logs, metrics] = exporters(transport, compression, address);
  const resource = defaultResource().merge(resourceFromAttributes({ "service.name": service }));
  const tracers = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(spans)] });
  const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: logs })] });
  const meters = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 })],
  });
  const tracer = tracers.getTracer("clew.tests", "1.2.3");
  const root = tracer.startSpan("answer", { kind: SpanKind.SERVER });
  const inRoot = trace.setSpan(context.active(), root);
  const call = tracer.startSpan("chat gpt-4o", { kind: SpanKind.CLIENT }, inRoot);
  call.setAttributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": `resp-${service}`,
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.output_tokens": 11,
    text: "Zürich ✓ 🧵",
    ratio: 0.1,
    yes: true,
    many: ["a", "b"],
  });
  call.addEvent("first token", { at: 1 });
  const inCall = trace.setSpan(inRoot, call);
  const logger = loggers.getLogger("clew.tests");
  logger.emit({ severityNumber: 9, severityText: "INFO", body: "within the call", context: inCall });
  logger.emit({ severityNumber: 13, body: { nested: [1, "two"] }, context: inCall });
  call.end();
  const tool = tracer.startSpan("execute_tool get_order", {}, inRoot);
  tool.setAttributes({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order" });
  tool.recordException(new TypeError("no such order"));
  tool.setStatus({ code: SpanStatusCode.ERROR, message: "no such order" });
  tool.end();
  root.end();
  const meter = meters.getMeter("clew.tests");
  meter.createCounter("requests").add(3, { route: "/a" });
  meter.createHistogram("latency", { unit: "s" }).record(0.25);
  // Ends as a program does: each provider sends what it still holds.
  for (const provider of [tracers, loggers, meters]) await provider.shutdown();
  return { traceId: root.spanContext().traceId, spanId: call.spanContext().spanId };
}

describe("exporters of the OpenTelemetry SDK for JavaScript", () => {
  let clew;
  before(async () => (clew = await Clew.start()));
  after(async () => assert.equal(await clew.stop(), 0, "clew serve ends well on SIGTERM"));

  for (const transport of Object.keys(TRANSPORTS)) {
    for (const compression of ["none", "gzip"]) {
      for (const port of ["grpc", "http"]) {
        const name = `${transport}, ${compression}, on the ${port} port`;
        it(name, async () => {
          const service = name.replaceAll(/\W+/g, "-");
          const before = await clew.call("get_storage");
          const { traceId, spanId } = await runProgram(clew, service, transport, compression, clew[port]);

          // A success reply means committed: no waiting here.
          const after = await clew.call("get_storage");
          const stored = ["traces", "spans", "logs", "points"].map((what) => after[what] - before[what]);
          assert.deepEqual(stored, [1, 3, 2, 2], "traces, spans, logs and metric points stored");

          const row = await eventually("facts", async () => {
            const { rows } = await clew.call("list_traces", { services: [service] });
            return rows[0]?.name === "answer" && rows[0].callCount === 1 && rows[0];
          });
          assert.equal(row.traceId, traceId);
          assert.deepEqual([row.name, row.service, row.state], ["answer", service, "complete"]);
          assert.deepEqual([row.spanCount, row.errorCount, row.callCount], [3, 1, 1]);
          assert.deepEqual([row.inputTokens, row.outputTokens], [20, 11]);
          assert.deepEqual(row.models, ["gpt-4o-2024-08-06"]);

          const detail = await clew.call("get_span", { traceId, spanId });
          const attributes = new Map(detail.attributes.map(({ key, type, value }) => [key, [type, value]]));
          assert.deepEqual(attributes.get("text"), ["string", "Zürich ✓ 🧵"]);
          assert.deepEqual(attributes.get("yes"), ["bool", "true"]);
          assert.deepEqual(attributes.get("ratio"), ["double", "0.1"]);
          assert.deepEqual(attributes.get("gen_ai.usage.input_tokens"), ["int", "20"]);
          assert.equal(attributes.get("many")?.[0], "array");
          assert.deepEqual(JSON.parse(attributes.get("many")[1]), ["a", "b"]);
          assert.deepEqual(detail.events.map((event) => event.name), ["first token"]);
          const bodies = detail.logs.map((log) => log.body);
          assert.ok(bodies.includes("within the call"), `logs joined to their span: ${bodies}`);
          assert.equal(bodies.length, 2);

          const { senders } = await clew.call("get_connections");
          const [sender, ...more] = senders.filter((each) => each.service === service);
          assert.equal(more.length, 0);
          assert.equal(sender.language, "nodejs");
          assert.ok(sender.transport.toLowerCase().includes(transport), sender.transport);
        });
      }
    }
  }
});
