"""The official download, by torchvision."""

import contextlib
import errno
import http.client
import io
import socket
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from torchvision.datasets import CIFAR10, MNIST
from torchvision.datasets.utils import USER_AGENT, download_url

from bench.data import folder
from bench.data.datasets import Arrays, DatasetSpec, SourceError

ANSWER_SECONDS = 10.0
"""A host that says nothing for so long is given up."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def download(spec: DatasetSpec, work: Path) -> Arrays:
    """Download into the folder ``work`` with torchvision, which checks MD5, and decode.

    Raises:
        SourceError: no host answers, the download stalls or breaks, or a file is damaged.
        OSError: the disk is full.
    """
    first = MNIST.resources[0][0]
    candidates = {
        "cifar10": [CIFAR10.url],
        "mnist": [f"{mirror}{first}" for mirror in MNIST.mirrors],
    }[spec.name]
    urls = _from_first_answering(candidates)
    try:
        with _guarded():
            if spec.name == "cifar10":
                download_url(CIFAR10.url, work, CIFAR10.filename, CIFAR10.tgz_md5)
            else:
                # It names the folder after the class, and would wait for each silent mirror again.
                mirrors = {"mirrors": [url.removesuffix(first) for url in urls]}
                type("MNIST", (MNIST,), mirrors)(work, download=True)
        return folder.read(spec, work)
    except (OSError, RuntimeError, http.client.HTTPException, tarfile.TarError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            raise
        raise SourceError(f"download of {urls[0]} failed: {_one_line(error)}") from error


def _from_first_answering(urls: Sequence[str]) -> Sequence[str]:
    """``urls`` without those before the first that answers; raises SourceError where none does.

    Each is asked in a thread of its own, because name resolution knows no timeout.
    """
    problems = dict.fromkeys(urls, f"no answer within {ANSWER_SECONDS:g} s")

    def ask(url: str) -> None:
        request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):
                problems[url] = ""
        except Exception as error:  # whatever it is, it is the reason this host is of no use
            problems[url] = _one_line(error)

    threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ANSWER_SECONDS
    for position, (url, thread) in enumerate(zip(urls, threads, strict=True)):
        thread.join(max(0.0, deadline - time.monotonic()))
        if not problems[url]:
            return urls[position:]
    raise SourceError("; ".join(f"{url}: {problems[url]}" for url in urls))


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    """End a stalled transfer; no progress bar where no person looks; no warnings of torchvision."""
    with contextlib.ExitStack() as stack:
        stack.callback(socket.setdefaulttimeout, socket.getdefaulttimeout())
        socket.setdefaulttimeout(ANSWER_SECONDS)
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        if not sys.stderr.isatty():
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        yield


def _one_line(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection ({error.reason})"
    return " ".join(str(error).split()) or type(error).__name__
