"""Figures that set ours beside the references: curves, Table 6, verdicts, the audit's."""

import csv
import re
from functools import partial
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.analysis.baselines import grid, project_curves, table6
from bench.analysis.freezing import find_freeze
from bench.analysis.logs import run_logs
from bench.analysis.tables import curves, summarize
from bench.config import recipes
from bench.reference.loader import load_project2022
from bench.report.figures.curves import curve_charts
from bench.report.figures.errors import error_charts
from bench.report.figures.freezes import freeze_charts
from tests.support.factories import make_failed, make_grid, make_profile, make_record
from tests.support.pages import page_of, without_figures
from tests.support.tools import parsed

pytestmark = pytest.mark.heavy

long_record = partial(make_record, recipe={"epochs": 4, "images_per_epoch": 50_000})


def rows_of(chart):
    return list(csv.DictReader(StringIO(chart.csv)))


def texts_of(chart):
    assert ElementTree.fromstring(chart.svg).tag == "svg"
    return re.findall(r"<text [^>]*>([^<]*)</text>", chart.svg)


def curves_of(*records):
    return curve_charts(curves(records), project_curves())


def theirs_in(chart):
    return [row for row in rows_of(chart) if row["source"] == "2022 project"]


def test_project_curves_end_at_the_slides_figures():
    ends = project_curves().groupby(["dataset", "depth"]).last()
    cells = load_project2022().cells()
    for cell in cells:
        if cell.trained_depth != cell.depth:
            assert (cell.dataset, cell.depth) == ("mnist", 50)
            continue
        end: Any = ends.loc[(cell.dataset, cell.depth)]
        assert (end["epoch"], end["images"]) == (cell.epochs, cell.images)
        for name in ("train_accuracy", "test_accuracy", "train_loss", "test_loss"):
            assert end[name] == pytest.approx(getattr(cell, name)), name
    assert len(ends) == len(cells) - 1


def test_project_curves_are_drawn_as_far_as_ours_reach():
    charts = curves_of(long_record(18), long_record(50))
    project = {run.notebook: run for run in load_project2022().runs}
    accuracies = project["Resnet18_Training_CIFAR10.ipynb"].test_accuracy_percent[:4]
    assert len(charts) == 4
    for chart in charts:
        theirs = theirs_in(chart)
        assert [(row["depth"], row["images"]) for row in theirs] == [
            (depth, str(50_000 * epoch)) for depth in ("18", "50") for epoch in (1, 2, 3, 4)
        ]
        assert {"ours", "2022 project"} <= set(texts_of(chart))
        assert "Faint lines: the 2022 project's runs as far as ours reach" in chart.description
    assert [float(row["mean"]) for row in theirs_in(charts[0])[:4]] == pytest.approx(accuracies)


def test_curves_that_stand_alone_have_no_legend():
    for chart in curves_of(make_record(18)):
        assert not {"ours", "2022 project"} & set(texts_of(chart))


@pytest.mark.parametrize(
    "record",
    [
        make_record(18),  # ends before the first epoch of theirs
        long_record(18, stem="cifar"),
        long_record(18, shortcut="A"),
        long_record(34, network="plain"),
        long_record(20, network="cifar_resnet"),
        make_record(50, "mnist", recipe={"epochs": 4, "images_per_epoch": 60_000}),  # mislabelled
    ],
    ids=["short", "stem", "shortcut", "plain", "table 6", "mislabelled"],
)
def test_curves_that_are_not_theirs_stand_alone(record):
    with without_figures():
        charts = curves_of(record)
    assert len(charts) == 4
    for chart in charts:
        assert theirs_in(chart) == []
        assert "2022 project" not in chart.description


def test_one_epoch_in_reach_is_a_dot():
    charts = curves_of(make_record(18, recipe={"epochs": 1, "images_per_epoch": 50_000}))
    assert [len(theirs_in(chart)) for chart in charts] == [1] * 4


def test_losses_of_their_first_epochs_do_not_flatten_ours():
    """ResNet-50 starts with a train loss near 10 there."""
    record = make_record(50, recipe={"epochs": 30, "images_per_epoch": 50_000})
    chart = curves_of(record)[3]
    assert max(float(row["mean"]) for row in theirs_in(chart)) > 5
    ticks = [float(text) for text in texts_of(chart) if re.fullmatch(r"\d\.\d+", text)]
    assert max(ticks) < 4


