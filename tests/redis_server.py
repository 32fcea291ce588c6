"""A Redis of the tests' own, on loopback."""

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")
PASSWORD = "red-s3cret"


class RedisServer:
    """Keeps nothing on disk, so that it is empty when it starts again."""

    def __init__(self, program: str, folder: Path, *options: str) -> None:
        self.port = _free_port()
        self.address = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        here = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder)]
        self._command = [program, *here, "--requirepass", PASSWORD, "--save", "", *options]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        try:
            self.ask("PING")
        except BaseException:
            self.kill()
            raise

    def reset(self) -> None:
        """Be as just started, whatever a test has done to it."""
        if self._process.poll() is not None:
            self.start()
            return
        self.thaw()
        self.ask("FLUSHALL")
        self.ask("SCRIPT", "FLUSH")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def ask(self, *command: str | float) -> Any:
        """Ask as an operator would; waits while it starts."""
        patience = Retry(ConstantBackoff(0.05), 200)
        with Redis.from_url(self.address, decode_responses=True, retry=patience) as client:
            return client.execute_command(*command)


def _free_port() -> int:
    while True:
        # A node of a cluster also takes the port 10,000 further on. Both are below those of connections.
        port = random.randrange(20_000, 22_700)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


@contextmanager
def serving_redis(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Run a Redis; skips the test where there is none to run."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(PROGRAM, folder, *options)
    try:
        yield server
    finally:
        server.kill()
