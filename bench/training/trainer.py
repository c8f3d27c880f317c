"""A network and its optimizer, and one step of training them."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.config.recipe import Recipe
from bench.data.batches import DeviceData, EpochPlan
from bench.records.schema import Engine
from bench.training import engine as machine
from bench.training.casting import call_in
from bench.training.graphs import Graphs
from resnet_models.blocks import skip_padding

# Of float16 losses at the start; with torch's own, 65536, the first steps overflow and are lost.
SCALE = 1024.0


class Metrics:
    """Sums over the steps of an epoch, kept on the device: only reading them waits for it."""

    def __init__(self, device: torch.device) -> None:
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._counts = torch.zeros(4, dtype=torch.int64, device=device)
        # Views: correct predictions and images of the epoch, and those of them before the window;
        # negative where the window began in an epoch before.
        self._correct, self._images, self._window_correct, self._window_images = self._counts
        self._good_steps = torch.zeros((), dtype=torch.int64, device=device)  # of the whole run

    def add(self, loss: Tensor, correct: Tensor, images: int) -> None:
        """One forward pass over ``images`` with mean ``loss``."""
        self._loss.add_(loss, alpha=images)
        self._correct += correct
        self._images += images

    def end_step(self) -> None:
        """A step is done, and good while the sum of losses is finite: later ones never are."""
        self._good_steps += torch.isfinite(self._loss)

    def reset(self) -> None:
        """A new epoch begins; the window goes on."""
        self._loss.zero_()
        self._counts[2:] -= self._counts[:2]
        self._counts[:2].zero_()

    def read(self) -> tuple[int, float, int]:
        """Correct predictions, mean loss per image and number of images of the epoch so far."""
        images = int(self._images)
        return int(self._correct), float(self._loss) / images, images

    def window_error(self) -> float:
        """Fraction of wrong predictions since this was last asked, or since training began."""
        correct, images, before, images_before = self._counts.tolist()
        self._window_correct.fill_(correct)
        self._window_images.fill_(images)
        return float(1 - (correct - before) / (images - images_before))

    def good_steps(self) -> int:
        """Of the whole run, before the first one whose loss is not finite."""
        return int(self._good_steps)

    def tensors(self) -> dict[str, Tensor]:
        """All of it, for a checkpoint."""
        return {"loss": self._loss, "counts": self._counts, "good_steps": self._good_steps}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])


class Trainer:
    """A network and its optimizer: made together, loaded together, never apart.

    The 2022 project resumed with a new network and the old one's optimizer, which then trained
    nothing; here no caller can hold one without the other.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        device: torch.device,
        engine: Engine,
        *,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.engine = engine
        self.memory_format = memory_format
        self.model = model.to(device).to(memory_format=memory_format)
        skip_padding(self.model)
        self.optimizer = make_optimizer(self.model, recipe, tensor_rate=engine.cuda_graph)
        self.metrics = Metrics(device)
        self.frozen = False  # True: no weight moves, only BatchNorm statistics do
        self._compiled = torch.compile(self.model, dynamic=False) if engine.compiled else self.model
        self._scaler = torch.amp.GradScaler(
            device.type, SCALE, enabled=engine.precision == "float16"
        )
        self.graphs = Graphs(device) if engine.cuda_graph else None
        copies = 1 + {"sgd": 1, "adamw": 2}[recipe.optimizer]
        weights = sum(p.numel() * p.element_size() for p in self.model.parameters())
        self.state_bytes = copies * weights  # of ``state_dict``, about

    def step(self, data: DeviceData, batch: EpochPlan, rate: float) -> None:
        """One update on the images of ``batch`` at learning rate ``rate``; waits for nothing."""
        if not self.model.training:  # it takes a walk through all modules to switch
            self.model.train()
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        if self.graphs:
            key = (data, len(batch), self.frozen)
            self.graphs.run(key, partial(self.eager_step, data), batch)
        else:
            self.eager_step(data, batch)

    def eager_step(self, data: DeviceData, batch: EpochPlan) -> None:
        """The operations of a step, launched one by one."""
        self.optimizer.zero_grad()  # a capture that failed may have left gradients
        for part in batch.batches(self.engine.micro_batch_size):
            images, labels = self.make_batch(data, part)
            loss, correct = self.forward(images, labels)
            # Micro-batches add up to the gradient of the mean over the whole batch.
            self.backward(loss if len(part) == len(batch) else loss * (len(part) / len(batch)))
            self.metrics.add(loss.detach(), correct, len(part))
        self.update()

    def make_batch(self, data: DeviceData, part: EpochPlan) -> tuple[Tensor, Tensor]:
        """Augmented images (B, C, H, W) of ``part`` and their labels (B,)."""
        images, labels = data.batch(part.indices, part.offsets, part.flips)
        return images.contiguous(memory_format=self.memory_format), labels

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss and number of correct predictions of one forward pass."""
        # Another size would be compiled anew, which takes longer than it saves.
        compiled = self.engine.compiled and len(images) == self.engine.micro_batch_size
        with machine.autocast(self.device, self.engine.precision):
            if compiled:
                logits = self._compiled(images)
            elif self.graphs and self.engine.precision != "float32":
                logits = call_in(machine.DTYPES[self.engine.precision], self.model, images)
            else:
                logits = self.model(images)
        logits = logits.float()
        return F.cross_entropy(logits, labels), (logits.argmax(1) == labels).sum()

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of ``loss`` to that of the weights."""
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's gap

    def update(self) -> None:
        """Move the weights along the gradient, and forget it."""
        if not self.frozen:
            # AdamW insists on it in a capture, and warns of it elsewhere.
            self._set_capturable(self.graphs is not None and self.graphs.capturing)
            self._scaler.step(self.optimizer)
            self._set_capturable(False)
            self._scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.metrics.end_step()

    def _set_capturable(self, capturable: bool) -> None:
        for group in self.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = capturable

    def release_graphs(self) -> None:
        """Forget the captured steps, which keep the memory of a whole step for themselves."""
        self.graphs = None

    def synchronize(self) -> None:
        """Wait until every step is done."""
        machine.synchronize(self.device)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, but the data."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "metrics": self.metrics.tensors(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a ``state_dict`` into this network and this optimizer."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate  # the loaded one may lie elsewhere; every step sets it anyway
        if self.graphs:
            self.graphs = Graphs(self.device)  # captured steps hold the optimizer's old tensors
        self._scaler.load_state_dict(state["scaler"])
        self.metrics.load(state["metrics"])


def make_optimizer(
    model: nn.Module, recipe: Recipe, *, tensor_rate: bool = False
) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters, as one fused kernel.

    Args:
        model: whose parameters, on their device.
        recipe: which optimizer.
        tensor_rate: keep the learning rate on the device, where a CUDA graph reads it anew and
            nothing waits for it.
    """
    device = next(model.parameters()).device
    rate = torch.tensor(recipe.learning_rate, device=device) if tensor_rate else None
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=recipe.learning_rate if rate is None else rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        # A first step that float16's loss scale skips would leave them without values.
        for parameter in model.parameters() if recipe.momentum else ():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer
    return torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate if rate is None else rate,
        betas=(recipe.momentum, 0.999),
        weight_decay=recipe.weight_decay,
        fused=True,
    )
