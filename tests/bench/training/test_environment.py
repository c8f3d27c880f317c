"""The machine is described without names of hosts or users, devices are chosen or refused."""

import platform
import shutil
import subprocess
import warnings

import pytest
import torch

from bench.errors import UsageError
from bench.training import environment


@pytest.fixture
def two_gpus(monkeypatch):
    """The numbers of the devices that become torch's own."""
    chosen: list[int] = []
    for name, stand_in in (
        ("is_available", lambda: True),
        ("device_count", lambda: 2),
        ("set_device", chosen.append),
        ("get_device_name", lambda device: f"GPU {torch.device(device).index}"),
    ):
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return chosen


def test_cuda_without_a_gpu_is_refused_with_the_reason_and_the_remedy(monkeypatch):
    def available():
        warnings.warn("The NVIDIA driver on your system is too old\nmore", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", available)
    expected = r"--device cuda: .* finds no GPU here \(The NVIDIA.* too old\)\. .*--device cpu"
    with pytest.raises(UsageError, match=expected):
        environment.choose_device("cuda")
    assert environment.choose_device("auto") == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "index", "option"),
    [("auto", 0, "cuda"), ("cuda", 0, "cuda"), ("cuda:0", 0, "cuda"), ("cuda:1", 1, "cuda:1")],
)
def test_the_gpu_that_was_asked_for_is_used_and_named(two_gpus, name, index, option):
    device = environment.choose_device(name)
    assert (device, two_gpus) == (torch.device("cuda", index), [index])
    assert environment.describe(device).device_name == f"GPU {index}"
    assert environment.device_option(device) == option


def test_the_cpu_can_be_chosen_beside_gpus(two_gpus):
    assert environment.choose_device("cpu") == torch.device("cpu")
    assert two_gpus == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("tpu", "no device named 'tpu'; there are auto, cpu, cuda, cuda:1"),
        ("cuda:-1", "no device named 'cuda:-1'"),
        ("cuda:7", r"no such GPU here, only cuda:0 \(GPU 0\), cuda:1 \(GPU 1\)"),
    ],
)
@pytest.mark.usefixtures("two_gpus")
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name, problem):
    with pytest.raises(UsageError, match=problem):
        environment.choose_device(name)


@pytest.mark.parametrize(
    ("free", "problem"),
    [(70e9, None), (10e9, "70 GB of the GPU's memory are taken")],
)
def test_memory_that_other_programs_hold_is_a_problem(monkeypatch, free, problem):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80e9))
    found = environment.gpu_problem(torch.device("cuda"))
    assert found is None if problem is None else problem in found
    assert environment.gpu_problem(torch.device("cpu")) is None


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
    assert clean is not None
    assert len(clean) == 12
    (package / "environment.py").write_text("# changed")
    assert environment.commit() == f"{clean}+changes"
