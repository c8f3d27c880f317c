"""A trainer's network and optimizer belong together; metrics and micro-batches add up."""

import pytest
import torch

from bench.data.batches import epoch_plan
from tests.support.small import small_recipe
from tests.support.trainings import make_data, make_trainer, run, state

pytestmark = pytest.mark.heavy


def test_the_error_of_a_window_is_that_of_its_own_images():
    trainer = make_trainer(small_recipe())
    metrics = trainer.metrics
    metrics.add(torch.tensor(1.0), torch.tensor(2), 8)
    assert metrics.window_error() == 0.75
    metrics.add(torch.tensor(1.0), torch.tensor(6), 8)
    assert metrics.window_error() == 0.25
    assert metrics.read() == (8, 1.0, 16)


def test_micro_batches_add_up_to_the_gradient_of_the_whole_batch():
    """In evaluation mode, where BatchNorm does not look at its batch."""
    gradients = []
    for micro in (16, 8, 5):
        trainer = make_trainer(small_recipe(optimizer="sgd", zero_init_residual=False))
        trainer.engine = trainer.engine.model_copy(update={"micro_batch_size": micro})
        trainer.model.eval()
        trainer._scaler.step = lambda _, trainer=trainer: gradients.append(
            [p.grad.clone() for p in trainer.model.parameters()]
        )
        trainer.eager_step(make_data().train, epoch_plan(0, 1, 64, 16, "none"))
        assert trainer.metrics.read()[2] == 16
    for parts in gradients[1:]:
        for part, whole in zip(parts, gradients[0], strict=True):
            torch.testing.assert_close(part, whole, rtol=1e-4, atol=1e-5)


def test_the_optimizer_holds_exactly_the_parameters_of_its_network():
    """And still does after loading: the 2022 project's accident cannot happen."""
    trainer, _, _ = run(small_recipe())
    other = make_trainer(small_recipe(), seed=1)
    other.load_state_dict(trainer.state_dict())
    for each in (trainer, other):
        held = {id(p) for group in each.optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in each.model.parameters()}
    before = state(other)
    other.step(make_data().train, epoch_plan(0, 1, 64, 16, "none"), 0.01)
    moved = [key for key, p in other.model.named_parameters() if not torch.equal(p, before[key])]
    assert len(moved) == len(list(other.model.parameters()))
