/**
 * What to run so that a program sends to Clew. Every snippet shortens the batch delay to 200 ms: exporters otherwise
 * hold spans for five seconds, and live does not feel live.
 */

/** Where Clew listens, as a program is told. */
export interface Addresses {
  /** "http://127.0.0.1:4317". */
  grpc: string;
  /** "http://127.0.0.1:4318". */
  http: string;
}

/** One thing to paste. */
export interface Step {
  title: string;
  code: string;
}

/** One way to instrument a program. */
export interface Snippet {
  id: string;
  title: string;
  steps: (to: Addresses) => Step[];
  /** One sentence of warning or advice. */
  note?: string;
}

/** Ways that belong together. */
export interface Stack {
  id: string;
  title: string;
  snippets: Snippet[];
}

/** The exporter's variables, as a shell sets them. */
function env(http: string, extra: string[] = []): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${http}`,
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    "export OTEL_BSP_SCHEDULE_DELAY=200",
    "export OTEL_SERVICE_NAME=my-app",
    ...extra,
  ].join("\n");
}

const CONTENT = [
  "export OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental",
  "export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
];

const PROVIDER_PY = `from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
`;

/** An OpenInference instrumentor: its package and its class. */
function openInference(id: string, title: string, name: string, instrumentor: string): Snippet {
  const module = name.replaceAll("-", "_");
  return {
    id,
    title,
    steps: ({ http }) => [
      {
        title: "Install",
        code: `pip install openinference-instrumentation-${name} \\\n  opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`,
      },
      {
        title: "At the start of the program",
        code: `${PROVIDER_PY}
from openinference.instrumentation.${module} import ${instrumentor}
${instrumentor}().instrument()`,
      },
      { title: "Run", code: `${env(http)}\npython app.py` },
    ],
  };
}

const PYTHON: Snippet[] = [
  {
    id: "openai",
    title: "OpenAI",
    steps: ({ http }) => [
      {
        title: "Install",
        code: "pip install opentelemetry-distro opentelemetry-exporter-otlp \\\n  opentelemetry-instrumentation-genai-openai",
      },
      { title: "Run", code: `${env(http, CONTENT)}\nopentelemetry-instrument python app.py` },
    ],
    note: "Its predecessor, opentelemetry-instrumentation-openai-v2, takes the same variables, and openai up to 2.54.",
  },
  openInference("langgraph", "LangChain, LangGraph", "langchain", "LangChainInstrumentor"),
  openInference("llamaindex", "LlamaIndex", "llama-index", "LlamaIndexInstrumentor"),
  openInference("crewai", "CrewAI", "crewai", "CrewAIInstrumentor"),
  openInference("agents", "OpenAI Agents SDK", "openai-agents", "OpenAIAgentsInstrumentor"),
  openInference("anthropic", "Anthropic", "anthropic", "AnthropicInstrumentor"),
  openInference("dspy", "DSPy", "dspy", "DSPyInstrumentor"),
  {
    id: "pydantic",
    title: "Pydantic AI",
    steps: ({ http }) => [
      { title: "Install", code: "pip install pydantic-ai logfire" },
      {
        title: "At the start of the program",
        code: "import logfire\n\nlogfire.configure(send_to_logfire=False)\nlogfire.instrument_pydantic_ai()",
      },
      { title: "Run", code: `${env(http)}\npython app.py` },
    ],
  },
  {
    id: "langsmith",
    title: "LangChain, built in",
    steps: ({ http }) => [
      { title: "Install", code: 'pip install "langsmith[otel]" langchain' },
      {
        title: "Run",
        code: `${env(http, ["export LANGSMITH_OTEL_ENABLED=true", "export LANGSMITH_TRACING=true"])}\npython app.py`,
      },
    ],
  },
  {
    id: "openllmetry",
    title: "OpenLLMetry",
    steps: ({ http }) => [
      { title: "Install", code: "pip install traceloop-sdk" },
      {
        title: "At the start of the program",
        code: 'from traceloop.sdk import Traceloop\n\nTraceloop.init(app_name="my-app", disable_batch=True)',
      },
      {
        title: "Run",
        code: `export TRACELOOP_BASE_URL=${http}\nexport TRACELOOP_TRACE_CONTENT=true\nexport OTEL_BSP_SCHEDULE_DELAY=200\npython app.py`,
      },
    ],
  },
];

/** Starts the SDK, and sends what is left when the program has nothing more to do: its timer keeps no program alive. */
const started = (settings: string): string => `const sdk = new NodeSDK(${settings});
sdk.start();
process.once("beforeExit", () => sdk.shutdown());`;

const NODE_SDK = `import { NodeSDK } from "@opentelemetry/sdk-node";

