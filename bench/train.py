"""The training loop: one network, its optimizer, its data, epoch by epoch."""

import math
import time
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.config import Recipe
from bench.data.batches import DeviceData, EpochPlan, epoch_plan
from bench.errors import BenchError
from bench.records import EpochRecord, Precision
from bench.schedule import learning_rate
from resnet_models.blocks import skip_padding

# Large enough to keep a device busy, small enough for the activations of ResNet-152.
EVALUATION_BATCH_SIZE = {"cpu": 250, "cuda": 2000}


def choose_precision(device: torch.device) -> Precision:
    """bfloat16 autocast where the device multiplies it natively, float32 elsewhere."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Emulation exists on every CPU and is slower than float32.
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if native else "float32"


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Context in which convolutions and products run in ``precision``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Trainer:
    """A network and its optimizer: made together, never apart.

    The 2022 project resumed with a new network and the old one's optimizer, which then trained
    nothing; here no caller can hold one without the other.
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, device: torch.device, precision: Precision
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.precision = precision
        self.model = model.to(device).to(memory_format=torch.channels_last)
        skip_padding(self.model)
        self.optimizer = make_optimizer(model, recipe)

    def step(self, images: Tensor, labels: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """One update from images (B, C, H, W) and labels (B,) at learning rate ``rate``.

        Returns:
            The mean cross-entropy and the number of correct predictions before the update, as
            scalars on the device: reading them here would stall a GPU.
        """
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with autocast(self.device, self.precision):
            logits = self.model(images)
        logits = logits.float()
        loss = F.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach(), (logits.argmax(1) == labels).sum()


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, precision: Precision) -> Tensor:
    """Float32 logits (B, classes) of images (B, C, H, W), in evaluation mode."""
    model.eval()
    with autocast(images.device, precision):
        logits: Tensor = model(images)
    return logits.float()


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters, as one fused kernel."""
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
    return torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(recipe.momentum, 0.999),
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def evaluate(
    model: nn.Module, data: DeviceData, precision: Precision, images: int | None = None
) -> tuple[int, int, float]:
    """Look at the first ``images`` of ``data`` (None: all), once.

    Returns:
        Images seen, correct predictions, mean cross-entropy per image.
    """
    count = len(data) if images is None else min(images, len(data))
    device = data.labels.device
    indices = torch.arange(count, device=device)
    loss = torch.zeros((), dtype=torch.float64, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    for part in torch.split(indices, EVALUATION_BATCH_SIZE[device.type]):
        inputs, labels = data.batch(part)
        logits = predict(model, inputs, precision)
        loss += F.cross_entropy(logits, labels, reduction="sum")
        correct += (logits.argmax(1) == labels).sum()
    return count, int(correct), float(loss) / count


def train_epoch(
    trainer: Trainer,
    data: DeviceData,
    plan: EpochPlan,
    rates: Sequence[float],
    on_step: Callable[[int], None],
) -> tuple[int, float]:
    """One step for each of ``rates``, over the images of ``plan`` in their order.

    Returns:
        Correct predictions and mean cross-entropy per image. Only reading them, at the end, waits
        for the device.
    """
    loss_sum = torch.zeros((), dtype=torch.float64, device=trainer.device)
    correct = torch.zeros((), dtype=torch.int64, device=trainer.device)
    batches = plan.to(trainer.device).batches(trainer.recipe.batch_size)
    for rate, batch in zip(rates, batches, strict=True):
        images, labels = data.batch(batch.indices, batch.offsets, batch.flips)
        loss, right = trainer.step(images, labels, rate)
        loss_sum += loss * len(labels)
        correct += right
        on_step(len(labels))
    return int(correct), float(loss_sum) / len(plan)


def train(
    trainer: Trainer,
    train_data: DeviceData,
    test_data: DeviceData,
    seed: int,
    on_step: Callable[[int], None],
) -> Iterator[EpochRecord]:
    """Train by the trainer's recipe and yield the record of each epoch as it ends.

    Args:
        trainer: a fresh network and its optimizer.
        train_data: the training set; every epoch sees a new permutation of it.
        test_data: the test set, looked at after each epoch and never selected on.
        seed: with the epoch's number it decides permutation, crops and flips.
        on_step: called with the number of images of each step, for progress.

    Raises:
        BenchError: the loss is no longer a finite number.
    """
    recipe = trainer.recipe
    images = recipe.images_per_epoch or len(train_data)
    steps = math.ceil(images / recipe.batch_size)
    total = steps * recipe.epochs
    rates = [learning_rate(recipe, step, total) for step in range(total)]
    for epoch in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        plan = epoch_plan(seed, epoch, len(train_data), images, recipe.augmentation)
        epoch_rates = rates[(epoch - 1) * steps : epoch * steps]
        train_correct, train_loss = train_epoch(trainer, train_data, plan, epoch_rates, on_step)
        trained = time.perf_counter()
        if not math.isfinite(train_loss):
            raise BenchError(
                f"training diverged: the loss of epoch {epoch} is {train_loss} "
                f"(learning rate {epoch_rates[-1]:.3g} at its end)"
            )
        last = epoch == recipe.epochs
        test_images, test_correct, test_loss = evaluate(
            trainer.model,
            test_data,
            trainer.precision,
            recipe.final_test_images if last else recipe.test_images,
        )
        yield EpochRecord(
            epoch=epoch,
            learning_rate=epoch_rates[-1],
            train_images=images,
            train_correct=train_correct,
            train_loss=train_loss,
            train_seconds=trained - start,
            test_images=test_images,
            test_correct=test_correct,
            test_loss=test_loss,
            test_seconds=time.perf_counter() - trained,
        )
