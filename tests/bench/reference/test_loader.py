"""The numbers of the paper: sources, well-known values, and agreement with each other."""

import pytest
from pydantic import ValidationError

from bench.config.profiles import DEPTHS
from bench.reference.loader import load_paper
from bench.reference.paper import Paper
from tests.support.references import NAMES, changed, content, numbers

PAPER = load_paper()
TABLES = PAPER.tables
CIFAR = PAPER.cifar_section


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_source_and_says_how_it_was_got(name):
    found = list(numbers(content(name)))
    assert len(found) > 200
    for path, sources in found:
        assert sources, f"{name}: {path} has no source"
        assert sources[0]["source"].strip(), path
        assert sources[0]["how"] in (
            "printed", "read off a plot", "computed", "reported by others"
        ), path  # fmt: skip
        assert isinstance(sources[0]["verified"], bool), path


def test_what_is_computed_and_what_is_read_off_a_plot():
    read_off = set()
    for path, (nearest, *_) in numbers(content("paper.json")):
        assert (nearest["how"] == "computed") == nearest["source"].startswith("computed"), path
        assert nearest["how"] != "reported by others", path
        assert nearest["verified"] or nearest["how"] == "read off a plot", path
        if nearest["how"] == "read off a plot":
            read_off.add(path[:2])
    assert read_off == {
        ("cifar_section", "figure6_digitised"), ("cifar_section", "figure6_readings_of_others")
    }  # fmt: skip
    assert not CIFAR.figure6_digitised.verified


@pytest.mark.parametrize(
    ("layers", "params", "error"),
    [
        (20, 0.27e6, 8.75),
        (32, 0.46e6, 7.51),
        (44, 0.66e6, 7.17),
        (56, 0.85e6, 6.97),
        (110, 1.7e6, 6.43),
        (1202, 19.4e6, 7.93),
    ],
)
def test_resnets_of_table_6(layers, params, error):
    row = TABLES.table6.resnet(layers)
    assert (row.params, row.error) == (params, error)
    assert 6 * row.n + 2 == layers


def test_table6_has_the_only_mean_of_five_runs():
    assert [
        (row.layers, row.error, row.mean, row.std) for row in TABLES.table6.rows if row.runs
    ] == [(110, 6.43, 6.61, 0.16)]


def test_other_methods_of_table_6():
    others = [(row.method, row.layers, row.error) for row in TABLES.table6.rows[:6]]
    assert others == [
        ("Maxout", None, 9.38),
        ("NIN", None, 8.81),
        ("DSN", None, 8.22),
        ("FitNet", 19, 8.39),
        ("Highway", 19, 7.54),
        ("Highway", 32, 8.8),
    ]


def test_values_of_table_1():
    printed = [column.flops_printed for column in TABLES.table1.depths.values()]
    assert printed == [1.8e9, 3.6e9, 3.8e9, 7.6e9, 11.3e9]
    assert [TABLES.table1.depths[depth].blocks for depth in (34, 50, 101, 152)] == [
        (3, 4, 6, 3), (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)
    ]  # fmt: skip


def test_values_of_table_2():
    assert [(row.layers, row.plain, row.resnet) for row in TABLES.table2.rows] == [
        (18, 27.94, 27.88), (34, 28.54, 25.03)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "top1", "top5"),
    [
        ("VGG-16", 28.07, 9.33),
        ("GoogLeNet", None, 9.15),
        ("PReLU-net", 24.27, 7.38),
        ("plain-34", 28.54, 10.02),
        ("ResNet-34 A", 25.03, 7.76),
        ("ResNet-34 B", 24.52, 7.46),
        ("ResNet-34 C", 24.19, 7.40),
        ("ResNet-50", 22.85, 6.71),
        ("ResNet-101", 21.75, 6.05),
        ("ResNet-152", 21.43, 5.71),
    ],
)
def test_values_of_table_3(method, top1, top5):
    row = TABLES.table3.row(method)
    assert (row.top1, row.top5) == (top1, top5)


