"""Training logs that are made up: clean ones of many kinds, and frozen ones."""

from dataclasses import replace

import numpy as np

from bench.analysis.logs import RunLog
from resnet_models import MODELS

IMAGES = {"train": 50_000, "test": 10_000}


def make_log(train, test, **changes):
    """A log with these accuracies in percent and nothing wrong with it, unless ``changes`` say."""
    model = changes.get("model", "resnet18")
    facts = {
        "name": f"{model}.log",
        "dataset": "cifar10",
        "recipe": "some",
        "model": model,
        "built_model": changes.get("built_model", model),
        "lineage": "paper",
        "parameters": MODELS[model].parameters["B", "cifar", 3, 10],
        "train_images": IMAGES["train"],
        "test_images": IMAGES["test"],
        "train_batch_size": 128,
        "test_batch_size": 100,
        "learning_rate": 0.1,
        "milestones": (),
        "seed": 0,
        "resumed_after": None,
    }
    train, test = (tuple(map(float, values)) for values in (train, test))
    losses = {"train_loss": loss(train), "test_loss": loss(test)}
    accuracies = {"train_accuracy": train, "test_accuracy": test}
    return RunLog(**(facts | accuracies | losses | changes))


def loss(accuracies):
    """Mean cross-entropies that fit: an image costs little when right and 1.5 when wrong."""
    return tuple(0.02 + 1.5 * (1 - accuracy / 100) for accuracy in accuracies)


def first_epochs(log, epochs):
    """``log`` as it was after so many epochs."""
    series = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")
    return replace(log, **{name: getattr(log, name)[:epochs] for name in series})


def counted(rng, shares, split, dispersion=1.0):
    """Percent of images that are right; images that always are scatter by less than binomially."""
    shares = np.clip(shares, 0.001, 0.9999)
    counts = rng.binomial(IMAGES[split], shares) / IMAGES[split]
    return 100 * np.clip(shares + dispersion * (counts - shares), 0, 1)


def clean_log(rng, kind, epochs, **changes):
    """A learning curve that nothing is wrong with.

    Exponential towards an asymptote, whose distance the learning rate adds to; test accuracy
    wanders in proportion to the learning rate, or not at all.
    """
    time = np.arange(epochs)
    milestones: tuple[int, ...] = ()
    if kind == "step":
        milestones = tuple(sorted({int(epochs * 0.5), int(epochs * 0.75)} - {0}))
        rates = 0.1 ** np.sum([time >= drop for drop in milestones], axis=0)
        heights = np.log10(rates) / 2 + 1
    else:
        rates = np.ones(epochs) if kind == "constant" else (1 + np.cos(np.pi * time / epochs)) / 2
        heights = rates
    best, pace = rng.uniform(0.5, 1), rng.uniform(1, 40)
    lost = rng.uniform(0.02, 0.2) * heights
    share, train = rng.uniform(0.1, 0.4) * best, []
    for epoch in time:
        speed = pace if not milestones or epoch < milestones[0] else rng.uniform(0.5, 5)
        share += (best - lost[epoch] - share) * (1 - np.exp(-1 / speed))
        train.append(share)
    wander = rng.choice([0, rng.uniform(0, 0.04)]) * rates * rng.standard_normal(epochs)
    test = np.array(train) * rng.uniform(0.85, 1) + wander
    return make_log(
        counted(rng, train, "train", rng.uniform(0.5, 1)),
        counted(rng, test, "test", rng.uniform(0.3, 1)),
        **({"milestones": milestones} | changes),
    )


def frozen_log(rng, epochs):
    """(log, epochs that moved): a rising curve that stops; BatchNorm's statistics go on."""
    moving = int(rng.integers(10, max(11, int(epochs * 0.8))))
    pace = moving / rng.uniform(0.5, 2.5)
    jitter = rng.uniform(0.05, 0.2)
    train = rng.uniform(0.5, 0.98) * (1 - 0.8 * np.exp(-np.arange(1, epochs + 1) / pace))
    test = 95 * train + jitter * rng.uniform(4, 20) * rng.standard_normal(epochs)
    train[moving:] = train[moving - 1] + rng.uniform(0, 0.01)
    test[moving:] = (
        95 * train[-1] + rng.uniform(0, 5) + jitter * rng.standard_normal(epochs - moving)
    )
    percent = counted(rng, train, "train")
    percent[moving:] = counted(rng, train[moving:], "train", rng.uniform(0.5, 0.9))
    return make_log(percent, np.clip(test, 0, 100)), moving
