"""Networks, recipes and engines in the words and the order of the page. No torch here."""

from collections.abc import Iterable
from typing import Any, Final, get_args

from bench.config.recipe import LinearSchedule, Recipe, StepSchedule
from bench.formats import duration, number
from bench.records.schema import Record
from resnet_models.custom import PREFIX
from resnet_models.spec import Stem

# By the name without its depth.
NETWORKS: Final = {
    "resnet": "ResNets",
    "plain": "plain nets",
    "cifar_resnet": "ResNets of Table 6",
    "cifar_plain": "plain nets of Table 6",
}


def network_title(network: str) -> str:
    """Networks by their name without a depth; a custom one is alone, with its own name."""
    return NETWORKS.get(network, network.removeprefix(PREFIX))


def model_title(network: str, depth: int) -> str:
    """``ResNet-50`` or ``plain-34``, as the paper calls them; no depth is in both of its tables.

    A custom network has its factory's name.
    """
    if network not in NETWORKS:
        return network_title(network)
    return f"{'plain' if network.endswith('plain') else 'ResNet'}-{depth}"


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (*place(record.cell), record.cell.seed))


def place(named: Any) -> tuple[object, ...]:
    """Where a cell, or a row named like one, stands: by data set, variant and depth.

    ResNets stand before plain nets, the published stem before the small one.
    """
    return (
        named.dataset,
        [*NETWORKS, named.network].index(named.network),  # custom ones last
        named.lineage or "",
        [*get_args(Stem), named.stem].index(named.stem),
        named.shortcut,
        named.recipe or "",
        named.depth,
        named.network,
    )


def schedule(recipe: Recipe) -> str:
    """``0.1, ÷10 at 32,000 and 48,000 of 64,000 iterations``."""
    rate, plan = f"{recipe.learning_rate:g}", recipe.schedule
    if isinstance(plan, LinearSchedule):
        rise = f" after a linear rise over {100 * plan.warmup_fraction:g} % of the steps"
        return f"{rate}{rise if plan.warmup_fraction else ''}, then linearly to 0"
    start = ""
    if plan.warmup:
        error = f"{100 * plan.warmup.until_train_error:g} %"
        start = f"{plan.warmup.learning_rate:g} until the train error is below {error}, then "
    return start + rate + _drops(plan, recipe)


def _drops(plan: StepSchedule, recipe: Recipe) -> str:
    total = recipe.iterations if plan.unit == "iteration" else recipe.epochs
    reached = [place for place in plan.milestones if total is None or place < total]
    places = " and ".join(f"{place:,}" for place in reached or plan.milestones)
    drop = f"÷{1 / plan.factor:g}"
    if not reached:
        return f" throughout ({drop} only at {places} {plan.unit}s)" if places else " throughout"
    return f", {drop} at {places}{f' of {total:,}' if total else ''} {plan.unit}s"


def budget(recipe: Recipe) -> str:
    """``64,000 iterations``, ``30 epochs`` or ``4 epochs of 1,600 images``."""
    if recipe.iterations:
        return f"{recipe.iterations:,} iterations"
    part = f" of {recipe.images_per_epoch:,} images" if recipe.images_per_epoch else ""
    return f"{recipe.epochs} epochs{part}"


def recipe_facts(record: Record) -> dict[str, str]:
    """Without the schedule, and without what the factory of a custom network decides."""
    values = {
        name: "all" if value is None and "images" in name else value
        for name, value in record.recipe
    }
    untold = {"schedule", *(("initialization", "zero_init_residual") if record.cell.custom else ())}
    return {
        name.replace("_", " "): str(value)
        for name, value in values.items()
        if value is not None and name not in untold
    }


def engine(record: Record) -> str:
    """``bfloat16, 64 images at a time, compiled, CUDA graph, TF32 on, deterministic``."""
    used, batch = record.engine, record.recipe.batch_size
    parts = {
        used.precision: True,
        f"{used.micro_batch_size} images at a time": used.micro_batch_size < batch,
        "compiled": used.compiled,
        "CUDA graph": used.cuda_graph,
        f"TF32 {'on' if used.tf32 else 'off'}": used.tf32 is not None,
        "deterministic": used.deterministic,
    }
    return ", ".join(text for text, holds in parts.items() if holds)


def course(record: Record) -> dict[str, str]:
    """What happened on the way, where anything did: title -> text."""
    events, facts = record.course, {}
    if events.resumes:
        facts["Resumed"] = "once" if events.resumes == 1 else f"{events.resumes} times"
    if events.checkpoints and record.epochs:
        worked = sum(epoch.train_seconds + epoch.test_seconds for epoch in record.epochs)
        share = 100 * events.checkpoint_seconds / (worked + events.checkpoint_seconds)
        facts["Checkpoints"] = (
            f"{events.checkpoints} in {duration(events.checkpoint_seconds)}, "
            f"{number(share, 1)} % of the time"
        )
    if getattr(record.recipe.schedule, "warmup", None):
        steps = events.warmup_steps
        facts["Warm-up"] = "not ended" if steps is None else f"{steps:,} steps"
    final = record.final
    if final and final.validation_accuracy is not None:
        accuracy = number(100 * final.validation_accuracy)
        facts["Validation accuracy"] = f"{accuracy} % of {final.validation_images:,} images"
    if clean := record.clean_training:
        facts["Training images at the end"] = (
            f"{number(100 * clean.accuracy)} % of {clean.images:,} without augmentation, "
            f"loss {number(clean.loss, 4)}"
        )
    return facts
