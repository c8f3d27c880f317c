"""Sentences: what was found, what a budget allows one to conclude, remarks on the reference."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.analysis.baselines import Row, difference_interval
from bench.analysis.networks import CostRow
from bench.config.profiles import PROFILES
from bench.formats import number
from bench.records.folder import Results

CONCLUSIONS: Final = {
    "smoke": "This run proves that everything works from data to report. Parameters and MACs are "
    "exact; its accuracies and speeds say nothing yet.",
    "quick": "This run shows whether each network learns. It is far too short to say anything "
    "about the accuracies of the paper or of the 2022 project. ResNet-20 and plain-20 train by the "
    "paper's own recipe, shortened.",
    "lecture": "Plain and residual networks of 20 and 56 layers with equally many images and the "
    "paper's recipe, shortened with its drops: a picture of section 4.2 in a lecture's time. So "
    "short a training neither shows nor refutes a claim of the paper.",
    "full": "Thirty passes over the training set for every depth of Table 1, with one recipe, and "
    "four of the paper's own CIFAR-10 networks by its recipe. On CIFAR-10 the five depths "
    "stand with the paper's ImageNet stem, as in the 2022 project, and with a small one "
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


def conclusion(profile: str, recipes: Iterable[str]) -> str:
    """What ``profile`` allows one to conclude, where ``recipes`` are its own but for changes.

    Those of a user's own, by whatever name, allow nothing that is known beforehand.
    """
    made = PROFILES.get(profile)
    own = tuple({plan.recipe.name for plan in made().plans}) if made else ()
    if all(name.startswith(own) for name in recipes):
        return CONCLUSIONS.get(profile, OTHER_CONCLUSION)
    return OTHER_CONCLUSION


def untrained(found: Results) -> str:
    """The headline of a folder without a cell."""
    if not found.holds_records:
        return "No results yet"
    return f"No cell was trained; the folder holds {found.contents}"


def headline(profile: str, grid: Sequence[Row], table1: Sequence[CostRow]) -> str:
    """One sentence with the finding: the range of accuracies, or of errors, in each panel."""
    started = [row for row in grid if row.cell_ids]
    if profile == "lecture":
        return " Here ".join(filter(None, lesson(started)))
    error = profile == "table6"  # the paper's measure there
    panels: dict[str, list[tuple[float, str]]] = {}
    for row in started:
        value = row.test_error if error else row.test_accuracy
        if value is not None:
            data, *variant = row.panel.split(" · ")
            panel = f"{data} ({', '.join(variant)})" if variant else data
            panels.setdefault(panel, []).append((value, row.title))
    if not panels:
        return "No cell completed; the reasons stand below."
    if profile == "smoke":
        done = sum(len(found) for found in panels.values())
        return _smoke_headline(done, len(started), table1)
    findings = [f"{_range(found)} on {panel}" for panel, found in panels.items()]
    return f"Test {'error' if error else 'accuracy'}: {'; '.join(findings)}."


def lesson(grid: Iterable[Row]) -> tuple[str, str]:
    """Training errors of the deepest networks beside the shallowest, and what that comes to.

    Plain networks, then residual ones, of the recipe with the most images where there are several.
    A difference that lies within the noise of the images counted is none.
    """
    done = [row for row in grid if row.train_error is not None]
    if not done:
        return "No cell completed; the reasons stand below.", ""
    longest = max(done, key=lambda row: row.images or 0).recipe
    findings: list[str] = []
    words: dict[str, str] = {}
    costs: dict[str, tuple[float, float]] = {}
    for network, name in (("cifar_plain", "plain"), ("cifar_resnet", "residual")):
        rows = [row for row in done if (row.network, row.recipe) == (network, longest)]
        if not rows:
            continue
        deep, shallow = max(rows, key=_depth), min(rows, key=_depth)
        told = _range([(row.train_error or 0.0, row.title) for row in (deep,)])
        if deep is not shallow:
            words[name], text, costs[name] = _deeper(deep, shallow)
            told += f" beside {_range([(shallow.train_error or 0.0, shallow.title)])}, {text}"
        findings.append(told)
    return f"Training error: {'; '.join(findings)}.", _of_depth(words, costs)


def _of_depth(words: Mapping[str, str], costs: Mapping[str, tuple[float, float]]) -> str:
    """What more layers did to each kind of network, by their costs' intervals in points."""
    if not words:
        return ""
    if list(words.values()) == ["worse", "worse"]:
        (plain_low, plain_high), (low, high) = costs["plain"], costs["residual"]
        less = "residual" if high < plain_low else "plain" if plain_high < low else ""
        more = f", the {less} one less" if less else ""
        return f"more layers made both kinds of network train worse{more}."
    told = (f"the {name} network train {word}" for name, word in words.items())
    return f"more layers made {' and '.join(told)}."


def _depth(row: Row) -> int:
    return row.depth


def _deeper(deep: Row, shallow: Row) -> tuple[str, str, tuple[float, float]]:
    """``worse``, ``11.1 points more``, and the interval of these points."""
    assert deep.train_accuracy is not None
    assert shallow.train_accuracy is not None
    counted = [(row.images or 0) / (row.epochs or 1) for row in (deep, shallow)]
    low, high = difference_interval(
        deep.train_accuracy, counted[0], shallow.train_accuracy, counted[1]
    )
    points = shallow.train_accuracy - deep.train_accuracy
    text = f"{number(abs(points), 1)} points {'more' if points > 0 else 'less'}"
    if low <= 0 <= high:
        return "about as well", f"{text}, which is within the noise", (-high, -low)
    return ("worse" if points > 0 else "better"), text, (-high, -low)


def _range(found: Sequence[tuple[float, str]]) -> str:
    """From the lowest value to the highest, with the networks that have them."""
    ordered = sorted(found, key=lambda pair: pair[0])
    ends = [ordered[0], ordered[-1]] if len(ordered) > 1 else ordered
    # Neither a number and its unit nor a name and its depth are torn apart.
    return " to ".join(
        f"{number(value, 1)}{NO_BREAK}% ({title.replace('-', NO_BREAK_HYPHEN)})"
        for value, title in ends
    )


def _smoke_headline(done: int, started: int, table1: Sequence[CostRow]) -> str:
    differences = [row.difference_percent for row in table1]
    measured = [abs(percent) for percent in differences if percent is not None]
    cells = f"{done} of {started} cells ran"
    if not measured:
        return f"{cells}."
    worst = number(max(measured), 1)
    return f"{cells}, and measured MACs lie within {worst} % of the FLOPs that the paper prints."


def footnotes(grid: Iterable[Row]) -> dict[str, str]:
    """Remarks on the 2022 project's cells -> their letters, in order of the rows."""
    remarks = dict.fromkeys(remark for row in grid for remark in row.remarks)
    return {remark: chr(ord("a") + n) for n, remark in enumerate(remarks)}
