"""Records what real packages send: runs each program against the stand-in provider, and keeps its export requests.

`python record.py [NAME…]` remakes all recordings below, or those named, in `fixtures/otlp`, with their ground truth. What it
installs (pinned in `python/*.txt` and `node/package-lock.json`) goes to `target/programs`.
"""

import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import venv
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import agents

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FIXTURES = ROOT / "fixtures" / "otlp"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "programs"
TRUTH = FIXTURES / "ground_truth.jsonl"


@dataclass(frozen=True)
class Recording:
    """One folder of fixtures."""

    name: str
    """The folder."""
    packages: str
    """The requirements that it runs on; for JavaScript the folder of its package, `node`, `node4` or `node_agents`."""
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    pace: float = 1.0


SERVICES = {
    "research.py": "research-desk",
    "support.py": "support-desk",
    "contract.py": "contract-review",
    "travel.py": "travel-desk",
    "library.py": "manual",
    "incident.py": "incident-notes",
    "vercel.mjs": "shop-web",
    "desk.py": "refund-desk",
    "desk.mjs": "shop-web",
    "routed.py": "llm-service",
}

RECORDINGS = [
    Recording("openinference_langgraph", "langgraph", ("research.py", "openinference")),
    Recording("openllmetry_langgraph", "langgraph", ("research.py", "openllmetry")),
    Recording("openinference_openai_agents_stream", "agents", ("support.py", "openinference")),
    Recording("openllmetry_openai_agents", "agents", ("support.py", "openllmetry")),
    Recording(
        "otel_genai_openai_agents",
        "agents",
        ("support.py", "genai"),
        {
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        },
    ),
    Recording("openinference_anthropic", "agents", ("contract.py", "openinference")),
    Recording("openllmetry_anthropic", "agents", ("contract.py", "openllmetry")),
    Recording("pydantic_ai_delegation", "agents", ("travel.py",)),
    Recording("openinference_llama_index", "retrieval", ("library.py", "openinference")),
    Recording("openllmetry_llama_index", "retrieval", ("library.py", "openllmetry")),
    Recording(
        "openai_v2_event_only",
        "retrieval",
        ("incident.py",),
        {
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "event_only",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        },
    ),
    Recording("vercel_ai6", "node", ("vercel.mjs",)),
    Recording("vercel_ai4", "node4", ("desk.mjs",)),
    Recording("agent_framework", "framework", ("desk.py",)),
    Recording("manual_routed", "langgraph", ("routed.py",)),
    Recording("claude_code", "node_agents", ("claude",)),
    Recording("codex", "node_agents", ("codex",)),
    Recording("gemini_cli", "node_agents", ("gemini",)),
]


# ---- packages ------------------------------------------------------------------------------------------------------


def python(packages: str) -> Path:
    """The interpreter of an environment that holds exactly what its requirements say."""
    folder = TARGET / packages
    wanted = (HERE / "python" / f"{packages}.txt").read_text()
    stamp = folder / "requirements.stamp"
    found = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        pip = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", HERE / "python" / f"{packages}.txt"], check=True)
        stamp.write_text(wanted)
    return found


def node(package: str) -> list[str]:
    """Node.js, with the packages of the lock file beside a copy of the programs."""
    folder = TARGET / package
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / package / "package-lock.json").read_text()
    stamp = folder / "lock.stamp"
    for file in (HERE / package).iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    if not stamp.is_file() or stamp.read_text() != lock:
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
        stamp.write_text(lock)
    return [shutil.which("node") or "node"]


def command(recording: Recording) -> tuple[list[str], Path]:
    """The program to run, and where."""
    script, *arguments = recording.command
    if recording.packages.startswith("node"):
        return [*node(recording.packages), script, *arguments], TARGET / recording.packages
    return [str(python(recording.packages)), str(HERE / "python" / script), *arguments], HERE / "python"


# ---- the recorder --------------------------------------------------------------------------------------------------