${started("")}
`;

const TYPESCRIPT: Snippet[] = [
  {
    id: "ai-sdk",
    title: "AI SDK 7",
    steps: ({ http }) => [
      { title: "Install", code: "npm install ai@7 @ai-sdk/otel @opentelemetry/sdk-node" },
      {
        title: "instrumentation.ts",
        code: `${NODE_SDK.trimEnd()}

import { OpenTelemetry } from "@ai-sdk/otel";
import { registerTelemetry } from "ai";

registerTelemetry(new OpenTelemetry());`,
      },
      { title: "Run", code: `${env(http)}\nnode --import ./instrumentation.ts app.ts` },
    ],
  },
  {
    id: "ai-sdk-6",
    title: "AI SDK 6 and older",
    steps: ({ http }) => [
      { title: "Install", code: "npm install ai@6 @opentelemetry/sdk-node" },
      {
        title: "On each call",
        code: "await generateText({\n  model,\n  prompt,\n  experimental_telemetry: { isEnabled: true },\n});",
      },
      { title: "instrumentation.ts", code: NODE_SDK.trimEnd() },
      { title: "Run", code: `${env(http)}\nnode --import ./instrumentation.ts app.ts` },
    ],
  },
  {
    id: "openai-js",
    title: "OpenAI",
    steps: ({ http }) => [
      {
        title: "Install",
        code: "npm install @opentelemetry/sdk-node @arizeai/openinference-instrumentation-openai",
      },
      {
        title: "instrumentation.ts",
        code: `import { NodeSDK } from "@opentelemetry/sdk-node";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";

${started("{ instrumentations: [new OpenAIInstrumentation()] }")}`,
      },
      { title: "Run", code: `${env(http)}\nnode --import ./instrumentation.ts app.ts` },
    ],
  },
];

const JVM: Snippet[] = [
  {
    id: "spring4",
    title: "Spring AI, Boot 4",
    steps: ({ http }) => [
      { title: "Add the dependency", code: "org.springframework.boot:spring-boot-starter-opentelemetry" },
      {
        title: "application.properties",
        code: `management.tracing.sampling.probability=1.0
management.opentelemetry.tracing.export.otlp.endpoint=${http}/v1/traces
management.opentelemetry.tracing.export.schedule-delay=200ms
spring.ai.chat.observations.log-prompt=true
spring.ai.chat.observations.log-completion=true`,
      },
      { title: "Run", code: "export OTEL_BSP_SCHEDULE_DELAY=200\n./mvnw spring-boot:run" },
    ],
    note: "Boot 3 needs micrometer-tracing-bridge-otel and management.otlp.tracing.endpoint instead.",
  },
  {
    id: "java-agent",
    title: "Java agent",
    steps: ({ http }) => [
      { title: "Run", code: `${env(http)}\njava -javaagent:opentelemetry-javaagent.jar -jar app.jar` },
    ],
  },
];

const DOTNET: Snippet[] = [
  {
    id: "meai",
    title: "Microsoft.Extensions.AI, Agent Framework",
    steps: ({ http }) => [
      {
        title: "Install",
        code: "dotnet add package OpenTelemetry.Extensions.Hosting\ndotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol",
      },
      {
        title: "Program.cs",
        code: `const string Source = "my-app";

builder.Services.AddOpenTelemetry()
    .WithTracing(tracing => tracing.AddSource(Source).AddOtlpExporter());

