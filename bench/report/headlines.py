"""Sentences: what was found, what a budget allows one to conclude, remarks on the reference."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.analysis.labels import model_title
from bench.analysis.tables import Row
from bench.formats import number

CONCLUSIONS: Final = {
    "smoke": "This run proves that everything works from data to report. Parameters and MACs are "
    "exact; its accuracies and speeds say nothing yet.",
    "quick": "This run shows whether each network learns. It is far too short to say anything "
    "about the accuracies of the paper or of the 2022 project, and its recipes were chosen by "
    "looking at test images.",
    "full": "Thirty passes over the training set for every depth, with one recipe. On CIFAR-10 the "
    "networks stand with the paper's ImageNet stem, as in the 2022 project, and with a small one "
    "that keeps the resolution. Beside the 2022 project mind the budgets, which every row states.",
    "table6": "The networks of Table 6 and their plain counterparts, trained as section 4.2 of the "
    "paper says. Printed errors are single runs, but for that of 110 layers, which is the mean of "
    "five.",
    "table6_more": "What section 4.2 of the paper says of other networks: a plain one of 110 "
    "layers, ResNet-110 without its warm-up, projections (option B), and 1202 layers.",
    "project2022": "The 2022 project's recipe with equally many epochs for every depth, and once "
    "more with its accident, after which no weight moves. Two rows of one depth differ in that "
    "alone.",
}
NO_BREAK: Final = "\u00a0"
NO_BREAK_HYPHEN: Final = "\u2011"
OTHER_CONCLUSION: Final = "Compare budgets in the table before you compare accuracies."


def headline(profile: str, grid: Sequence[Row], table1: Sequence[Row]) -> str:
    """One sentence with the finding: the range of accuracies, or of errors, in each panel."""
    started = [row for row in grid if row["cell_ids"] is not None]
    done = [row for row in started if row["test_accuracy"] is not None]
    if not done:
        return "No cell completed; the reasons stand below."
    if profile == "smoke":
        return _smoke_headline(len(done), len(started), table1)
    error = profile == "table6"  # the paper's measure there
    findings = [f"{_range(rows, error=error)} on {panel}" for panel, rows in _panels(done).items()]
    return f"Test {'error' if error else 'accuracy'}: {'; '.join(findings)}."


def _panels(rows: Iterable[Row]) -> dict[str, list[Row]]:
    panels: dict[str, list[Row]] = {}
    for row in rows:
        data, *variant = row["panel"].split(" · ")
        panels.setdefault(data + (f" ({', '.join(variant)})" if variant else ""), []).append(row)
    return panels


def _range(rows: Sequence[Row], *, error: bool) -> str:
    """From the lowest to the highest, with the networks that have them."""
    values = [(100 - row["test_accuracy"] if error else row["test_accuracy"], row) for row in rows]
    values.sort(key=lambda pair: pair[0])
    ends = [values[0], values[-1]] if len(values) > 1 else values
    named = [(number(value, 1), model_title(row["network"], row["depth"])) for value, row in ends]
    # Neither a number and its unit nor a name and its depth are torn apart.
    return " to ".join(
        f"{value}{NO_BREAK}% ({name.replace('-', NO_BREAK_HYPHEN)})" for value, name in named
    )


def _smoke_headline(done: int, started: int, table1: Sequence[Row]) -> str:
    differences = [abs(row["difference_percent"]) for row in table1 if row["table1_macs"]]
    cells = f"{done} of {started} cells ran"
    if not differences:
        return f"{cells}."
    worst = number(max(differences), 1)
    return f"{cells}, and measured MACs lie within {worst} % of the FLOPs that the paper prints."


def footnotes(grid: Iterable[Row]) -> dict[str, str]:
    """What one must know about the 2022 project's cells: remark -> letter, in order of the rows."""
    remarks: list[str] = []
    for row in grid:
        row["remarks"] = list(_remarks(row))
        remarks += [remark for remark in row["remarks"] if remark not in remarks]
    return {remark: chr(ord("a") + n) for n, remark in enumerate(remarks)}


def _remarks(row: Row) -> Iterable[str]:
    trained, frozen = row["theirs_trained_depth"], row["theirs_frozen_after_epoch"]
    if trained is not None and trained != row["depth"]:
        yield (
            f"The 2022 project labels this cell ResNet-{row['depth']}, but its notebook trains "
            f"ResNet-{trained:.0f}."
        )
    if frozen is not None:
        yield (
            f"The 2022 project resumed after epoch {frozen:.0f} with an optimizer that still held "
            "the discarded network's parameters: no weight moved from there on."
        )