class Recorder(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps each body as it came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.lock = threading.Lock()
        self.bodies: list[tuple[str, str, bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def log_message(self, *_: object) -> None:
        pass

    def parts(self):
        """The body, chunked or of a stated length."""
        if "content-length" in self.headers:
            yield self.rfile.read(int(self.headers["content-length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def do_POST(self) -> None:
        body = b"".join(self.parts())
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["content-type"].partition(";")[0]
        with self.server.lock:
            self.server.bodies.append((self.path.rpartition("/")[2], kind, body))
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", "0")
        self.end_headers()


# Runs in an environment that has protobuf: OTLP/JSON wants ids in hex and enums as numbers.
TO_JSON = r"""
import base64, json, sys
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest as logs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest as metrics
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as traces

def hexed(value):
    if isinstance(value, list):
        return [hexed(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {key: base64.b64decode(item).hex() if key in ids else hexed(item) for key, item in value.items()}

request = {"logs": logs, "metrics": metrics, "traces": traces}[sys.argv[1]].FromString(sys.stdin.buffer.read())
print(json.dumps(hexed(MessageToDict(request, use_integers_for_enums=True)), ensure_ascii=False, separators=(",", ":")))
"""


# OTLP/JSON as protobuf, where ids are bytes.
FROM_JSON = r"""
import base64, json, sys
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest as logs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest as metrics
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as traces

def unhexed(value):
    if isinstance(value, list):
        return [unhexed(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    of = lambda key, item: base64.b64encode(bytes.fromhex(item)).decode() if key in ids else unhexed(item)
    return {key: of(key, item) for key, item in value.items()}

request = {"logs": logs, "metrics": metrics, "traces": traces}[sys.argv[1]]()
ParseDict(unhexed(json.load(sys.stdin.buffer)), request, ignore_unknown_fields=True)
sys.stdout.buffer.write(request.SerializeToString())
"""


# Stack traces name files of the machine that recorded them, and resources its kernel.
HERE_ALONE = [(str(TARGET.parent), "/clew/target"), (str(ROOT), "/clew"), (platform.release(), "6.12.0")]
ANYWHERE = r"""
import json, sys
from google.protobuf.json_format import MessageToJson, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest as logs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest as metrics
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as traces

kind = {"logs": logs, "metrics": metrics, "traces": traces}[sys.argv[1]]
text = MessageToJson(kind.FromString(sys.stdin.buffer.read()))
for here, anywhere in json.loads(sys.argv[2]):
    text = text.replace(here, anywhere)
sys.stdout.buffer.write(Parse(text, kind()).SerializeToString())
"""


def made(program: str, *arguments: str, body: bytes) -> bytes:
    """What one of the programs above makes of a request."""
    words = [python("langgraph"), "-c", program, *arguments]
    return subprocess.run(words, input=body, stdout=subprocess.PIPE, check=True).stdout


def anywhere(signal: str, kind: str, body: bytes) -> bytes:
    """A request that names no folder of this machine, nor its kernel."""
    if kind == "application/json":
        for here, there in HERE_ALONE:
            body = body.replace(here.encode(), there.encode())
        return body
    if not any(here.encode() in body for here, _ in HERE_ALONE):
        return body
    return made(ANYWHERE, signal, json.dumps(HERE_ALONE), body=body)


def keep(recording: Recording, bodies: list[tuple[str, str, bytes]]) -> None:
    """Writes the requests of a recording in place of the old ones."""
    folder = FIXTURES / recording.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, (signal, kind, body) in enumerate(bodies, 1):
        path = folder / f"{number:03}-{signal}-http-{'json' if kind == 'application/json' else 'protobuf'}"
        body = anywhere(signal, kind, body)
        if kind == "application/json":
            path.with_suffix(".raw.json").write_bytes(body)
            body = made(FROM_JSON, signal, body=body)
        path.with_suffix(".pb").write_bytes(body)
        path.with_suffix(".json").write_bytes(made(TO_JSON, signal, body=body))


def keep_truth(run: str, served: list[dict]) -> None:
    """Puts what was served in a run in place of what was served in it before."""
    lines = [json.loads(line) for line in TRUTH.read_text().splitlines()]
    others = [line for line in lines if line["run"] != run]
    ours = [line for line in served if line["run"] == run]
    last = max(line["seq"] for line in others)
    ours = [line | {"seq": last + number} for number, line in enumerate(ours, 1)]
    with TRUTH.open("w") as file:
        for line in others + ours:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


# ---- running -------------------------------------------------------------------------------------------------------


def surroundings(service: str, provider: str, endpoint: str, pace: float) -> dict[str, str]:
    """What a program finds in its environment: both addresses are on loopback, and the keys open nothing."""
    return os.environ | {
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OPENAI_BASE_URL": f"{provider}/v1",
        "OPENAI_API_KEY": "sk-stand-in",
        "ANTHROPIC_BASE_URL": provider,
        "ANTHROPIC_API_KEY": "sk-stand-in",
        "LANGSMITH_TRACING": "false",
        "TRACELOOP_TELEMETRY": "false",
        "STAND_IN_PACE": str(pace),
        "PYTHONWARNINGS": "ignore",
    }


def record(recording: Recording) -> str:
    """Runs a program to its end; what came of it, in a line."""
    from provider import Provider

    provider, recorder = Provider(pace=recording.pace), Recorder()
    at = provider.url(recording.name), recorder.address
    if recording.packages == "node_agents":
        folder = agents.DESK
        words, env = agents.ready(recording.command[0], TARGET / recording.packages, *at)
    else:
        words, folder = command(recording)
        env = surroundings(SERVICES[recording.command[0]], *at, recording.pace)
        # One request for each signal, at the end.
        env |= {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_BLRP_SCHEDULE_DELAY": "600000"} | recording.env
    nothing = subprocess.DEVNULL
    ran = subprocess.run(
        words, cwd=folder, env=env, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180
    )
    provider.shutdown()
    recorder.shutdown()
    if ran.returncode != 0:
        raise RuntimeError(f"{recording.name} ended with {ran.returncode}:\n{ran.stdout}")
    keep(recording, recorder.bodies)
    keep_truth(recording.name, provider.lines)
    return f"{recording.name}: {len(recorder.bodies)} requests, {len(provider.lines)} calls served"


def record_sealed(recording: Recording) -> str:
    """The same in a process that has no network, with the packages fetched before."""
    node(recording.packages)
    python("langgraph")
    words = agents.sealed(sys.executable, __file__, SEALED, recording.name)
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


SEALED = "--sealed"


def main() -> None:
    if sys.argv[1:2] == [SEALED]:
        agents.seal()
        print(record(next(each for each in RECORDINGS if each.name == sys.argv[2])))
        return
    wanted = [each for each in RECORDINGS if each.name in sys.argv[1:] or len(sys.argv) == 1]
    if len(wanted) < len(sys.argv) - 1:
        raise SystemExit(f"known are: {', '.join(each.name for each in RECORDINGS)}")
    for each in wanted:
        print((record_sealed if each.packages == "node_agents" else record)(each), flush=True)


if __name__ == "__main__":
    main()
