"""Checkpoints on a test set: the numbers, the claim, the record."""

import json
import re
import shlex

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from bench.data.datasets import SPECS
from bench.errors import BenchError
from bench.records import store
from bench.training.evaluation import Evaluator, Look
from resnet_models.convert import export
from tests.support.checkpoints import TEST, network
from tests.support.factories import make_evaluation
from tests.support.tools import bench

pytestmark = pytest.mark.heavy

CIFAR_REPOSITORIES = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PIXELS = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


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


def by_hand(model, mean, std, dataset="cifar10"):
    """Error in percent and mean loss on the test images."""
    split = TEST[dataset].test
    images = (torch.from_numpy(split.images) / 255 - torch.tensor(mean)) / torch.tensor(std)
    labels = torch.from_numpy(split.labels).long()
    with torch.inference_mode():
        logits = model(images.permute(0, 3, 1, 2))
    wrong = int((logits.argmax(1) != labels).sum())
    return 100 * wrong / len(labels), float(F.cross_entropy(logits, labels))


def test_all_normalisations_are_tried_and_the_lowest_error_is_reported(
    evaluate, only, checkpoint, model
):
    done = evaluate(checkpoint)
    assert (done.returncode, done.stderr) == (0, "")
    spec = SPECS["cifar10"]
    expected = {
        "imagenet": by_hand(model, *IMAGENET),
        "dataset": by_hand(model, spec.channel_mean, spec.channel_std),
        "pytorch-cifar": by_hand(model, *CIFAR_REPOSITORIES),
        "none": by_hand(model, *PIXELS),
    }
    evaluation = only()
    assert [score.normalisation for score in evaluation.scores] == list(expected)
    for score in evaluation.scores:
        error, loss = expected[score.normalisation]
        assert (score.images, score.error_percent) == (40, error)
        assert score.loss == pytest.approx(loss, rel=1e-4)
        assert f"normalisation {score.normalisation}: {error:.2f} % error" in done.stdout
    assert len({error for error, _ in expected.values()}) > 1
    lowest = min(error for error, _ in expected.values())
    assert evaluation.score.error_percent == lowest
    assert f"Top-1 error on 40 test images of cifar10: {lowest:.2f} %, 95 % int" in done.stdout
    assert f"normalisation {evaluation.chosen} was picked on these test images" in done.stdout


def test_output_and_record_say_what_the_checkpoint_is(evaluate, only, checkpoint, tmp_path):
    done = evaluate(checkpoint, "--normalize", "none", "--expect", "12.5")
    evaluation = only()
    size = checkpoint.stat().st_size
    assert f"resnet20.th: {size:,} bytes, SHA-256 {evaluation.sha256}" in done.stdout
    assert (
        "cifar_resnet20 with cifar names, prefix module.: lineage paper, stem cifar, shortcut A, "
        "269,722 parameters\n"
        "Assumed, since weights do not show it: no pool after the stem, zeros of option A on both "
        "sides, shortcuts (cifar_plain20 has the same names)\n" in done.stdout
    )
    assert "picked" not in done.stdout
    path = tmp_path / "evaluations" / f"{evaluation.id}.json"
    assert str(path) in done.stdout
    assert str(checkpoint.parent) not in path.read_text()  # records are published
    assert (evaluation.file_name, evaluation.naming) == ("resnet20.th", "cifar")
    assert (evaluation.model, evaluation.dataset) == ("cifar_resnet20", "cifar10")
    assert (evaluation.lineage, evaluation.stem, evaluation.shortcut) == ("paper", "cifar", "A")
    assert (evaluation.in_channels, evaluation.classes) == (3, 10)
    assert (evaluation.claimed_error_percent, evaluation.tolerance_points) == (12.5, 0.1)
    assert evaluation.started_at < evaluation.finished_at
    assert evaluation.environment.device == "cpu"


def test_the_stored_command_makes_the_record_again(
    evaluate, only, checkpoint, tmp_path, monkeypatch
):
    evaluate(checkpoint, "--expect", "12.5", "--tolerance", "100")
    first = only()
    monkeypatch.chdir(checkpoint.parent)
    words = shlex.split(first.command)
    assert words[:4] == ["python", "-m", "bench", "evaluate"]
    bench(*words[3:], "--out", tmp_path / "again")
    changed = {"started_at", "finished_at"}
    assert only(tmp_path / "again").model_dump(exclude=changed) == first.model_dump(exclude=changed)