def test_values_of_tables_4_5_7_and_8():
    single = [TABLES.table4.row(f"ResNet-{depth}") for depth in (50, 101, 152)]
    assert [(row.top1, row.top5) for row in single] == [
        (20.74, 5.25), (19.87, 4.60), (19.38, 4.49)
    ]  # fmt: skip
    assert [row.method for row in TABLES.table4.rows if row.on_test_set] == ["VGG (ILSVRC'14)"]
    assert TABLES.table5.row("ResNet (ILSVRC'15)").top5_test == 3.57
    resnet, vgg = (TABLES.table7.row(name) for name in ("ResNet-101", "VGG-16"))
    assert (vgg.voc07_test_train0712, vgg.voc12_test_train07pp12) == (73.2, 70.4)
    assert (resnet.voc07_test_train0712, resnet.voc12_test_train07pp12) == (76.4, 73.8)
    assert (TABLES.table8.row("VGG-16").map50, TABLES.table8.row("VGG-16").map50_95) == (41.5, 21.2)
    assert TABLES.table8.row("ResNet-101").map50 == 48.4


def test_a_row_that_is_not_there_is_an_error():
    with pytest.raises(KeyError, match="'ResNet-34' is none of VGG-16, GoogLeNet"):
        TABLES.table3.row("ResNet-34")


def test_tables_2_and_3_share_two_numbers():
    row = TABLES.table2.row(34)
    assert row.plain == TABLES.table3.row("plain-34").top1
    assert row.resnet == TABLES.table3.row("ResNet-34 A").top1


def test_the_text_rounds_the_differences_of_table_2():
    said, rows = TABLES.table2.text_claims, [TABLES.table2.row(layers) for layers in (18, 34)]
    deeper = rows[0].resnet - rows[1].resnet
    residual = rows[1].plain - rows[1].resnet
    assert said["resnet34_better_than_resnet18_by"].value == pytest.approx(deeper, abs=0.051)
    assert said["resnet34_better_than_plain34_by"].value == pytest.approx(residual, abs=0.051)


def test_the_abstract_agrees_with_the_tables():
    abstract = PAPER.abstract
    assert abstract.ensemble_top5_test.value == min(row.top5_test for row in TABLES.table5.rows)
    assert abstract.max_depth.value == max(TABLES.table1.depths)
    assert abstract.depth_ratio_to_vgg.value == abstract.max_depth.value / 19
    vgg, resnet = (row.map50_95 for row in TABLES.table8.rows)
    assert TABLES.table8.gain_points.value == pytest.approx(resnet - vgg)
    relative = 100 * (resnet / vgg - 1)
    assert abstract.coco_relative_improvement.value == round(relative)
    assert TABLES.table8.gain_relative_percent.value == round(relative)


def test_flops_of_the_text_agree_with_table_1_and_with_definitions():
    said = {name: quote.value for name, quote in TABLES.table1.flops_quoted_in_text.items()}
    for depth in (50, 152):
        assert said[f"resnet{depth}"] == TABLES.table1.depths[depth].flops_printed
    assert said["plain34"] == said["resnet34_fig3"] == TABLES.table1.depths[34].flops_printed
    fraction = TABLES.table1.plain34_fraction_of_vgg19.value
    assert fraction == pytest.approx(said["plain34"] / said["vgg19"], abs=0.005)
    vgg = PAPER.computed.vgg_macs_224
    # The two figures count different layers: see the discrepancies.
    assert said["vgg16"] == pytest.approx(vgg["vgg16"].conv, rel=0.005)
    assert said["vgg19"] == pytest.approx(vgg["vgg19"].total, rel=0.005)


def test_section_4_2():
    training = CIFAR.hyperparameters
    assert (training.lr_initial, training.momentum, training.weight_decay) == (0.1, 0.9, 1e-4)
    assert (training.batch_size, training.gpus, training.stop_iteration) == (128, 2, 64_000)
    assert training.lr_drops_at_iterations == (32_000, 48_000)
    assert training.batch_size == training.gpus * CIFAR.per_gpu_batch.value
    assert CIFAR.architecture.depths == tuple(6 * n + 2 for n in CIFAR.architecture.n_values)
    warmup = CIFAR.resnet110_warmup
    assert (warmup.lr, warmup.until_train_error_below, warmup.iterations_about) == (0.01, 80, 400)
    assert warmup.then_lr == training.lr_initial
    deepest = CIFAR.resnet1202
    assert deepest.training_error_below == 0.1
    row = TABLES.table6.resnet(6 * deepest.n + 2)
    assert (deepest.test_error, deepest.params) == (row.error, row.params)
    assert CIFAR.plain_nets.plain110_error_above == 60


