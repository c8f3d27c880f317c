"""Older records in the words of today's schema. No torch here."""

from math import ceil
from typing import Any

from bench.records.schema import SCHEMA_VERSION

Content = dict[str, Any]

READABLE_VERSIONS = (1, 2, 3, 4, 5, 6, 7)


def to_current(content: Content, epochs: list[Content]) -> tuple[Content, list[Content]]:
    """A stored record and its epochs, raised to today's version where they are older.

    Raises:
        ValueError: something that every record of its version has is missing or of another type.
    """
    version = content.get("schema_version")
    if version == 1:
        try:
            # Version 1 did not count steps, but they follow from the batch size.
            size = content["recipe"]["batch_size"]
            epochs = [{**epoch, "steps": ceil(epoch["train_images"] / size)} for epoch in epochs]
            content = _from_1(content)
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"not a record of version 1: {error!r}") from error
    # 2 knew neither signals nor predictions, 3 no uncaptured steps, 4 no clean training error,
    # 5 no custom networks, 6 kept no weights
    if version in READABLE_VERSIONS[:-1]:
        content = {**content, "schema_version": SCHEMA_VERSION}
    return content, epochs


def _from_1(content: Content) -> Content:
    """Version 1 knew one schedule, the published shortcut and no engine but its precision."""
    recipe = dict(content["recipe"])
    recipe["schedule"] = {"kind": "linear", "warmup_fraction": recipe.pop("warmup_fraction")}
    engine = {
        "precision": content["precision"],
        "micro_batch_size": recipe["batch_size"],
        # torch's default, which version 1 left as it was
        "tf32": True if content["environment"]["device"] == "cuda" else None,
    }
    rest = {key: value for key, value in content.items() if key != "precision"}
    cell = {**content["cell"], "shortcut": "B"}
    return {**rest, "cell": cell, "recipe": recipe, "engine": engine}
