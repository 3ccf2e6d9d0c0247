"""Coding agents as they come from npm, each with its telemetry on, in a home and a folder of its own.

They run sealed off: in a network that has nothing but loopback, on a host that has no name of ours, in folders that are
there for them alone, with nothing of our environment. What else they try to reach, they do not find.
"""

import shutil
import socket
import subprocess
from pathlib import Path

PLACE = Path("/srv")
HOME = PLACE / "home"
DESK = PLACE / "desk"
PROMPT = "The parser test fails. Find out why and fix it."

PARSER = """def fields(line):
    \"\"\"The fields of a line of CSV, without the spaces around them.\"\"\"
    return [field for field in line.split(",")]
"""

TEST = """import unittest

from parser import fields


class Fields(unittest.TestCase):
    def test_spaces(self):
        self.assertEqual(fields("a, b"), ["a", "b"])
"""

CODEX = """model = "gpt-6.1-sol"
model_provider = "stand_in"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.stand_in]
name = "stand-in"
base_url = "{provider}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"

[otel]
environment = "test"
log_user_prompt = true
exporter = {{ otlp-http = {{ endpoint = "{endpoint}/v1/logs", protocol = "binary" }} }}
trace_exporter = {{ otlp-http = {{ endpoint = "{endpoint}/v1/traces", protocol = "binary" }} }}
metrics_exporter = "none"
"""

SETTINGS = """{
  "security": {"auth": {"selectedType": "gemini-api-key"}},
  "privacy": {"usageStatisticsEnabled": false},
  "tools": {"core": ["run_shell_command", "read_file", "replace"]},
  "general": {"disableAutoUpdate": true, "disableUpdateNag": true}
}
"""


def sealed(*words: str) -> list[str]:
    """The words that run a program in namespaces of its own, in which `seal` then shuts it off. Linux only."""
    return ["unshare", "--map-root-user", "--net", "--mount", "--uts", *words]


def seal() -> None:
    """Leaves loopback and nothing else of the network, and gives the agents a host and a place that name no machine."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", PLACE], check=True)
    socket.sethostname("desk")


def claude(packages: Path, provider: str, endpoint: str) -> tuple[list[str], dict[str, str]]:
    """Claude Code, with the beta of its traces, and with all the content that it states but its raw requests."""
    (HOME / ".claude.json").write_text(f'{{"userID": "{0:064}", "hasCompletedOnboarding": true}}')
    env = {
        "ANTHROPIC_BASE_URL": provider,
        "ANTHROPIC_API_KEY": "sk-stand-in",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_LOG_USER_PROMPTS": "1",
        "OTEL_LOG_TOOL_DETAILS": "1",
        "OTEL_LOG_TOOL_CONTENT": "1",
    }
    words = [str(packages / "node_modules/.bin/claude"), "--print", PROMPT, "--model", "claude-opus-5"]
    words += ["--allowedTools", "Bash Read Edit Agent", "--session-id", "5e551011-0000-4000-8000-000000000001"]
    return words, env


def codex(packages: Path, provider: str, endpoint: str) -> tuple[list[str], dict[str, str]]:
    """Codex, which takes its telemetry from its configuration alone."""
    (HOME / ".codex").mkdir()
    (HOME / ".codex/config.toml").write_text(CODEX.format(provider=provider, endpoint=endpoint))
    words = [str(packages / "node_modules/.bin/codex"), "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access"]
    return [*words, PROMPT], {"OPENAI_API_KEY": "sk-stand-in"}


def gemini(packages: Path, provider: str, endpoint: str) -> tuple[list[str], dict[str, str]]:
    """Gemini CLI, with its traces, which are off by default; with few tools and a short prompt, as every span has them."""
    env = {
        "GEMINI_API_KEY": "stand-in",
        "GOOGLE_GEMINI_BASE_URL": provider,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "GEMINI_SYSTEM_MD": str(HOME / "system.md"),
        "GEMINI_TELEMETRY_ENABLED": "true",
        "GEMINI_TELEMETRY_TARGET": "local",
        "GEMINI_TELEMETRY_OTLP_PROTOCOL": "http",
        "GEMINI_TELEMETRY_OTLP_ENDPOINT": endpoint,
        "GEMINI_TELEMETRY_TRACES_ENABLED": "true",
        "GEMINI_TELEMETRY_LOG_PROMPTS": "true",
    }
    (HOME / ".gemini").mkdir()
    (HOME / ".gemini/settings.json").write_text(SETTINGS)
    (HOME / "system.md").write_text("You are Gemini CLI, an agent that mends programs.\n")
    words = [str(packages / "node_modules/.bin/gemini"), "--prompt", PROMPT, "--model", "gemini-2.5-pro"]
    return [*words, "--approval-mode", "yolo"], env


def ready(agent: str, packages: Path, provider: str, endpoint: str) -> tuple[list[str], dict[str, str]]:
    """Lays out the home and the folder; the words and the whole environment with which to run an agent there."""
    HOME.mkdir()
    DESK.mkdir()
    (DESK / "parser.py").write_text(PARSER)
    (DESK / "test_parser.py").write_text(TEST)
    words, env = {"claude": claude, "codex": codex, "gemini": gemini}[agent](packages, provider, endpoint)
    node = Path(shutil.which("node") or "node").parent
    plain = {"HOME": str(HOME), "USER": "u", "SHELL": "/bin/bash", "LANG": "C.UTF-8", "TERM": "xterm"}
    return words, plain | env | {"PATH": f"{node}:/usr/local/bin:/usr/bin:/bin"}