@pytest.mark.parametrize(
    ("off", "tolerance", "holds"),
    [
        (0, 0.1, True), (0.1, 0.1, True), (-0.1, 0.1, True), (0.11, 0.1, False),
        (0.104, 0.1, False), (2.5, 3.0, True), (3.5, 3.0, False),
    ],
)  # fmt: skip
def test_a_claim_holds_within_the_tolerance(
    off, tolerance, holds, evaluate, only, checkpoint, model
):
    measured, _ = by_hand(model, *IMAGENET)
    claim = measured - off
    wider = () if tolerance == 0.1 else ("--tolerance", tolerance)
    done = evaluate(checkpoint, "--normalize", "imagenet", "--expect", claim, *wider)
    words = f"measured {measured:.2f} %, claimed {claim:.12g} %: a difference of {off:+g} points"
    if holds:
        assert (done.returncode, done.stderr) == (0, "")
        assert f"The claim holds: {words}" in done.stdout
    else:
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: the claim does not hold: {words}")
    assert only().claim_holds is holds
    assert only().difference_points == pytest.approx(off)


def test_half_precision_is_evaluated_in_float32(evaluate, only, model, monkeypatch):
    state = {
        key: value.half() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    seen = []

    def spy(evaluator):
        seen.append((next(evaluator.model.parameters()).dtype, evaluator.precision))
        assert not torch.backends.cudnn.allow_tf32
        return Look(40, 30, 1.5, torch.zeros(40, dtype=torch.uint8))

    monkeypatch.setattr(Evaluator, "look", spy)
    before = torch.backends.cudnn.allow_tf32
    done = evaluate(state, "--normalize", "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert seen == [(torch.float32, "float32")]
    assert torch.backends.cudnn.allow_tf32 == before
    assert only().score.error_percent == 25


def test_mnist_and_the_2022_project(evaluate, only, tmp_path):
    theirs = network("resnet18", lineage="project2022", in_channels=1, num_classes=10)
    path, named = tmp_path / "m.bin", {"model": "resnet18", "dataset": "mnist"}
    safetensors.torch.save_file(export(theirs.state_dict(), "project2022"), path)
    done = evaluate(path, **named)
    assert done.returncode == 0
    assert "resnet18 with project2022 names: lineage project2022, stem imagenet" in done.stdout
    assert "not show it: lineage project2022 (no ReLU at the end of a block)\n" in done.stdout
    dataset, none = only().scores
    assert (dataset.normalisation, none.normalisation) == ("dataset", "none")
    assert none.error_percent == by_hand(theirs, 0.0, 1.0, "mnist")[0]
    evaluate(path, "--lineage", "torchvision", out=tmp_path / "torchvision", **named)
    assert only(tmp_path / "torchvision").lineage == "torchvision"


def test_only_the_same_request_replaces_a_record(evaluate, checkpoint, tmp_path):
    requests = [
        (),
        ("--normalize", "none"),
        ("--expect", "8.27"),
        ("--expect", "1e-5"),
        ("--expect", "1e-5", "--tolerance", "3"),
    ]
    for request in [*requests, *requests, ("--lineage", "paper")]:
        evaluate(checkpoint, *request)
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
    evaluate, checkpoint, file, monkeypatch
):
    monkeypatch.setattr("bench.data.sources.load", None)  # no data is fetched for it
    done = evaluate(checkpoint, out=file(b""))
    assert done.returncode == 1
    expected = r"error: cannot write to .*: Not a directory\. Name another .*--out\.\n"
    assert re.fullmatch(expected, done.stderr)


def test_the_result_is_said_even_if_its_record_is_lost(evaluate, checkpoint, tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    done = evaluate(checkpoint)
    assert done.returncode == 1
    assert "Top-1 error on 40 test images" in done.stdout
    assert re.fullmatch(r"error: cannot write .*\.npy: No space .* with --out\.\n", done.stderr)
    assert not list((tmp_path / "evaluations").iterdir())


TOO_GOOD = {"normalisation": "imagenet", "images": 10, "correct": 11, "loss": 0.5}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 3}, "schema version 3, this program reads 1 or 2"),
        ({"sha256": "f" * 64}, "that of cifar_resnet20-paper-cifar10-all-ffffffffffff"),
        ({"chosen": "dataset"}, "not exactly one"),
        ({"scores": [TOO_GOOD]}, "more correct predictions than images"),
    ],
)
def test_a_damaged_record_is_named_and_hides_no_other(changes, words, tmp_path):
    good = make_evaluation()
    path = store.save_file(tmp_path, good)
    (tmp_path / "x.json").write_text(json.dumps(json.loads(path.read_text()) | changes))
    evaluations, (problem,) = store.load_evaluations(tmp_path)
    assert evaluations == [good]
    assert words in problem
    assert "evaluate the checkpoint again" in problem