IChatClient client = inner.AsBuilder()
    .UseOpenTelemetry(sourceName: Source, configure: c => c.EnableSensitiveData = true)
    .Build();`,
      },
      { title: "Run", code: `${env(http)}\ndotnet run` },
    ],
    note: "Semantic Kernel: set the switch Microsoft.SemanticKernel.Experimental.GenAI.EnableOTelDiagnosticsSensitive.",
  },
];

const RUST: Snippet[] = [
  {
    id: "tracing",
    title: "tracing (rig, genai)",
    steps: ({ http }) => [
      {
        title: "Install",
        code: "cargo add tracing tracing-subscriber tracing-opentelemetry opentelemetry\ncargo add opentelemetry_sdk opentelemetry-otlp",
      },
      {
        title: "main.rs",
        code: `use opentelemetry::trace::TracerProvider as _;
use tracing_subscriber::prelude::*;

let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
    .with_batch_exporter(exporter)
    .build();
tracing_subscriber::registry()
    .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("my-app")))
    .init();`,
      },
      { title: "Run", code: `${env(http)}\ncargo run` },
    ],
    note: "tracing-opentelemetry 0.33 goes with opentelemetry 0.32: the versions must match.",
  },
];

const CODING: Snippet[] = [
  {
    id: "claude-code",
    title: "Claude Code",
    steps: ({ http }) => [
      {
        title: "Run",
        code: [
          "export CLAUDE_CODE_ENABLE_TELEMETRY=1",
          "export CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1",
          "export OTEL_TRACES_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp",
          "export OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_TOOL_DETAILS=1 OTEL_LOG_TOOL_CONTENT=1",
          `export OTEL_EXPORTER_OTLP_ENDPOINT=${http}`,
          "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
          "export OTEL_BSP_SCHEDULE_DELAY=200",
          "claude",
        ].join("\n"),
      },
    ],
  },
  {
    id: "copilot",
    title: "GitHub Copilot",
    steps: ({ http }) => [
      {
        title: "Run",
        code: [
          "export COPILOT_OTEL_ENABLED=true COPILOT_OTEL_CAPTURE_CONTENT=true",
          `export OTEL_EXPORTER_OTLP_ENDPOINT=${http}`,
          "export OTEL_BSP_SCHEDULE_DELAY=200",
          "code .",
        ].join("\n"),
      },
    ],
  },
];

const COLLECTOR: Snippet[] = [
  {
    id: "otelcol",
    title: "OpenTelemetry Collector",
    steps: ({ grpc }) => [
      {
        title: "Add to config.yaml",
        code: `exporters:
  otlp/clew:
    endpoint: ${grpc.replace(/^https?:\/\//, "")}
    tls:
      insecure: true

service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp/clew]`,
      },
      { title: "In the programs that send to it", code: "export OTEL_BSP_SCHEDULE_DELAY=200" },
    ],
    note: "A collector that owns port 4317 or 4318 keeps Clew from listening there: start Clew with --grpc and --http.",
  },
];

/** What wraps any program. */
const ANY: Snippet[] = [
  {
    id: "run",
    title: "Any command",
    steps: ({ http }) => [
      { title: "Let Clew set the variables", code: "clew run -- python app.py" },
      { title: "Or set them yourself", code: env(http, CONTENT) },
    ],
    note: "The program must already be instrumented with OpenTelemetry; the other tabs say how.",
  },
];

/** The snippets by stack, in the order of the tabs. */
export const STACKS: readonly Stack[] = [
  { id: "any", title: "Any program", snippets: ANY },
  { id: "python", title: "Python", snippets: PYTHON },
  { id: "typescript", title: "TypeScript", snippets: TYPESCRIPT },
  { id: "java", title: "Java", snippets: JVM },
  { id: "dotnet", title: ".NET", snippets: DOTNET },
  { id: "rust", title: "Rust", snippets: RUST },
  { id: "coding", title: "Coding agents", snippets: CODING },
  { id: "collector", title: "Collector", snippets: COLLECTOR },
];

/** What a program in a container is told: it reaches this machine by another name, and brings the ingest key. */
export function containerStep({ http }: Addresses): Step {
  const port = /:(\d+)$/.exec(http)?.[1] ?? "4318";
  return {
    title: "From a container",
    code: `docker run --add-host=host.docker.internal:host-gateway \\
  -e OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:${port} \\
  -e OTEL_EXPORTER_OTLP_HEADERS="x-clew-key=<the key of --ingest-key>" \\
  -e OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\
  -e OTEL_BSP_SCHEDULE_DELAY=200 \\
  my-image`,
  };
}
