"""Cells that stand side by side should differ in what is compared alone: do they? No torch here."""

from collections.abc import Callable, Sequence

from bench.analysis.labels import schedule
from bench.records.schema import Record
from bench.reference.loader import dataset_title

Conditions = dict[str, str]


def unequal_conditions(records: Sequence[Record]) -> list[str]:
    """What differs between cells of one data set that should be the same for all of them.

    The machine is compared over a data set, recipes among those of one name: recipes with several
    names differ on purpose.
    """
    problems = []
    for dataset in sorted({record.cell.dataset for record in records}):
        cells = [record for record in records if record.cell.dataset == dataset]
        title = f"The {dataset_title(dataset)} cells"
        recipes = sorted({record.recipe.name for record in cells})
        for name in recipes:
            same = [record for record in cells if record.recipe.name == name]
            who = f"{title} with recipe {name}" if len(recipes) > 1 else title
            problems += _differing(who, same, _recipe)
        problems += _differing(title, cells, _machine)
    return problems


def _recipe(record: Record) -> Conditions:
    values = {name.replace("_", " "): str(value) for name, value in record.recipe}
    return values | {"schedule": schedule(record.recipe)}


def _machine(record: Record) -> Conditions:
    engine = record.engine
    small = engine.micro_batch_size < record.recipe.batch_size
    flags = {
        "compiled": engine.compiled,
        "deterministic": engine.deterministic,
        "TF32": engine.tf32,
    }
    return {
        "device": record.environment.device_name,
        "PyTorch": record.environment.torch,
        "precision": engine.precision,
        "images at a time": str(engine.micro_batch_size) if small else "the whole batch",
        **{name: "yes" if value else "no" for name, value in flags.items()},
    }


def _differing(
    who: str, records: Sequence[Record], conditions: Callable[[Record], Conditions]
) -> list[str]:
    found = [conditions(record) for record in records]
    values = {name: sorted({each[name] for each in found}) for name in found[0]}
    differing = [f"{name} ({', '.join(each)})" for name, each in values.items() if len(each) > 1]
    return [f"{who} differ in {'; '.join(differing)}."] if differing else []
