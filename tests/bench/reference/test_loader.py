"""The numbers of the paper: sources, well-known values, and agreement with each other."""

from typing import get_args

import pytest
from pydantic import ValidationError

from bench.config.profiles import DEPTHS
from bench.reference.loader import load_paper
from bench.reference.paper import Paper
from bench.reference.printed import look_up
from bench.reference.sources import How
from tests.support.references import NAMES, changed, content, numbers

FILE = content("paper.json")
PAPER = load_paper()
TABLES = PAPER.tables
CIFAR = FILE["cifar_section"]
PERCENT = {"error", "mean", "std", "top1", "top5", "plain", "resnet", "top5_test", "map50",
           "map50_95", "voc07_test_train0712", "voc12_test_train07pp12"}  # fmt: skip


def said(path):
    return look_up(f"paper:{path}").value


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_source_and_says_how_it_was_got(name):
    found = list(numbers(content(name)))
    assert len(found) > 200
    for path, sources in found:
        assert sources, f"{name}: {path} has no source"
        assert sources[0]["source"].strip(), path
        assert sources[0]["how"] in get_args(How), path
        assert isinstance(sources[0]["verified"], bool), path


def test_what_is_computed_and_what_is_read_off_a_plot():
    read_off = set()
    for path, (nearest, *_) in numbers(FILE):
        assert (nearest["how"] == "computed") == nearest["source"].startswith("computed"), path
        assert nearest["how"] != "reported by others", path
        assert nearest["verified"] or nearest["how"] == "read off a plot", path
        if nearest["how"] == "read off a plot":
            read_off.add(path[:2])
    assert read_off == {
        ("cifar_section", "figure6_digitised"), ("cifar_section", "figure6_readings_of_others")
    }  # fmt: skip
    assert not CIFAR["figure6_digitised"]["verified"]


def test_the_file_is_whole():
    """Of what no type names: parts, rows, and shares between 0 and 100 percent."""
    assert set(FILE) == {"meta", "abstract", "tables", "appendix", "imagenet_training",
                         "cifar_section", "computed", "discrepancies"}  # fmt: skip
    rows = {name: table.get("rows", ()) for name, table in FILE["tables"].items()}
    assert {name: len(found) for name, found in rows.items()} == {
        "table1": 0, "table2": 2, "table3": 10, "table4": 10, "table5": 6, "table6": 12,
        "table7": 2, "table8": 2,
    }  # fmt: skip
    for name in ("table3", "table4", "table5", "table7", "table8"):
        columns = {tuple(key for key in row if key != "on_test_set") for row in rows[name]}
        assert len(columns) == 1
        assert len({row["method"] for row in rows[name]}) == len(rows[name])
    shares = [(path, value) for path, value in _leaves(FILE["tables"]) if path[-1] in PERCENT]
    assert len(shares) > 60
    for path, value in shares:
        assert value is None or (type(value) in (int, float) and 0 < value <= 100), path
    for each in FILE["discrepancies"]:
        assert each["text"].strip()
        assert each["source"].strip()
        assert isinstance(each["verified"], bool)