def test_predictions_are_stored_beside_the_record(evaluate, only, checkpoint, tmp_path):
    folder = tmp_path / "evaluations"
    evaluate(checkpoint)
    evaluation = only()
    classes = store.load_evaluation_predictions(folder, evaluation)
    assert classes is not None
    predicted, labels = classes
    assert labels.tolist() == TEST["cifar10"].test.labels.tolist()
    assert int((predicted == labels).sum()) == evaluation.score.correct
    (folder / f"{evaluation.id}.npy").write_bytes(b"garbage")
    with pytest.raises(BenchError, match=r"\.npy: its hash is not .*Evaluate the checkpoint again"):
        store.load_evaluation_predictions(folder, evaluation)


def test_an_evaluation_without_predictions_is_still_read(tmp_path):
    """As versions before wrote it."""
    old = make_evaluation(schema_version=1)
    path = tmp_path / f"{old.id}.json"
    path.write_text(old.model_dump_json(exclude={"predictions"}))
    assert store.load_evaluations(tmp_path) == ([old], [])
    assert store.load_evaluation_predictions(tmp_path, old) is None


def test_the_network_is_told_by_its_weights(evaluate, only):
    done = evaluate(network("cifar_resnet20", shortcut="B").state_dict(), model=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert (only().model, only().shortcut) == ("cifar_resnet20", "B")
    assert "--model cifar_resnet20" in only().command


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (lambda error: 100 - error, "seems to be an accuracy in percent: try --expect {}"),
        (lambda error: error / 100, "seems to be a share: try --expect {}"),
        (lambda error: 1 - error / 100, "seems to be an accuracy as a share: try --expect {}"),
    ],
)
def test_a_claim_in_another_unit_gets_a_hint(claim, words, evaluate, checkpoint, model):
    error, _ = by_hand(model, *IMAGENET)
    done = evaluate(checkpoint, "--normalize", "imagenet", "--expect", claim(error))
    assert done.returncode == 1
    assert (
        f"--expect takes an error in percent, and {claim(error):g} {words.format(f'{error:g}')}"
        in (done.stderr)
    )


@pytest.mark.parametrize(("off", "better"), [(-5, True), (5, False)])
def test_better_than_claimed_is_told(off, better, evaluate, checkpoint, model):
    error, _ = by_hand(model, *IMAGENET)
    done = evaluate(checkpoint, "--normalize", "imagenet", "--expect", error - off)
    assert done.returncode == 1
    assert ("The checkpoint is better than claimed" in done.stderr) is better
    assert "--expect takes" not in done.stderr


@pytest.mark.parametrize("form", ["json", "csv", "markdown", "latex"])
def test_scores_in_a_format_stand_alone_on_standard_output(form, evaluate, only, checkpoint):
    done = evaluate(checkpoint, "--format", form)
    assert done.returncode == 0, done.stderr
    assert "Top-1 error on 40" in done.stderr
    assert "Top-1" not in done.stdout
    errors = [score.error_percent for score in only().scores]
    if form == "json":
        assert [row["error_percent"] for row in json.loads(done.stdout)] == errors
    for error in errors:
        assert str(error) in done.stdout
