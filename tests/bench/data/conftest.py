import os
import sys
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from torchvision.datasets import CIFAR10, MNIST

from tests.bench.data.tools import make_dataset

DEAD_URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def offline(cifar10, mnist, monkeypatch):
    """No test reaches the network: a proxy that is not there stands in the way.

    The real data sets are fetched before, or the first test that asks for them would fail.
    """
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, DEAD_URL)
        monkeypatch.setenv(variable.upper(), DEAD_URL)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(urllib.request, "_opener", None)  # made anew, it reads the variables


@pytest.fixture(params=["cifar10", "mnist"])
def tiny(request, monkeypatch):
    return make_dataset(request.param, monkeypatch)


@pytest.fixture
def tiny_mnist(monkeypatch):
    return make_dataset("mnist", monkeypatch)


@pytest.fixture
def tiny_cifar10(monkeypatch):
    return make_dataset("cifar10", monkeypatch)


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put an npm on the PATH that runs ``script`` in the pack destination; returns its call log."""

    def install(script):
        folder = tmp_path / "bin"
        log = tmp_path / "npm-calls.txt"
        folder.mkdir()
        program = folder / "npm"
        program.write_text(
            f"#!{sys.executable}\n"
            "import os, pathlib, shutil, sys, time\n"
            f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            "os.chdir(sys.argv[sys.argv.index('--pack-destination') + 1])\n" + script
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return log

    return install


@dataclass
class Host:
    """A stand-in for the official host; answers ``files`` by path."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    stall_before: bool = False
    stall_after: int | None = None
    released: Event = field(default_factory=Event)


class Handler(BaseHTTPRequestHandler):
    def __init__(self, host, *arguments):
        self.host = host
        super().__init__(*arguments)

    def do_GET(self):
        if self.host.stall_before:
            self.host.released.wait(20)
            return
        content = self.host.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content[: self.host.stall_after])
            if self.host.stall_after is not None:
                self.wfile.flush()
                self.host.released.wait(20)
        except OSError:
            pass  # whoever only asked whether we are there has gone

    def log_message(self, *arguments):
        pass


@pytest.fixture
def host(monkeypatch):
    host = Host("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, host))
    server.daemon_threads = True
    server.block_on_close = False
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(CIFAR10, "url", f"{host.url}/{CIFAR10.filename}")
    monkeypatch.setattr(MNIST, "mirrors", [f"{host.url}/"])
    thread = Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield host
    host.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
