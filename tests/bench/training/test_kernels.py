"""A captured step is bound by the number of its kernels: on a large GPU each takes microseconds."""

import pytest

from tests.support.kernels import of_a_step


@pytest.mark.parametrize(
    ("model", "stem", "budget"),
    [
        ("resnet18", "imagenet", 245),
        ("resnet18", "cifar", 231),
        ("cifar_resnet20", "cifar", 238),
        pytest.param("resnet50", "imagenet", 553, marks=pytest.mark.slow),
    ],
)
def test_a_step_keeps_to_its_budget_of_kernels(model, stem, budget):
    kernels = of_a_step(model, stem)
    assert kernels.total() <= budget, kernels.most_common()


def test_what_is_done_for_all_layers_at_once_does_not_grow_with_their_number():
    small, large = (of_a_step(f"cifar_plain{depth}", "cifar") for depth in (20, 32))
    fixed = {"_to_copy", "add_", "mul", "_foreach_add_", "_foreach_copy_", "copy_", "add"}
    assert {name: small[name] for name in fixed} == {name: large[name] for name in fixed}
