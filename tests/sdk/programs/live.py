"""A real LangGraph program against the stand-in provider and the real binary: seen while it runs, whole when it is done."""

import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "python")]

from clew import Clew, binary  # noqa: E402
from provider import Provider  # noqa: E402
from record import python, surroundings  # noqa: E402

SERVICE = "research-desk"
STEPS = [
    ("deep_research", "chain"),
    ("plan", "chain"),
    ("ChatOpenAI", "llm"),
    ("research", "chain"),
    ("researcher", "chain"),
    ("web_search", "tool"),
    ("read_page", "tool"),
    ("write", "chain"),
]


class Live(unittest.TestCase):
    def test_an_agent_is_seen_as_it_runs_and_counted_right(self) -> None:
        clew, provider = Clew(), Provider(pace=0.3)
        self.addCleanup(clew.stop)
        env = surroundings(SERVICE, provider.url(SERVICE), f"http://{clew.http}", 0.3)
        program = subprocess.Popen(
            [python("langgraph"), "research.py"],
            cwd=HERE / "python",
            env=env | {"OTEL_BSP_SCHEDULE_DELAY": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.kill)

        def row(state: str):
            rows = [each for each in clew.call("list_traces")["rows"] if each["state"] == state]
            return rows[0] if rows and (state == "running" or clew.call("get_status")["underived"] == 0) else None

        running = clew.eventually("the trace, running", lambda: row("running"))
        said, _ = program.communicate(timeout=180)
        self.assertEqual(program.returncode, 0, said)
        self.assertIn("Battery buses for a town", said)

        done = clew.eventually("the trace, complete", lambda: row("complete"))
        self.assertEqual(done["traceId"], running["traceId"])
        self.assertGreater(done["spanCount"], running["spanCount"])
        served = [line["usage"] for line in provider.lines]
        self.assertEqual(len(served), 5)
        self.assertEqual(done["callCount"], len(served))
        for stated, kept in (("inputTokens", "input"), ("outputTokens", "output"), ("cachedTokens", "cached")):
            self.assertEqual(done[stated], sum(usage[kept] for usage in served), stated)
        self.assertEqual((done["session"], done["user"]), ("desk-7", "ines"))
        self.assertIn("Should a town of 80,000", done["inputPreview"])

        shown = [binary(), "trace", done["traceId"], "--tree", "--db", str(Path(clew.folder.name) / "clew.db")]
        tree = subprocess.run(shown, capture_output=True, text=True, check=True, timeout=90).stdout
        for name, operation in STEPS:
            of = [line for line in tree.splitlines() if line.lstrip("│├└─ ").startswith(f"{name} ") and f" {operation}" in line]
            self.assertTrue(of, f"no {operation} {name} in:\n{tree}")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