def test_freezes_are_marked_where_the_logs_have_them():
    logs = run_logs(load_project2022())
    charts = freeze_charts(logs)
    assert [chart.title for chart in charts] == [
        "CIFAR-10, recipe base", "CIFAR-10, recipe normalize",
        "CIFAR-10, recipe normalize_batch32", "MNIST, recipe base",
    ]  # fmt: skip
    base, normalize, batch32, mnist = charts
    assert {"20", "60", "18", "34", "50", "101", "152"} <= set(texts_of(base))
    assert "ResNet-50 moves until epoch 20 of 60 and stays at 61.8" in base.description
    assert "ResNet-18: no freeze is seen in 100 epochs" in base.description
    assert "moves until epoch 50 of 100" in normalize.description
    assert "moves until" not in batch32.description
    assert "ResNet-18: cannot be judged in 20 epochs" in mnist.description
    still = [row for row in rows_of(base) if row["moving"] == "False"]
    assert len(still) == sum(
        log.epochs - freeze.after_epoch
        for log in logs
        if (log.dataset, log.recipe) == ("cifar10", "base")
        and (freeze := find_freeze(log)) is not None
    )
    assert len(rows_of(base)) == 100 + 100 + 3 * 60


def test_logs_that_cannot_be_judged_have_no_figure():
    logs = [log for log in run_logs(load_project2022()) if log.dataset == "mnist"]
    assert freeze_charts([log for log in logs if log.depth == 18]) == []
    assert freeze_charts([]) == []


def errors_of(records):
    return error_charts(table6(grid(summarize(records))))


def test_errors_stand_beside_the_printed_ones():
    beside, plain = errors_of(make_profile("table6"))
    rows = {int(row["depth"]): row for row in rows_of(beside)}
    assert set(rows) == {20, 32, 44, 56, 110}
    assert float(rows[20]["printed"]) == 8.75
    assert (float(rows[110]["printed"]), float(rows[110]["printed_std"])) == (6.61, 0.16)
    assert rows[20]["printed_std"] == ""
    for row in rows.values():
        assert float(row["error_low"]) < float(row["test_error"]) < float(row["error_high"])
    assert {"ours, 95 %", "printed, ± std where given"} <= set(texts_of(beside))
    assert "ResNet-20 (paper_cifar) 8.60, printed 8.75" in beside.description
    assert {"ResNets of Table 6", "plain nets of Table 6"} <= set(texts_of(plain))
    assert "plain nets of Table 6: 20 layers 10.00, 32 layers 11.20" in plain.description
    assert len(rows_of(plain)) == 5 + 4


def test_two_runs_of_one_depth_are_told_apart():
    plain_start = make_record(110, network="cifar_resnet", recipe=recipes.paper_cifar(warmup=False))
    warm = make_record(110, network="cifar_resnet", recipe=recipes.paper_cifar(warmup=True))
    (chart,) = errors_of([plain_start, warm])
    assert texts_of(chart).count("110") == 2
    assert {"paper_cifar", "paper_cifar_warmup"} <= set(texts_of(chart))
    assert "paper_cifar" not in texts_of(errors_of([warm])[0])


def test_what_is_missing_leaves_its_figure_out():
    resnet, plain = (make_record(20, network=f"cifar_{name}") for name in ("resnet", "plain"))
    option_b = make_record(20, network="cifar_resnet", shortcut="B")
    broken = make_record(20, network="cifar_resnet", status="failed", reason="x", epochs=())
    with without_figures():
        assert [chart.key for chart in errors_of([resnet])] == ["errors-printed"]
        assert [chart.key for chart in errors_of([plain, resnet])] == [
            "errors-printed", "errors-plain"
        ]  # fmt: skip
        for records in ([plain], [plain, option_b], [broken], make_grid(), [make_failed()], []):
            assert errors_of(records) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ten", {"answer", "freeze"}), ("table6", {"answer", "freeze", "errors"})],
)
def test_the_page_has_them_with_their_data(name, expected):
    figures = parsed(page_of(name)).findall(".//figure")
    keys = set()
    for figure in figures:
        (link,) = figure.findall("p/a")
        key = figure.find("figcaption").get("id").removesuffix("-title")
        assert link.get("download") == f"{key}.csv"
        assert link.get("href").startswith("data:text/csv")
        keys.add(key.split("-")[0])
    assert expected <= keys
    assert ("errors" in keys) == ("errors" in expected)


def test_many_seeds_make_no_bigger_figures():
    few, many = (curves_of(*[make_record(seed=seed) for seed in range(n)])[0] for n in (2, 12))
    assert len(many.svg) < 1.1 * len(few.svg)
    assert len(many.csv) < 1.2 * len(few.csv)
