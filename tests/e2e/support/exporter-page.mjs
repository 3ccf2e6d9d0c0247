// A page as a browser app under development has it: the OpenTelemetry SDK of JavaScript, sending to Clew. Bundled by
// browser-exporter.spec.ts.

import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const EXPORTERS = { json: JsonExporter, protobuf: ProtobufExporter };

/** Sends one span; what its exporter was told, and the trace's id. */
globalThis.send = (url, encoding, headers) =>
  new Promise((resolve) => {
    const exporter = new EXPORTERS[encoding]({ url, headers, timeoutMillis: 4000 });
    let traceId = "";
    const told = {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          done(result);
          resolve({ traceId, code: result.code, error: result.error?.message ?? null });
        }),
      shutdown: () => exporter.shutdown(),
    };
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": "browser-app" }),
      spanProcessors: [new SimpleSpanProcessor(told)],
    });
    const span = provider.getTracer("page").startSpan(`click ${encoding}`);
    traceId = span.spanContext().traceId;
    span.setAttribute("user.action", "click");
    span.end();
  });
