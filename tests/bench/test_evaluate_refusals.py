"""What ``bench evaluate`` says of bad input: one line, the right exit code, nothing stored."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from bench import evaluate
from bench.errors import UsageError
from tests.bench.checkpoints import make_command, network, options

ROOT = Path(__file__).parents[2]
STATE = network().state_dict()
NEW_CLASSES = network(num_classes=100).state_dict()
GRAY = network(in_channels=1).state_dict()


@pytest.fixture
def command(monkeypatch, capsys):
    return make_command(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "resnet19"], "no model named 'resnet19'; there are resnet18"),
        (["--dataset", "cifar100"], "unknown dataset 'cifar100'; known: cifar10, mnist"),
        (["--lineage", "torchvision"], "the lineage 'paper' only"),
        (["--lineage", "v2"], "'v2' is not one of 'paper'"),
        (["--normalize", "some"], "'some' is not one of 'all'"),
        (
            ["--dataset", "mnist", "--normalize", "imagenet"],
            "--normalize imagenet does not apply to mnist; there are all, dataset, none",
        ),
        (["--dataset", "mnist", "--normalize", "pytorch-cifar"], "does not apply to mnist"),
        (["--expect", "-1"], r"--expect -1.0: a number from 0 to 100"),
        (["--expect", "101"], "--expect 101.0: a number from 0 to 100"),
        (["--expect", "nan"], "--expect nan: a number from 0 to 100"),
        (["--expect", "few"], "Invalid value for '--expect'"),
        (["--tolerance", "-0.1"], "--tolerance -0.1: a number from 0 to 100"),
        (["--tolerance", "inf"], "--tolerance inf: a number from 0 to 100"),
        (["--device", "tpu"], "no device named 'tpu'"),
    ],
)
def test_a_wrong_request_exits_with_2(arguments, words, command, tmp_path):
    torch.save(STATE, tmp_path / "good.pt")
    code, _, err = command(*options(tmp_path / "good.pt", tmp_path, *arguments))
    assert code == 2
    assert re.search(words, err), err
    assert not (tmp_path / "evaluations").exists()


@pytest.mark.parametrize(
    ("content", "exit_code", "words"),
    [
        ("not a checkpoint", 2, "is not a checkpoint"),
        ({"epoch": 3}, 2, "holds no state dict"),
        (network("cifar_resnet32").state_dict(), 2, "They are those of --model cifar_resnet32"),
        (NEW_CLASSES, 2, "weights for 100 classes, not 10"),
        (GRAY, 2, "weights for images of 1 channels, not 3"),
        ({key: STATE[key] for key in STATE if key != "fc.bias"}, 2, "missing fc.bias"),
        (STATE | {"head.bias": torch.zeros(10)}, 2, "left over head.bias"),
        (STATE | {"linear.bias": torch.zeros(10)}, 2, "as 'fc.bias' and as 'linear.bias'"),
        (STATE | {"fc.bias": torch.full((10,), torch.nan)}, 1, "not finite"),
        (network(), 1, r"Python objects \(resnet_models\.cifar\.CifarResNet\)"),
    ],
)
def test_a_file_that_cannot_be_used(content, exit_code, words, command, tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    if isinstance(content, str):
        path.write_text(content)
    else:
        torch.save(content, path)
    monkeypatch.setattr("bench.data.sources.load", None)  # no data is fetched for it
    code, out, err = command(*options(path, tmp_path))
    assert (code, out) == (exit_code, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert re.search(words, err), err
    assert not (tmp_path / "evaluations").exists()


def test_too_little_memory_exits_with_1(command, tmp_path, monkeypatch):
    def fail(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    torch.save(STATE, tmp_path / "good.pt")
    monkeypatch.setattr(evaluate, "evaluate", fail)
    code, _, err = command(*options(tmp_path / "good.pt", tmp_path))
    assert (code, err) == (1, "error: the GPU has too little memory. Use --device cpu.\n")


@pytest.mark.parametrize("save", [torch.save, safetensors.torch.save_file])
def test_a_truncated_file_exits_with_1(save, command, tmp_path):
    path = tmp_path / "cut.pt"
    save(STATE, path)
    path.write_bytes(path.read_bytes()[:-100])
    code, _, err = command(*options(path, tmp_path))
    assert code == 1
    assert "damaged or was cut off" in err


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench", "evaluate", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


def test_as_a_user_runs_it_a_file_with_code_is_not_opened(tmp_path):
    torch.save({"net": STATE, "extra": Payload(tmp_path / "executed")}, tmp_path / "evil.pt")
    done = bench(*options(tmp_path / "evil.pt", tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*evil\.pt was not opened: .*system.*\n", done.stderr)
    assert not (tmp_path / "executed").exists()


def test_as_a_user_runs_it_an_absent_file_exits_with_2(tmp_path):
    done = bench(*options(tmp_path / "absent.pt", tmp_path))
    assert done.returncode == 2
    assert re.fullmatch(r"error: no file .*absent\.pt\n", done.stderr)


def test_a_request_checks_itself():
    with pytest.raises(UsageError, match="--expect 200"):
        evaluate.Request(checkpoint=Path("x"), model="resnet18", dataset="mnist", claim=200)
