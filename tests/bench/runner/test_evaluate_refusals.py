"""What ``bench evaluate`` says of bad input: one line, the right exit code, nothing stored."""

import os
from pathlib import Path

import pytest
import torch

from bench.training.evaluation import Evaluator, Look
from tests.support.checkpoints import Payload, network
from tests.support.tools import assert_refused

pytestmark = pytest.mark.heavy

STATE = network().state_dict()
CODE = {"net": STATE, "extra": Payload("/nowhere/x")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--model", "resnet19"],
            "no model named 'resnet19' .did you mean resnet18.*; there are resnet18",
        ),
        (
            ["--dataset", "cifar100"],
            "unknown dataset 'cifar100' .did you mean cifar10..; known: cifar10, mnist",
        ),
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
def test_a_wrong_request_exits_with_2(arguments, words, evaluate, tmp_path):
    assert_refused(evaluate(STATE, *arguments), 2, words)
    assert not (tmp_path / "evaluations").exists()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (Path("absent.pt"), 2, r"^error: no file absent\.pt\n$"),
        ({"epoch": 3}, 2, "holds no state dict"),
        (network("cifar_resnet32").state_dict(), 2, "They are those of --model cifar_resnet32"),
        (network(num_classes=100).state_dict(), 2, "weights for 100 classes, not 10"),
        (network(in_channels=1).state_dict(), 2, "weights for images of 1 channels, not 3"),
        (CODE, 1, r"weights\.pt was not opened: it holds Python objects \(posix\.system\)"),
        # Names reach the terminal escaped and short.
        (
            STATE | {"x\n\x1b[31m": torch.ones(1), "": torch.ones(1)},
            2,
            r"weights\.pt: not weights of cifar_resnet20.*left over 'x\\n\\x1b\[31m', ''\n$",
        ),
        (STATE | {"x" * 10**6: torch.ones(1)}, 2, "left over x{100}…\n$"),
        (STATE | {"fc.bias": torch.ones([1] * 64)}, 2, r"has the shape .{,110}…, not \(10,\)"),
    ],
)
def test_a_file_that_cannot_be_used(content, code, words, evaluate, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.data.sources.load", None)  # no data is fetched for it
    done = evaluate(content)
    assert_refused(done, code, "^error: .*\n$", words)
    assert done.stdout == ""
    assert not (tmp_path / "evaluations").exists()


@pytest.mark.parametrize("name", ["Evaluator", "DeviceData", "nn.Module.to"])
def test_too_little_memory_exits_with_1(name, evaluate, monkeypatch):
    def fail(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    monkeypatch.setattr(f"bench.runner.evaluate.{name}", fail)
    done = evaluate(STATE)
    assert_refused(done, 1, r"^error: the GPU has too little memory\. Use --device cpu\.\n$")


@pytest.mark.parametrize(
    "bad",
    [{"bn1.running_var": torch.full((16,), -1.0)}, {"fc.weight": torch.full((10, 64), 3e38)}],
)
@pytest.mark.parametrize(
    ("asked", "words"), [("none", "with normalisation none"), ("all", "with every normalisation")]
)
def test_a_network_that_gives_no_numbers_has_no_score(asked, words, bad, evaluate, tmp_path):
    """The largest of ten NaN is the first one, which is right for a tenth of the images."""
    done = evaluate(STATE | bad, "--expect", "90", "--normalize", asked)
    assert_refused(done, 1, f"^error: {words} the network gives values that are not finite\n$")
    assert not list((tmp_path / "evaluations").iterdir())


def test_a_score_that_is_no_number_is_left_out(evaluate, only, monkeypatch):
    losses = iter([float("nan"), 1.5, float("inf"), 1.0])
    monkeypatch.setattr(Evaluator, "look", lambda _: Look(40, 30, next(losses), torch.zeros(40)))
    done = evaluate(STATE)
    assert done.returncode == 0
    assert "imagenet: left out, the network gives values that are not finite" in done.stdout
    assert [score.normalisation for score in only().scores] == ["dataset", "none"]
    assert only().normalize == "all"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"r\xe9seau.pt", r"'r\udce9seau.pt'"),
        (b"it's here.pt", "it's here.pt"),
        (b"a:fire:\nb\x1b[31m.pt", r"'a:fire:\nb\x1b[31m.pt'"),
    ],
)
def test_any_name_of_a_file_can_be_shown_and_stored(name, shown, evaluate, only, tmp_path):
    path = tmp_path / os.fsdecode(name)
    torch.save(STATE, path)
    done = evaluate(path, "--normalize", "none", out=tmp_path / ":fire:")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{shown}: ")
    assert "\x1b" not in done.stdout
    assert only(tmp_path / ":fire:").file_name == shown
    torch.save(STATE | {"x": torch.ones(1)}, path)
    assert evaluate(path).stderr.startswith(f"error: {shown}: not weights of")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            STATE,
            "2 networks have such weights: give --model cifar_resnet20 or --model cifar_plain20",
        ),
        ({"fc.weight": torch.ones(10, 4)}, "weights of no network here"),
    ],
)
def test_weights_that_do_not_tell_their_network_exit_with_2(state, words, evaluate, tmp_path):
    assert_refused(evaluate(state, model=None), 2, words)
    assert not (tmp_path / "evaluations").exists()
