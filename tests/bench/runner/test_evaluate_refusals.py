"""What ``bench evaluate`` says of bad input: one line, the right exit code, nothing stored."""

import os
import re
from pathlib import Path

import pytest
import safetensors.torch
import torch

from bench.errors import UsageError
from bench.records import store
from bench.runner import evaluate
from bench.training.loop import Look
from tests.support.checkpoints import make_command, network, options
from tests.support.tools import bench

pytestmark = pytest.mark.heavy

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
        (network(), 1, r"Python objects \(resnet_models\.resnet\.ResNet\)"),
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


@pytest.mark.parametrize("name", ["evaluate", "DeviceData", "nn.Module.to"])
def test_too_little_memory_exits_with_1(name, command, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    torch.save(STATE, tmp_path / "good.pt")
    monkeypatch.setattr(f"bench.runner.evaluate.{name}", fail)
    code, _, err = command(*options(tmp_path / "good.pt", tmp_path))
    assert (code, err) == (1, "error: the GPU has too little memory. Use --device cpu.\n")


NOT_FINITE = {
    "bn1.running_var": torch.full((16,), -1.0),
    "fc.weight": torch.full((10, 64), 3e38),
}


@pytest.mark.parametrize("name", NOT_FINITE)
@pytest.mark.parametrize(
    ("asked", "words"), [("none", "with normalisation none"), ("all", "with every normalisation")]
)
def test_a_network_that_gives_no_numbers_has_no_score(asked, words, name, command, tmp_path):
    """The largest of ten NaN is the first one, which is right for a tenth of the images."""
    torch.save(STATE | {name: NOT_FINITE[name]}, tmp_path / "nan.pt")
    claim = ("--expect", "90", "--normalize", asked)
    code, _, err = command(*options(tmp_path / "nan.pt", tmp_path, *claim))
    assert code == 1
    assert err == f"error: {words} the network gives values that are not finite\n"
    assert not list((tmp_path / "evaluations").iterdir())


def test_a_score_that_is_no_number_is_left_out(command, tmp_path, monkeypatch):
    losses = iter([float("nan"), 1.5, float("inf"), 1.0])
    monkeypatch.setattr(
        evaluate, "evaluate", lambda *_: Look(40, 30, next(losses), torch.zeros(40))
    )
    torch.save(STATE, tmp_path / "good.pt")
    code, out, _ = command(*options(tmp_path / "good.pt", tmp_path))
    assert code == 0
    assert "normalisation imagenet: left out, the network gives values that are not finite" in out
    (evaluation,), _ = store.load_evaluations(tmp_path / "evaluations")
    assert [score.normalisation for score in evaluation.scores] == ["dataset", "none"]
    assert evaluation.normalize == "all"


def test_foreign_names_reach_the_terminal_escaped_and_short(command, tmp_path):
    path = tmp_path / "a:fire:\nb\x1b[31m.pt"
    torch.save(STATE | {"x\n\x1b[31m": torch.ones(1), "": torch.ones(1)}, path)
    _, _, err = command(*options(path, tmp_path))
    assert r"'a:fire:\nb\x1b[31m.pt': not weights of cifar_resnet20" in err
    assert err.endswith(r"left over 'x\n\x1b[31m', ''" + "\n")
    torch.save(STATE | {"x" * 10**6: torch.ones(1)}, path)
    _, _, err = command(*options(path, tmp_path))
    assert err.endswith(f"left over {'x' * 100}…\n")
    torch.save(STATE | {"fc.bias": torch.ones([1] * 64)}, path)
    assert re.search(
        r"fc.bias has the shape .{,110}…, not \(10,\)", command(*options(path, tmp_path))[2]
    )
    torch.save(STATE, path)
    code, out, err = command(*options(path, tmp_path, "--normalize", "none"))
    assert (code, err) == (0, "")
    assert out.startswith(r"'a:fire:\nb\x1b[31m.pt': ")
    assert "\x1b" not in out


@pytest.mark.parametrize("name", [b"r\xe9seau.pt", b"it's here.pt"])
def test_any_name_of_a_file_can_be_stored(name, command, tmp_path):
    path = tmp_path / os.fsdecode(name)
    torch.save(STATE, path)
    assert command(*options(path, tmp_path / ":fire:", "--normalize", "none"))[::2] == (0, "")
    (evaluation,), problems = store.load_evaluations(tmp_path / ":fire:" / "evaluations")
    assert not problems
    assert evaluation.file_name in ("it's here.pt", r"'r\udce9seau.pt'")


@pytest.mark.parametrize("save", [torch.save, safetensors.torch.save_file])
def test_a_truncated_file_exits_with_1(save, command, tmp_path):
    path = tmp_path / "cut.pt"
    save(STATE, path)
    path.write_bytes(path.read_bytes()[:-100])
    code, _, err = command(*options(path, tmp_path))
    assert code == 1
    assert "damaged or was cut off" in err


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


def test_as_a_user_runs_it_a_file_with_code_is_not_opened(tmp_path):
    torch.save({"net": STATE, "extra": Payload(tmp_path / "executed")}, tmp_path / "evil.pt")
    done = bench("evaluate", *options(tmp_path / "evil.pt", tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*evil\.pt was not opened: .*system.*\n", done.stderr)
    assert not (tmp_path / "executed").exists()


def test_as_a_user_runs_it_an_absent_file_exits_with_2(tmp_path):
    done = bench("evaluate", *options(tmp_path / "absent.pt", tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: no file .*absent\.pt\n", done.stderr)


def test_a_request_checks_itself():
    with pytest.raises(UsageError, match="--expect 200"):
        evaluate.Request(checkpoint=Path("x"), model="resnet18", dataset="mnist", claim=200)
