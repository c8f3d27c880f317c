"""The machine is described without names of hosts or users, devices are chosen or refused."""

import platform
import shutil
import subprocess

import pytest
import torch

from bench.errors import UsageError
from bench.training import environment


def test_cuda_without_a_gpu_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"--device cuda: .* finds no GPU.*--device cpu"):
        environment.choose_device("cuda")
    assert environment.choose_device("auto").type == "cpu"


def test_auto_takes_the_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert environment.choose_device("auto").type == "cuda"
    assert environment.choose_device("cpu").type == "cpu"


def test_unknown_device_lists_the_known_ones():
    with pytest.raises(UsageError, match="no device named 'tpu'; there are auto, cpu, cuda"):
        environment.choose_device("tpu")


def test_description_is_complete_and_names_nobody(monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    monkeypatch.setenv("LOGNAME", "secret-user")
    described = environment.describe(torch.device("cpu"))
    assert described.device_name == described.cpu
    assert described.threads == torch.get_num_threads()
    assert described.cpu_count >= 1
    assert described.memory_bytes > 2**28
    assert "secret" not in described.model_dump_json()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_says_when_files_differ(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    package = tmp_path / "bench" / "training"
    package.mkdir(parents=True)
    (package / "environment.py").write_text("")
    monkeypatch.setattr(environment, "__file__", str(package / "environment.py"))
    assert environment.commit() is None
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = environment.commit()
    assert len(clean) == 12
    (package / "environment.py").write_text("# changed")
    assert environment.commit() == f"{clean}+changes"
