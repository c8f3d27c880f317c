"""``python -m bench models``: readable on 80 columns, exact as CSV, clear about wrong requests."""

import csv
import io
import re
from typing import get_args

import pandas as pd
import pytest

from bench.analysis.networks import catalog
from bench.reference.loader import load_paper
from resnet_models import define
from resnet_models.layers import layer_table
from resnet_models.spec import Lineage
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

TABLE1 = load_paper().tables.table1
LARGEST = "--resolution 100000 --channels 100000 --classes 100000"


def models(*arguments, columns=80):
    done = bench("models", *arguments, COLUMNS=str(columns))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def line_of(text, start):
    """The words of the only line that starts with the word ``start``."""
    (line,) = [line.split() for line in text.splitlines() if line.split()[:1] == [start]]
    return line


@pytest.mark.parametrize("lineage", get_args(Lineage))
def test_list_sets_printed_figures_beside_ours(lineage):
    listing = models("--lineage", lineage)
    for row in catalog(lineage).to_dict("records"):
        words = line_of(listing, row["model"])
        assert words[1:4] == [str(row["depth"]), row["block"], f"{row['parameters']:,}"]
    for depth, column in TABLE1.depths.items():
        macs = load_paper().cost(depth, lineage).macs_total
        difference = f"{100 * (macs / column.flops_printed - 1):+.1f}"
        printed = f"{column.flops_printed / 1e9:.1f}"
        words = line_of(listing, f"resnet{depth}")
        assert words[4:] == [f"{macs / 1e9:.3f}", printed, difference, "%"]
    for printed_row in load_paper().tables.table6.rows:
        if printed_row.method == "ResNet":
            words = line_of(listing, f"cifar_resnet{printed_row.layers}")
            assert words[4] == f"{printed_row.params / 1e6:g}"
    assert line_of(listing, "plain18")[5:] == ["–", "–"]
    assert line_of(listing, "cifar_plain56")[4:6] == ["–", "–"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["resnet152"],
        ["--table1"],
        ["resnet50", "--csv"],
        pytest.param(["cifar_resnet1202"], marks=pytest.mark.slow),
    ],
)
def test_output_is_plain_and_fits_80_columns(arguments):
    text = models(*arguments)
    assert "…" not in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_narrow_terminal_loses_nothing():
    assert models(columns=30) == models()


def test_layers_of_a_network_then_totals():
    text = models("resnet50")
    layers = layer_table(define("resnet50"), 224)
    title, _, _, _, *lines = text.split("\n\n")[0].splitlines()
    assert "resnet50 for 3×224×224 images and 1000 classes" in title
    assert [line.split()[0] for line in lines] == [layer.name for layer in layers]
    words = line_of(text, "layer3.0.downsample.0")
    assert words[1:3] == ["convolution", "1024×14×14"]
    exact = load_paper().cost(50, "paper")
    operations = sum(layer.operations for layer in layers)
    totals = (len(layers), exact.params, exact.macs_total, operations)
    assert line_of(text, "all")[1:] == [f"{total:,}" for total in totals]
    assert line_of(text, "2×MACs:")[1] == f"{2 * exact.macs_total:,},"
    relus = sum(layer.operations for layer in layers if layer.kind == "relu")
    assert re.search(rf"^relu +\d+ +– +– +{relus:,}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "options", "pixels"),
    [
        (["resnet50"], {}, 224),
        (["cifar_resnet20"], {}, 32),
        (["resnet18", "--lineage", "project2022", "--stem", "cifar", "--shortcut", "C",
          "--resolution", "28", "--channels", "1", "--classes", "7"],
         {"lineage": "project2022", "stem": "cifar", "shortcut": "C", "in_channels": 1,
          "num_classes": 7}, 28),
        # The largest request: no number of it may be rounded.
        (["resnet152", "--shortcut", "C", *LARGEST.split()],
         {"shortcut": "C", "in_channels": 100_000, "num_classes": 100_000}, 100_000),
    ],
)  # fmt: skip
def test_csv_of_a_network_parses_back_to_its_layers(arguments, options, pixels):
    rows = rows_of(models(*arguments, "--csv"))
    layers = layer_table(define(arguments[0], **options), pixels)
    assert len(rows) == len(layers)
    for row, layer in zip(rows, layers, strict=True):
        assert (row["name"], row["kind"]) == (layer.name, layer.kind)
        assert tuple(map(int, row["output_shape"].split("x"))) == layer.output_shape
        for count in ("parameters", "macs", "operations"):
            assert int(row[count]) == getattr(layer, count)
        for side in ("kernel", "stride"):
            assert (int(row[side]) if row[side] else None) == getattr(layer, side)


