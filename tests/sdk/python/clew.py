"""Starts the real binary on free ports with a database of its own, and asks its API."""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path


def binary() -> str:
    """The binary that `cargo xtask test` built."""
    root = Path(__file__).resolve().parents[3]
    return os.environ.get("CLEW_BIN", str(root / "target" / "debug" / "clew"))


def authority(address: object) -> str:
    """host:port of an address, however it is written."""
    if isinstance(address, list):
        address = address[0]
    if isinstance(address, int):
        return f"127.0.0.1:{address}"
    return str(address).removeprefix("http://").split("/")[0]


class Clew:
    """A running `clew serve`."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="clew-sdk-")
        database = str(Path(self.folder.name) / "clew.db")
        self.process = subprocess.Popen(
            [binary(), "serve", "--json", "--grpc", "0", "--http", "0", "--ui", "0", "--db", database],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"clew serve ended with {self.process.wait()} before it listened")
        started = json.loads(line)
        self.grpc = authority(started["grpc"])
        self.http = authority(started["http"])
        self.ui = authority(started["ui"])
        self.token = started["token"]

    def call(self, command: str, **params: object) -> dict:
        """Runs one command of the door."""
        request = urllib.request.Request(
            f"http://{self.ui}/api/{command}",
            data=json.dumps(params).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=90) as response:
            return json.load(response)

    def eventually(self, what: str, ask, seconds: float = 90):
        """Asks until the answer is not None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = ask()
            if answer is not None:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {seconds} s")

    def stop(self) -> int:
        """Asks it to stop, and returns how it ended."""
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.folder.cleanup()
        return code
