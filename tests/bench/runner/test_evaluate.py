"""Checkpoints on a test set: the numbers, the claim, the record."""

import json
import re
import shlex

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from bench.data.datasets import SPECS
from bench.records import store
from bench.records.evaluations import Evaluation
from bench.runner import evaluate
from bench.training.loop import Look
from resnet_models.convert import export
from tests.support.checkpoints import TEST, make_command, network, options
from tests.support.factories import make_evaluation

pytestmark = pytest.mark.heavy

CIFAR_REPOSITORIES = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture
def command(monkeypatch, capsys):
    return make_command(monkeypatch, capsys)


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    """A ResNet-20 under the names of CIFAR-10 repositories, saved under nn.DataParallel."""
    path = tmp_path_factory.mktemp("checkpoints") / "resnet20.th"
    state = export(model.state_dict(), "cifar")
    torch.save({"net": {f"module.{key}": value for key, value in state.items()}, "acc": 1}, path)
    return path


def by_hand(model, mean, std):
    """Error in percent and mean loss on the test images of cifar10."""
    split = TEST["cifar10"].test
    images = (torch.from_numpy(split.images) / 255 - torch.tensor(mean)) / torch.tensor(std)
    labels = torch.from_numpy(split.labels).long()
    with torch.inference_mode():
        logits = model(images.permute(0, 3, 1, 2))
    wrong = int((logits.argmax(1) != labels).sum())
    return 100 * wrong / len(labels), float(F.cross_entropy(logits, labels))


def only(out):
    """The one evaluation that is stored."""
    (evaluation,), problems = store.load_evaluations(out / "evaluations")
    assert not problems
    return evaluation