def test_what_of_a_network_meets_pixels_at_a_resolution():
    text = models("resnet18", "--resolution", "32", "--classes", "10")
    assert "\nLive: 4,234,826 parameters (37.9 %) and 21,667,584 MACs (58.5 %);\n" in text


def test_csv_of_the_list_is_exact():
    found = pd.read_csv(io.StringIO(models("--csv")), keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(found, catalog(), check_dtype=False, check_exact=True)


@pytest.mark.parametrize("columns", [80, 140])
def test_table1_has_every_stage_of_every_depth(columns):
    text = models("--table1", columns=columns)
    for depth, column in TABLE1.depths.items():
        macs = load_paper().cost(depth, "paper").macs_total
        assert f"{depth} layers" in text
        assert re.search(rf"\b{macs / 1e9:.3f}\b", text)
        assert re.search(rf"\b{column.flops_printed / 1e9:.1f}\b", text)
        for blocks in column.blocks:
            assert f"] × {blocks}" in text
    assert text.count("7×7, 64, stride 2") == 5
    assert max(map(len, text.splitlines())) <= columns


def test_table1_stands_side_by_side_on_a_wide_terminal_only():
    wide, narrow = models("--table1", columns=140), models("--table1", columns=80)
    assert len(line_of(wide, "conv1")) > 20
    assert narrow.count("conv1") == 5
    assert "3×3 max pool, stride 2; [1×1, 64; 3×3, 64; 1×1, 256] × 3" in narrow


@pytest.mark.parametrize("lineage", get_args(Lineage))
def test_table1_as_csv_by_lineage(lineage):
    rows = {row["stage"]: row for row in rows_of(models("--table1", "--csv", "--lineage", lineage))}
    assert rows["conv4_x"]["152"] == "[1×1, 256; 3×3, 256; 1×1, 1024] × 36"
    assert int(rows["macs"]["101"]) == load_paper().cost(101, lineage).macs_total


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["resnet19"], ["no model named 'resnet19'", "cifar_plain110"]),
        (["resnet50", "--shortcut", "none"], ["resnet50 with shortcut 'none'.*B, A, C"]),
        (["cifar_resnet20", "--stem", "imagenet"], ["cifar_resnet20 has .* only"]),
        (["--lineage", "v2"], ["--lineage.*'v2' is not one of 'paper', 'torchvision'"]),
        (["resnet50", "--stem", "vit"], ["--stem.*'vit' is not one of 'imagenet', 'cifar'"]),
        (["resnet50", "--resolution", "big"], ["--resolution big: a whole number from 1 to"]),
        (["resnet50", "--resolution", "9" * 5000], ["--resolution 9{100}…: a whole number"]),
        (["resnet50", "--channels", "-3"], ["--channels -3: a whole number from 1 to"]),
        (["resnet50", "--classes", "1e3"], ["--classes 1e3: a whole number from 1 to"]),
        (["resnet50", "--classes", "99999999"], ["--classes 99999999: .* from 1 to 10000"]),
        (["resnet50", "--table1"], ["--table1 shows five networks: leave out .* resnet50"]),
        (["--stem", "cifar"], ["--stem needs a network: python -m bench models NAME"]),
        (["--table1", "--classes", "10"], ["--classes needs a network"]),
        (["--csv", "--resolution", "32"], ["--resolution needs a network"]),
    ],
)
def test_wrong_requests_exit_with_2(arguments, texts):
    done = bench("models", *arguments)
    assert_refused(done, 2, *texts)
    assert done.stdout == ""
