"""The test error of somebody else's weights, and whether it is the claimed one."""

import math
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bench.data.batches import DeviceData
from bench.data.datasets import Dataset, find, normalisations
from bench.errors import BenchError, UsageError
from bench.records import store
from bench.records.evaluations import Evaluation, Score
from bench.runner import weights
from bench.runner.request import Request
from bench.stats import wilson_interval
from bench.training.cost import parameter_count
from bench.training.environment import describe, device_option
from bench.training.evaluation import Evaluator
from resnet_models import Definition
from resnet_models.convert import assumed, convert, fitting_models, recognise, unwrap
from resnet_models.spec import Naming
from resnet_models.text import readable

Say = Callable[[str], None]

ALIKE_POINTS: Final = 1.0
"""What a claim that was given in another unit may be off by, for a hint."""


def run(
    request: Request,
    *,
    device: torch.device,
    load: Callable[[str], Dataset],
    folder: Path | None,
    say: Say,
) -> Evaluation:
    """Evaluate the checkpoint, say what was found and store it in ``folder``, if any.

    ``load`` gives the verified dataset of a name; it is called once the checkpoint is known to fit.

    Raises:
        UsageError: the file is no checkpoint, or not one of this network.
        BenchError: the file is damaged or unsafe, the network gives no numbers, or the record
            cannot be written.
    """
    started_at = datetime.now(UTC)
    source = weights.read(request.checkpoint)
    definition, naming, network = fit(source, request)
    say(describe_found(source, definition, naming, network))
    if folder:
        store.prepare_evaluations(folder)
    dataset = load(request.dataset)
    predicted = measure(network, dataset, request, device, say)
    best = min(predicted, key=lambda score: (-score.correct, score.loss))
    evaluation = Evaluation(
        file_name=source.file_name,
        size_bytes=source.size_bytes,
        sha256=source.sha256,
        naming=naming,
        model=definition.model,
        lineage=definition.lineage,
        stem=definition.stem,
        shortcut=definition.shortcut,
        in_channels=definition.in_channels,
        classes=definition.num_classes,
        dataset=request.dataset,
        normalize=request.normalize,
        scores=tuple(predicted),
        chosen=best.normalisation,
        claimed_error_percent=request.claim,
        tolerance_points=request.tolerance,
        command=command(source.file_name, request, definition, device),
        started_at=started_at,
        finished_at=datetime.now(UTC),
        environment=describe(device),
    )
    say(describe_result(evaluation))
    if folder:
        classes = np.stack([predicted[best], dataset.test.labels.astype(np.uint8)])
        path = store.save_evaluation(folder, evaluation, classes)
        say(f"Record: {readable(str(path.absolute()), 4096)}")
    return evaluation


def judge(evaluation: Evaluation) -> str | None:
    """A sentence about the claim where it holds; None where there is none.

    Raises:
        BenchError: the claim does not hold.
    """
    difference = evaluation.difference_points
    if difference is None:
        return None
    # As many digits as it takes: a rounded difference can seem to be the allowed one.
    words = (
        f"measured {evaluation.score.error_percent:.2f} %, claimed "
        f"{evaluation.claimed_error_percent:.12g} %: a difference of {difference:+.12g} points, "
        f"{evaluation.tolerance_points:.12g} are allowed"
    )
    if not evaluation.claim_holds:
        better = ". The checkpoint is better than claimed" if difference < 0 else ""
        raise BenchError(f"the claim does not hold: {words}{better}{_hint(evaluation)}")
    return f"The claim holds: {words}."


def _hint(evaluation: Evaluation) -> str:
    """What was meant, where the claim is no error in percent but something else that fits."""
    claimed, error = evaluation.claimed_error_percent, evaluation.score.error_percent
    if claimed is None or abs(claimed - error) <= ALIKE_POINTS:
        return ""
    meanings = {
        "an accuracy in percent": 100 - claimed,
        "a share": 100 * claimed,
        "an accuracy as a share": 100 - 100 * claimed,
    }
    for what, meant in meanings.items():
        if abs(meant - error) <= ALIKE_POINTS:
            return (
                f". --expect takes an error in percent, and {claimed:.12g} seems to be {what}: try "
                f"--expect {round(meant, 9):.12g}"
            )
    return ""