def _leaves(node, path=()):
    """(path, value) of all that is no container."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        (2, "layers plain resnet", [(18, 27.94, 27.88), (34, 28.54, 25.03)]),
        (3, "method top1 top5", [
            ("VGG-16", 28.07, 9.33), ("GoogLeNet", None, 9.15), ("PReLU-net", 24.27, 7.38),
            ("plain-34", 28.54, 10.02), ("ResNet-34 A", 25.03, 7.76), ("ResNet-34 B", 24.52, 7.46),
            ("ResNet-34 C", 24.19, 7.40), ("ResNet-50", 22.85, 6.71), ("ResNet-101", 21.75, 6.05),
            ("ResNet-152", 21.43, 5.71),
        ]),
        (4, "method top1 top5", [
            ("ResNet-50", 20.74, 5.25), ("ResNet-101", 19.87, 4.60), ("ResNet-152", 19.38, 4.49),
        ]),
        (5, "method top5_test", [("ResNet (ILSVRC'15)", 3.57)]),
        (6, "method layers params error", [
            ("Maxout", None, None, 9.38), ("NIN", None, None, 8.81), ("DSN", None, None, 8.22),
            ("FitNet", 19, 2.5e6, 8.39), ("Highway", 19, 2.3e6, 7.54),
            ("Highway", 32, 1.25e6, 8.8), ("ResNet", 20, 0.27e6, 8.75),
            ("ResNet", 32, 0.46e6, 7.51), ("ResNet", 44, 0.66e6, 7.17),
            ("ResNet", 56, 0.85e6, 6.97), ("ResNet", 110, 1.7e6, 6.43),
            ("ResNet", 1202, 19.4e6, 7.93),
        ]),
        (7, "method voc07_test_train0712 voc12_test_train07pp12", [
            ("VGG-16", 73.2, 70.4), ("ResNet-101", 76.4, 73.8),
        ]),
        (8, "method map50 map50_95", [("VGG-16", 41.5, 21.2), ("ResNet-101", 48.4, 27.2)]),
    ],
)  # fmt: skip
def test_values_of_the_tables(table, columns, expected):
    rows = FILE["tables"][f"table{table}"]["rows"]
    found = [tuple(row[name] for name in columns.split()) for row in rows]
    assert [row for row in found if row in expected] == expected


def test_one_row_of_table_6_has_a_mean_and_one_of_table_4_is_of_test_images():
    several = [row for row in TABLES.table6.rows if row.runs]
    assert [(r.layers, r.error, r.mean, r.std) for r in several] == [(110, 6.43, 6.61, 0.16)]
    assert all(6 * row.n + 2 == layers for layers, row in TABLES.table6.resnets.items())
    rows = FILE["tables"]["table4"]["rows"]
    assert [row["method"] for row in rows if row.get("on_test_set")] == ["VGG (ILSVRC'14)"]


def test_values_of_table_1():
    assert {
        depth: (column.flops_printed / 1e9, column.block, column.blocks)
        for depth, column in TABLES.table1.depths.items()
    } == {
        18: (1.8, "basic", (2, 2, 2, 2)), 34: (3.6, "basic", (3, 4, 6, 3)),
        50: (3.8, "bottleneck", (3, 4, 6, 3)), 101: (7.6, "bottleneck", (3, 4, 23, 3)),
        152: (11.3, "bottleneck", (3, 8, 36, 3)),
    }  # fmt: skip


def test_table_2_agrees_with_table_3_and_with_the_text():
    plain, resnet, resnet18 = (
        said(f"tables/table2/rows/{row}") for row in ("34/plain", "34/resnet", "18/resnet")
    )
    assert plain == said("tables/table3/rows/plain-34/top1")
    assert resnet == said("tables/table3/rows/ResNet-34 A/top1")
    text = "tables/table2/text_claims/resnet34_better_than_{}_by"
    assert said(text.format("resnet18")) == pytest.approx(resnet18 - resnet, abs=0.051)
    assert said(text.format("plain34")) == pytest.approx(plain - resnet, abs=0.051)


def test_the_abstract_agrees_with_the_tables():
    best = min(row["top5_test"] for row in FILE["tables"]["table5"]["rows"])
    assert said("abstract/ensemble_top5_test") == best
    assert said("abstract/max_depth") == max(TABLES.table1.depths)
    assert said("abstract/depth_ratio_to_vgg") == max(TABLES.table1.depths) / 19
    vgg, resnet = (said(f"tables/table8/rows/{name}/map50_95") for name in ("VGG-16", "ResNet-101"))
    assert said("tables/table8/gain_points") == pytest.approx(resnet - vgg)
    relative = round(100 * (resnet / vgg - 1))
    assert said("abstract/coco_relative_improvement") == relative
    assert said("tables/table8/gain_relative_percent") == relative


def test_flops_of_the_text_agree_with_table_1_and_with_definitions():
    quotes = FILE["tables"]["table1"]["flops_quoted_in_text"]
    quoted = {name: quote["value"] for name, quote in quotes.items()}
    for depth in (50, 152):
        assert quoted[f"resnet{depth}"] == TABLES.table1.depths[depth].flops_printed
    assert quoted["plain34"] == quoted["resnet34_fig3"] == TABLES.table1.depths[34].flops_printed
    fraction = said("tables/table1/plain34_fraction_of_vgg19")
    assert fraction == pytest.approx(quoted["plain34"] / quoted["vgg19"], abs=0.005)
    # The two figures count different layers: see the discrepancies.
    assert quoted["vgg16"] == pytest.approx(said("computed/vgg_macs_224/vgg16/conv"), rel=0.005)
    assert quoted["vgg19"] == pytest.approx(said("computed/vgg_macs_224/vgg19/total"), rel=0.005)


def test_section_4_2():
    training, networks = CIFAR["hyperparameters"], CIFAR["architecture"]
    settings = {
        "batch_size": 128, "lr_initial": 0.1, "lr_drop_factor": 10, "momentum": 0.9,
        "weight_decay": 1e-4, "lr_drops_at_iterations": [32_000, 48_000],
        "stop_iteration": 64_000,
    }  # fmt: skip
    assert settings.items() <= training.items()
    assert training["batch_size"] == training["gpus"] * said("cifar_section/per_gpu_batch")
    assert networks["depths"] == [6 * n + 2 for n in networks["n_values"]]
    warmup = CIFAR["resnet110_warmup"]
    about = {"lr": 0.01, "until_train_error_below": 80, "iterations_about": 400, "then_lr": 0.1}
    assert about.items() <= warmup.items()
    deepest = CIFAR["resnet1202"]
    assert deepest["training_error_below"] == 0.1
    row = TABLES.table6.resnets[6 * deepest["n"] + 2]
    assert (deepest["test_error"], deepest["params"]) == (row.error, row.params)
    assert CIFAR["plain_nets"]["plain110_error_above"] == 60


@pytest.mark.parametrize(("name", "images"), [("at_50k", 50_000), ("at_45k", 45_000)])
def test_epochs_follow_from_iterations(name, images):
    training, epochs = CIFAR["hyperparameters"], CIFAR["epochs_equivalent"][name]
    steps = (*training["lr_drops_at_iterations"], training["stop_iteration"])
    expected = [step * training["batch_size"] / images for step in steps]
    assert list(epochs.values()) == pytest.approx(expected, abs=0.006)


def test_readings_of_figure_6_fit_the_printed_errors_and_each_other():
    figure = CIFAR["figure6_digitised"]
    for layers, error in figure["resnet_test_error_final"].items():
        printed = TABLES.table6.resnets[int(layers)].expected
        assert error == pytest.approx(printed, abs=0.1)
    plain = figure["plain_test_error_final"]
    assert list(plain) == sorted(plain, key=plain.__getitem__) == ["20", "32", "44", "56"]
    for name in ("a_martyn", "nabla0001"):
        for layers, error in CIFAR["figure6_readings_of_others"][name].items():
            assert error == pytest.approx(plain[layers], abs=0.75)


@pytest.mark.parametrize("layers", CIFAR["architecture"]["depths"])
def test_parameters_of_table_6_are_those_of_the_definition(layers):
    exact = FILE["computed"]["cifar_resnets"][str(layers)]
    printed = TABLES.table6.resnets[layers].params
    decimals = len(f"{printed / 1e6:g}".partition(".")[2])
    assert round(exact["params_optionA_3ch"] / 1e6, decimals) == printed / 1e6
    assert exact["params_optionA_3ch"] == exact["params_plain_3ch"]
    assert exact["params_optionA_3ch"] > exact["params_optionA_3ch_without_BN_affine"]


@pytest.mark.parametrize("depth", DEPTHS)
def test_stride_on_the_3x3_costs_more_in_bottlenecks_only(depth):
    ours, other = PAPER.cost(depth, "paper"), PAPER.cost(depth, "torchvision")
    assert ours.params == other.params
    assert (other.macs_total > ours.macs_total) == (depth >= 50)
    assert PAPER.cost(depth, "project2022") == other


def test_cost_by_shortcut():
    costs = [PAPER.cost(50, "paper", shortcut) for shortcut in ("none", "A", "B", "C")]
    assert costs[0].params == costs[1].params < costs[2].params < costs[3].params
    assert costs[2] == PAPER.cost(50, "paper")
    assert PAPER.cost(50, "torchvision", "A").macs_total > costs[1].macs_total


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["table6", "rows", 6, "error"], 875, r"table6\.rows\.6\.error\n.*100"),
        (["table6", "rows", 6, "error"], -1, r"table6\.rows\.6\.error\n.*0"),
        (["table6", "rows", 6, "error"], "8.75", r"rows\.6\.error\n.*valid number"),
        (["table6", "rows", 6, "errors"], 8.75, r"rows\.6\.errors\n.*not permitted"),
        (["table6", "rows", 10, "std"], None, "ResNet: mean and std go together"),
        (["table6", "rows", 6], None, r"table6\.rows\n.*at least 12"),
        (["table1", "depths", "18"], None, r"table1\.depths\n.*at least 5"),
        (["table1", "depths", "18", "source"], None, r"18\.source\n.*required"),
        (["table1", "depths", "18", "source"], "", r"18\.source\n.*at least 1 character"),
        (["table1", "depths", "18", "how"], "guessed", r"18\.how\n.*'printed'"),
        (["table6"], None, r"tables\.table6\n.*required"),
    ],
)
def test_a_broken_file_is_refused_by_the_name_of_the_field(path, value, message):
    with pytest.raises(ValidationError, match=message):
        Paper.model_validate_json(changed("paper.json", ["tables", *path], value))


def test_a_broken_definition_is_refused():
    path = ["computed", "imagenet_macs_224", "50", "v1_optionB", "macs_total"]
    paper = Paper.model_validate_json(changed("paper.json", path, 0.5))
    with pytest.raises(ValidationError, match=r"macs_total\n.*valid integer"):
        paper.cost(50, "paper")