@pytest.mark.parametrize(("name", "images"), [("at_50k", 50_000), ("at_45k", 45_000)])
def test_epochs_follow_from_iterations(name, images):
    training, epochs = CIFAR.hyperparameters, getattr(CIFAR.epochs_equivalent, name)
    steps = (*training.lr_drops_at_iterations, training.stop_iteration)
    expected = [step * training.batch_size / images for step in steps]
    assert [epochs.drop1, epochs.drop2, epochs.stop] == pytest.approx(expected, abs=0.006)


def test_readings_of_figure_6_fit_the_printed_errors_and_each_other():
    figure = CIFAR.figure6_digitised
    for layers, error in figure.resnet_test_error_final.items():
        printed = TABLES.table6.resnet(layers)
        assert error == pytest.approx(printed.mean or printed.error, abs=0.1)
    plain = figure.plain_test_error_final
    assert list(plain) == sorted(plain, key=plain.__getitem__) == [20, 32, 44, 56]
    for reading in (CIFAR.figure6_readings_of_others.a_martyn,
                    CIFAR.figure6_readings_of_others.nabla0001):  # fmt: skip
        for layers, error in reading.items():
            assert error == pytest.approx(plain[layers], abs=0.75)


@pytest.mark.parametrize("layers", CIFAR.architecture.depths)
def test_parameters_of_table_6_are_those_of_the_definition(layers):
    exact, printed = PAPER.computed.cifar_resnets[layers], TABLES.table6.resnet(layers).params
    decimals = len(f"{printed / 1e6:g}".partition(".")[2])
    assert round(exact.params / 1e6, decimals) == printed / 1e6
    assert exact.params == exact.params_plain > exact.params_without_batch_norm


@pytest.mark.parametrize("depth", DEPTHS)
def test_exact_macs_of_the_paper_lineage_fit_the_printed_flops(depth):
    printed = TABLES.table1.depths[depth].flops_printed
    assert PAPER.cost(depth, "paper").macs_total == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize("depth", DEPTHS)
def test_depth_counts_the_weighted_layers_of_the_blocks(depth):
    column = TABLES.table1.depths[depth]
    layers_per_block = {"basic": 2, "bottleneck": 3}[column.block]
    assert 2 + layers_per_block * sum(column.blocks) == depth


def test_stride_on_the_3x3_costs_more_in_bottlenecks_only():
    for depth in DEPTHS:
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
        (["tables", "table6", "rows", 6, "error"], 875, r"table6\.rows\.6\.error\n.*100"),
        (["tables", "table6", "rows", 6, "error"], -1, r"table6\.rows\.6\.error\n.*0"),
        (["tables", "table6", "rows", 6, "error"], "8.75", r"rows\.6\.error\n.*valid number"),
        (["tables", "table6", "rows", 10, "std"], None, "ResNet: mean and std go together"),
        (["tables", "table6", "rows", 6], None, r"table6\.rows\n.*at least 12"),
        (["tables", "table3", "rows", 9], None, r"table3\.rows\n.*at least 10"),
        (["tables", "table3", "rows", 9, "method"], "VGG-16", "rows: more than one of VGG-16"),
        (["tables", "table2", "rows", 1], None, r"table2\.rows\.1\n.*required"),
        (["tables", "table1", "depths", "18"], None, r"table1\.depths\n.*at least 5"),
        (["tables", "table8"], None, r"tables\.table8\n.*required"),
        (["abstract", "max_depth", "source"], None, r"max_depth\.source\n.*required"),
        (["abstract", "max_depth", "source"], "", r"max_depth\.source\n.*at least 1 character"),
        (["abstract", "max_depth", "how"], "guessed", r"max_depth\.how\n.*'printed'"),
        (
            ["cifar_section", "figure6_digitised", "how"],
            None,
            r"figure6_digitised\.how\n.*required",
        ),
        (["cifar_section", "hyperparameters", "lr"], 0.1, r"hyperparameters\.lr\n.*not permitted"),
        (["computed", "cifar_resnets", "20", "macs_optionA_32x32_3ch"], 0.5, r"cifar_resnets\.20"),
    ],
)
def test_a_broken_file_is_refused_by_the_name_of_the_field(path, value, message):
    with pytest.raises(ValidationError, match=message):
        Paper.model_validate_json(changed("paper.json", path, value))