def fit(source: weights.Weights, request: Request) -> tuple[Definition, Naming, nn.Module]:
    """The network of the request with the weights of ``source``, and how these were named.

    Raises:
        UsageError: they are not weights of this network for this dataset.
    """
    spec = find(request.dataset)
    try:
        definition = recognise(
            source.state,
            request.model or _only_model(source),
            lineage=request.lineage,
            in_channels=spec.channels,
            num_classes=spec.classes,
        )
        with torch.device("meta"):  # fresh weights would be thrown away
            network = definition.build()
        naming, state = convert(source.state, network.state_dict())
    except ValueError as error:
        raise UsageError(f"{source.file_name}: {error}") from error
    network.load_state_dict(state, assign=True)
    return definition, naming, network


def _only_model(source: weights.Weights) -> str:
    candidates = fitting_models(source.state)
    if not candidates:
        raise ValueError("weights of no network here; --model NAME says what differs from one")
    if len(candidates) > 1:
        options = " or ".join(f"--model {name}" for name in candidates)
        raise ValueError(f"{len(candidates)} networks have such weights: give {options}")
    return candidates[0]


def measure(
    network: nn.Module, dataset: Dataset, request: Request, device: torch.device, say: Say
) -> dict[Score, NDArray[np.uint8]]:
    """Look at all test images with each normalisation of the request, in float32 throughout.

    Each score comes with the classes that it counts, (images,).

    A score whose loss is not finite is none: the first of all classes then seems to be predicted.

    Raises:
        BenchError: the device's memory does not suffice, or no score is left.
    """
    scores = {}
    try:
        network = network.to(device).to(memory_format=torch.channels_last)
        for name, spec in normalisations(dataset.spec).items():
            if request.normalize not in ("all", name):
                continue
            data = DeviceData(dataset.test, spec, device)
            # By default convolutions on a GPU round their inputs to TF32.
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                seen = Evaluator(network, data, "float32").look()
            if not math.isfinite(seen.loss):
                say(f"normalisation {name}: left out, the network gives values that are not finite")
                continue
            score = Score(
                normalisation=name, images=seen.images, correct=seen.correct, loss=seen.loss
            )
            say(f"normalisation {name}: {score.error_percent:.2f} % error, loss {seen.loss:.4f}")
            scores[score] = seen.predicted.cpu().numpy()
    except torch.OutOfMemoryError as error:
        raise BenchError("the GPU has too little memory. Use --device cpu.") from error
    if not scores:
        asked = request.normalize
        which = "every normalisation" if asked == "all" else f"normalisation {asked}"
        raise BenchError(f"with {which} the network gives values that are not finite")
    return scores


def describe_found(
    source: weights.Weights, definition: Definition, naming: Naming, network: nn.Module
) -> str:
    wrapper = unwrap(source.state)[0]
    prefix = f", prefix {wrapper}" if wrapper else ""
    return (
        f"{source.file_name}: {source.size_bytes:,} bytes, SHA-256 {source.sha256}\n"
        f"{definition.model} with {naming} names{prefix}: lineage {definition.lineage}, "
        f"stem {definition.stem}, shortcut {definition.shortcut}, "
        f"{parameter_count(network):,} parameters\n"
        f"Assumed, since weights do not show it: {', '.join(assumed(definition))}"
    )


def describe_result(evaluation: Evaluation) -> str:
    score = evaluation.score
    low, high = wilson_interval(score.error_percent, score.images)
    text = (
        f"Top-1 error on {score.images:,} test images of {evaluation.dataset}: "
        f"{score.error_percent:.2f} %, 95 % interval {low:.2f} to {high:.2f} % "
        "(the noise of a finite test set)."
    )
    if len(evaluation.scores) > 1:
        text += (
            f"\nThe lowest of {len(evaluation.scores)}: normalisation {score.normalisation} was "
            "picked on these test images. Where you know the one of the training, name it with "
            "--normalize."
        )
    return text


def command(file_name: str, request: Request, definition: Definition, device: torch.device) -> str:
    """What makes the record again, in the folder of the checkpoint."""
    words = ["python", "-m", "bench", "evaluate", "--checkpoint", file_name]
    words += ["--model", definition.model, "--dataset", request.dataset]
    words += ["--normalize", request.normalize, "--lineage", definition.lineage]
    if request.claim is not None:
        words += ["--expect", f"{request.claim}", "--tolerance", f"{request.tolerance}"]
    return shlex.join([*words, "--device", device_option(device)])