def test_all_normalisations_are_tried_and_the_lowest_error_is_reported(
    command, checkpoint, model, tmp_path
):
    code, out, err = command(*options(checkpoint, tmp_path))
    assert (code, err) == (0, "")
    spec = SPECS["cifar10"]
    expected = {
        "imagenet": by_hand(model, *IMAGENET),
        "dataset": by_hand(model, spec.channel_mean, spec.channel_std),
        "pytorch-cifar": by_hand(model, *CIFAR_REPOSITORIES),
        "none": by_hand(model, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    }
    evaluation = only(tmp_path)
    assert [score.normalisation for score in evaluation.scores] == list(expected)
    for score in evaluation.scores:
        error, loss = expected[score.normalisation]
        assert score.images == 40
        assert score.error_percent == error
        assert score.loss == pytest.approx(loss, rel=1e-4)
        assert f"normalisation {score.normalisation}: {error:.2f} % error" in out
    assert len({error for error, _ in expected.values()}) > 1
    lowest = min(error for error, _ in expected.values())
    assert evaluation.score.error_percent == lowest
    assert f"Top-1 error on 40 test images of cifar10: {lowest:.2f} %, 95 % interval" in out
    assert f"normalisation {evaluation.chosen} was picked on these test images" in out


def test_the_output_says_what_the_checkpoint_is(command, checkpoint, tmp_path):
    _, out, _ = command(*options(checkpoint, tmp_path, "--normalize", "dataset"))
    evaluation = only(tmp_path)
    assert f"resnet20.th: {checkpoint.stat().st_size:,} bytes, SHA-256 {evaluation.sha256}" in out
    assert (
        "cifar_resnet20 with cifar names, prefix module.: lineage paper, stem cifar, shortcut A, "
        "269,722 parameters\n"
        "Assumed, since weights do not show it: no pool after the stem, zeros of option A on both "
        "sides, shortcuts (cifar_plain20 has the same names)\n" in out
    )
    assert "picked" not in out
    assert str(tmp_path / "evaluations" / f"{evaluation.id}.json") in out


def test_the_record_is_whole(command, checkpoint, tmp_path):
    command(*options(checkpoint, tmp_path, "--normalize", "none", "--expect", "12.5"))
    evaluation = only(tmp_path)
    assert evaluation.naming == "cifar"
    assert (evaluation.model, evaluation.dataset) == ("cifar_resnet20", "cifar10")
    assert (evaluation.lineage, evaluation.stem, evaluation.shortcut) == ("paper", "cifar", "A")
    assert (evaluation.in_channels, evaluation.classes) == (3, 10)
    assert (evaluation.claimed_error_percent, evaluation.tolerance_points) == (12.5, 0.1)
    assert evaluation.started_at < evaluation.finished_at
    assert evaluation.file_name == "resnet20.th"
    assert evaluation.environment.device == "cpu"
    path = tmp_path / "evaluations" / f"{evaluation.id}.json"
    assert str(checkpoint.parent) not in path.read_text()  # records are published


def test_the_stored_command_makes_the_record_again(command, checkpoint, tmp_path, monkeypatch):
    command(*options(checkpoint, tmp_path, "--expect", "12.5", "--tolerance", "100"))
    first = only(tmp_path)
    monkeypatch.chdir(checkpoint.parent)
    words = shlex.split(first.command)
    assert words[:4] == ["python", "-m", "bench", "evaluate"]
    command(*words[4:], "--out", tmp_path / "again")
    changed = {"started_at", "finished_at"}
    assert only(tmp_path / "again").model_dump(exclude=changed) == first.model_dump(exclude=changed)


@pytest.mark.parametrize(
    ("off", "holds"), [(0, True), (0.1, True), (-0.1, True), (0.11, False), (0.104, False)]
)
def test_a_claim_holds_within_the_tolerance(off, holds, command, checkpoint, model, tmp_path):
    measured, _ = by_hand(model, *IMAGENET)
    claim = measured - off
    code, out, err = command(
        *options(checkpoint, tmp_path, "--normalize", "imagenet", "--expect", claim)
    )
    words = f"measured {measured:.2f} %, claimed {claim:.12g} %: a difference of {off:+g} points"
    if holds:
        assert (code, err) == (0, "")
        assert f"The claim holds: {words}" in out
    else:
        assert code == 1
        assert err.startswith(f"error: the claim does not hold: {words}")
    evaluation = only(tmp_path)
    assert evaluation.claim_holds is holds
    assert evaluation.difference_points == pytest.approx(off)


def test_a_wider_tolerance_lets_the_claim_hold(command, checkpoint, model, tmp_path):
    measured, _ = by_hand(model, *IMAGENET)
    tolerance = ("--normalize", "imagenet", "--tolerance", "3", "--expect")
    assert command(*options(checkpoint, tmp_path, *tolerance, measured - 2.5))[0] == 0
    assert command(*options(checkpoint, tmp_path, *tolerance, measured - 3.5))[0] == 1


def test_half_precision_is_evaluated_in_float32(command, model, tmp_path, monkeypatch):
    state = {
        key: value.half() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    torch.save(state, tmp_path / "half.pt")
    seen = []

    def spy(network, data, precision):
        seen.append((next(network.parameters()).dtype, precision))
        assert not torch.backends.cudnn.allow_tf32
        return Look(40, 30, 1.5, torch.zeros(40, dtype=torch.uint8))

    monkeypatch.setattr(evaluate, "evaluate", spy)
    before = torch.backends.cudnn.allow_tf32
    code, _, err = command(*options(tmp_path / "half.pt", tmp_path, "--normalize", "none"))
    assert (code, err) == (0, "")
    assert seen == [(torch.float32, "float32")]
    assert torch.backends.cudnn.allow_tf32 == before
    assert only(tmp_path).score.error_percent == 25


def test_mnist_and_the_2022_project(command, tmp_path):
    theirs = network("resnet18", lineage="project2022", in_channels=1, num_classes=10)
    safetensors.torch.save_file(export(theirs.state_dict(), "project2022"), tmp_path / "m.bin")
    code, out, _ = command(
        *options(tmp_path / "m.bin", tmp_path, model="resnet18", dataset="mnist")
    )
    assert code == 0
    assert "resnet18 with project2022 names: lineage project2022, stem imagenet" in out
    assert "do not show it: lineage project2022 (no ReLU at the end of a block)\n" in out
    evaluation = only(tmp_path)
    assert [score.normalisation for score in evaluation.scores] == ["dataset", "none"]
    split = TEST["mnist"].test
    with torch.inference_mode():
        logits = theirs(torch.from_numpy(split.images).permute(0, 3, 1, 2) / 255)
    right = int((logits.argmax(1) == torch.from_numpy(split.labels)).sum())
    assert evaluation.scores[1].correct == right
    lineage = ("--lineage", "torchvision")
    out = tmp_path / "torchvision"
    command(*options(tmp_path / "m.bin", out, *lineage, model="resnet18", dataset="mnist"))
    assert only(out).lineage == "torchvision"


def test_only_the_same_request_replaces_a_record(command, checkpoint, tmp_path):
    requests = [
        (),
        ("--normalize", "none"),
        ("--expect", "8.27"),
        ("--expect", "1e-5"),
        ("--expect", "1e-5", "--tolerance", "3"),
    ]
    for request in [*requests, *requests, ("--lineage", "paper")]:
        command(*options(checkpoint, tmp_path, *request))
    evaluations, problems = store.load_evaluations(tmp_path / "evaluations")
    assert not problems
    name = evaluations[0].sha256[:12]
    assert {evaluation.id for evaluation in evaluations} == {
        f"cifar_resnet20-paper-cifar10-all-{name}",
        f"cifar_resnet20-paper-cifar10-none-{name}",
        f"cifar_resnet20-paper-cifar10-all-{name}-expect8.27",
        f"cifar_resnet20-paper-cifar10-all-{name}-expect1e-05",
        f"cifar_resnet20-paper-cifar10-all-{name}-expect1e-05-within3.0",
    }


@pytest.mark.parametrize(
    "changes",
    [{"lineage": "torchvision"}, {"model": "resnet18"}, {"dataset": "mnist"}, {"sha256": "f" * 64}],
)
def test_what_differs_shows_in_the_name_of_a_record(changes):
    assert make_evaluation(**changes).id != make_evaluation().id
    assert re.fullmatch("[a-z0-9_.-]+", make_evaluation(**changes).id)


def test_a_folder_that_cannot_be_written_to_is_noticed_first(
    command, checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr("bench.data.sources.load", None)  # no data is fetched for it
    (tmp_path / "file").write_text("")
    code, _, err = command(*options(checkpoint, tmp_path / "file"))
    assert code == 1
    assert re.fullmatch(
        r"error: cannot write to .*: Not a directory\. Name another .*--out\.\n", err
    )


def test_the_result_is_said_even_if_its_record_is_lost(command, checkpoint, tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    code, out, err = command(*options(checkpoint, tmp_path))
    assert code == 1
    assert "Top-1 error on 40 test images" in out
    assert re.fullmatch(r"error: cannot write .*\.json: No space .* with --out\.\n", err)
    assert not list((tmp_path / "evaluations").iterdir())


def test_damaged_records_are_named_and_hide_no_other(command, checkpoint, tmp_path):
    command(*options(checkpoint, tmp_path, "--normalize", "none"))
    good = only(tmp_path)
    folder = tmp_path / "evaluations"
    content = json.loads(good.model_dump_json())
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text(json.dumps(content | {"schema_version": 2}))
    (folder / "c.json").write_text(good.model_dump_json())
    (folder / "d.json").write_text(json.dumps(content | {"chosen": "dataset"}))
    (folder / "e.json").mkdir()
    evaluations, problems = store.load_evaluations(folder)
    assert evaluations == [good]
    for problem, words in zip(
        problems,
        ["Invalid JSON", "schema version 2", f"that of {good.id}", "not exactly one", "directory"],
        strict=True,
    ):
        assert words in problem
        assert "evaluate the checkpoint again" in problem


def test_more_correct_predictions_than_images_are_no_record(command, checkpoint, tmp_path):
    command(*options(checkpoint, tmp_path, "--normalize", "none"))
    content = json.loads(only(tmp_path).model_dump_json())
    content["scores"][0]["correct"] = 41
    with pytest.raises(ValueError, match="more correct predictions than images"):
        Evaluation.model_validate_json(json.dumps(content))
