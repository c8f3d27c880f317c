"""Imports go one way (docs/architecture.md), and rendering needs no torch."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Every module may import from the rows above it, never from below.
LAYERS = [
    ["errors", "stop", "terminal", "performance.nvml"],
    ["data.datasets", "reference.sources"],
    ["data.normalisation", "reference.paper_tables", "reference.paper_sections"],
    ["recipes", "reference.paper", "reference.project2022", "reference.reproductions"],
    ["records", "schedule"],
    ["config", "evaluations", "migrate", "layers", "reference.loader", "predictions"],
    ["performance.records"],
    ["store", "performance.roofline", "performance.sweep"],
    ["svg", "formats", "catalog_tables", "data.cache", "data.folder", "performance.store"],
    ["performance.summary", "performance.matrix"],
    ["words", "data.npm", "data.official", "printed", "stats"],
    ["performance.block_times"],
    ["performance.block_tables", "performance.listing"],
    ["tables", "conditions", "findings", "auditing.logs"],
    ["auditing.finding", "auditing.freezing"],
    ["measures"],
    ["auditing.ranking", "auditing.networks", "auditing.losses"],
    ["auditing.training"],
    ["audit"],
    ["comparisons", "figures.chart", "budgets", "costs", "claim_tests"],
    ["others"],
    ["figures.curves", "figures.costs", "figures.signals", "figures.errors", "figures.freezes"],
    ["figures.roofline", "figures.others", "figures.speedups"],
    ["performance.speed_tables"],
    ["comparing.folders", "comparing.timings", "comparing.mcnemar", "comparing.finding"],
    ["pairs"],
    ["comparing.pairing", "comparing.conditions"],
    ["comparing.speeds", "comparing.accuracy"],
    ["comparing.noise"],
    ["comparing.comparison"],
    ["comparing.tables"],
    ["against_tables"],
    ["claims"],
    ["evidence"],
    ["judgements.outcome"],
    ["judgements.cost", "judgements.means", "judgements.comparisons", "judgements.elsewhere"],
    ["ledger"],
    ["ledger_tables", "results"],
    ["figures.verdicts", "summaries"],
    ["report", "listing", "data.sources", "data.batches"],
    ["cost", "engine", "environment", "progress", "weights", "checkpoint"],
    ["trainer", "usual_loop", "performance.timing"],
    ["train", "compilation", "performance.limits"],
    ["speed", "evaluate", "signals", "performance.measure"],
    ["context", "trial", "performance.memory"],
    ["run_cell", "compare_loops", "selftest", "speed_matrix", "performance.memory_child"],
    ["grid", "doctor"],
    ["diagnosis"],
    ["performance.guard"],
    ["performance.rounds"],
    ["commands.shared"],
    ["commands.run", "commands.networks", "commands.machine", "commands.claims"],
    ["commands.compare", "commands.speed"],
    ["cli"],
    ["__main__"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def imports_of(path):
    """Modules of the project that a file imports, as written anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("bench", "resnet_models", "torch")}


def module_name(path):
    return ".".join(path.relative_to(ROOT / "bench").with_suffix("").parts)


MODULES = {
    module_name(path): path for path in (ROOT / "bench").rglob("*.py") if path.name != "__init__.py"
}


def test_every_module_has_its_layer():
    assert set(MODULES) == set(RANK)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name):
    for imported in imports_of(MODULES[name]):
        below = [known for known in RANK if f"{imported}.".startswith(f"bench.{known}.")]
        for other in below:
            assert RANK[other] < RANK[name], f"bench.{name} imports bench.{other}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resnet_models").glob("*.py")), ids=lambda p: p.stem
)
def test_networks_import_nothing_of_the_harness(path):
    assert not [name for name in imports_of(path) if name.startswith("bench")]


@pytest.mark.parametrize(
    "name",
    [
        "store",
        "layers",
        "words",
        "tables",
        "comparisons",
        "conditions",
        "findings",
        "catalog_tables",
        "figures.chart",
        "figures.curves",
        "figures.costs",
        "figures.signals",
        "figures.errors",
        "figures.freezes",
        "figures.verdicts",
        "figures.others",
        "others",
        "results",
        "summaries",
        "predictions",
        "performance.records",
        "report",
        "listing",
        "audit",
        "auditing.logs",
        "auditing.finding",
        "auditing.freezing",
        "auditing.ranking",
        "auditing.networks",
        "auditing.losses",
        "auditing.training",
        "stats",
        "printed",
        "measures",
        "budgets",
        "costs",
        "claims",
        "claim_tests",
        "evidence",
        "judgements.outcome",
        "judgements.cost",
        "judgements.means",
        "judgements.comparisons",
        "judgements.elsewhere",
        "ledger",
        "ledger_tables",
        "performance.block_times",
        "performance.block_tables",
        "performance.speed_tables",
        "figures.roofline",
        "figures.speedups",
        "commands.claims",
        "performance.store",
        "comparing.folders",
        "comparing.timings",
        "comparing.mcnemar",
        "comparing.finding",
        "comparing.pairing",
        "comparing.conditions",
        "comparing.speeds",
        "comparing.accuracy",
        "comparing.noise",
        "comparing.comparison",
        "comparing.tables",
        "against_tables",
        "commands.compare",
        "performance.roofline",
        "performance.sweep",
        "performance.summary",
        "performance.matrix",
        "performance.listing",
        "performance.nvml",
        "reference.loader",
        "reference.paper",
        "reference.paper_sections",
        "reference.paper_tables",
        "reference.project2022",
        "reference.reproductions",
        "reference.sources",
    ],
)
def test_rendering_names_no_torch(name):
    assert not [other for other in imports_of(MODULES[name]) if other.startswith("torch")]
