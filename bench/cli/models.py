"""``models``: all networks, the layers of one, Table 1. Rounding and wording only; no torch."""

from collections.abc import Iterable
from typing import Annotated, Final

from rich.console import Console
from typer import Argument, Option

from bench.cli.options import Form, Format, Output, PublishedLineage, count
from bench.cli.output import print_rows, written_to
from bench.cli.shared import plain_table, rows_of, wide
from bench.errors import UsageError
from resnet_models import Definition, define
from resnet_models.spec import Lineage, Shortcut, Stem

SIZE: Final = "For NAME; published where left out."


def models(
    name: Annotated[
        str | None,
        Argument(metavar="NAME", help="The network to show; all of them where left out."),
    ] = None,
    *,
    table1: Annotated[
        bool, Option("--table1", help="Show Table 1 of the paper, made from the networks.")
    ] = False,
    form: Form = "table",
    csv: Annotated[bool, Option("--csv", hidden=True)] = False,
    output: Output = None,
    lineage: PublishedLineage = "paper",
    stem: Annotated[Stem | None, Option(help="First layers of NAME.")] = None,
    shortcut: Annotated[Shortcut | None, Option(help="Shortcuts of NAME.")] = None,
    resolution: Annotated[int | None, count("--resolution", SIZE)] = None,
    channels: Annotated[int | None, count("--channels", SIZE)] = None,
    classes: Annotated[int | None, count("--classes", SIZE)] = None,
) -> None:
    """List the networks with their parameters and MACs, or every layer of one; without torch."""
    form = "csv" if csv else form
    if name is None:
        variant = {"--stem": stem, "--shortcut": shortcut, "--resolution": resolution}
        variant |= {"--channels": channels, "--classes": classes}
        for option, value in variant.items():
            if value is not None:
                raise UsageError(
                    f"{option} needs a network: python -m bench models NAME {option} …"
                )
        with written_to(output):
            (_show_table1 if table1 else _show_catalog)(lineage, form)
        return
    if table1:
        raise UsageError(f"--table1 shows five networks: leave out --table1 or {name}")
    try:
        definition = define(
            name,
            lineage=lineage,
            stem=stem,
            shortcut=shortcut,
            in_channels=channels or 3,
            num_classes=classes,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    with written_to(output):
        _show_layers(definition, resolution, form)


def _show_catalog(lineage: Lineage, form: Format) -> None:
    from bench.analysis.networks import catalog

    frame = catalog(lineage)
    if form != "table":
        print_rows(frame, form)
        return
    head = ["Model", "Depth", "Block", "Parameters"]
    first = plain_table([*head, "MACs, 10⁹", "Printed\nFLOPs, 10⁹", "Difference"], "lrlrrrr")
    second = plain_table([*head, "Printed, 10⁶", "Difference", "MACs, 10⁶"], "lrlrrrr")
    for row in rows_of(frame):
        start = [row["model"], str(row["depth"]), row["block"], f"{row['parameters']:,}"]
        difference = _number(row["difference_percent"], "+.1f", unit=" %")
        if row["family"] == "table1":
            printed = _number(row["printed_flops"], ".1f", per=1e9)
            first.add_row(*start, _number(row["macs"], ".3f", per=1e9), printed, difference)
        else:
            printed = _number(row["printed_parameters"], ".3g", per=1e6)
            second.add_row(*start, printed, difference, _number(row["macs"], ",.1f", per=1e6))
    _title(f"Tables 1 and 2 of the paper: 224×224 images, 1000 classes, lineage {lineage}")
    wide.print(first)
    _title("\nTable 6 of the paper: 32×32 images, 10 classes")
    wide.print(second)
    wide.print("\nDifference: ours against the printed figure; – where the paper prints none.")


def _show_layers(definition: Definition, resolution: int | None, form: Format) -> None:
    from bench.analysis.networks import COUNTS, RESOLUTION, kind_totals, layer_frame, live

    resolution = resolution or RESOLUTION[definition.spec.family]
    frame = layer_frame(definition, resolution)
    if form != "table":
        for side in ("input_shape", "output_shape"):
            frame[side] = [_shape(shape, "x") for shape in frame[side]]
        print_rows(frame, form)
        return
    layers = plain_table(["Layer", "Kind", "Output", "Parameters", "MACs"], "llrrr")
    for row in frame.to_dict("records"):
        counts = _count(row["parameters"]), _count(row["macs"])
        layers.add_row(row["name"], row["kind"], _shape(row["output_shape"]), *counts)
    kinds = kind_totals(frame).sort_values("macs", ascending=False, kind="stable")
    totals = plain_table(["Kind", "Layers", "Parameters", "MACs", "Other operations"], "lrrrr")
    for row in kinds.to_dict("records"):
        totals.add_row(row["kind"], str(row["layers"]), *(_count(row[key]) for key in COUNTS))
    totals.add_row("all", str(len(frame)), *(_count(int(frame[key].sum())) for key in COUNTS))
    image = _shape((definition.in_channels, resolution, resolution))
    _title(f"{definition.model} for {image} images and {definition.num_classes} classes")
    wide.print(
        f"{definition.stem} stem, shortcut {definition.shortcut}, lineage {definition.lineage}"
    )
    wide.print(layers, "", totals)
    wide.print(f"\n2×MACs: {2 * frame['macs'].sum():,}, where a multiply-add counts as two")
    shares = [
        f"{count:,} {words} ({100 * count / int(frame[words.lower()].sum()):.1f} %)"
        for count, words in zip(live(definition, resolution), ("parameters", "MACs"), strict=True)
    ]
    wide.print(f"Live: {' and '.join(shares)};\nthe others only ever meet padding")


def _show_table1(lineage: Lineage, form: Format) -> None:
    """Table 1 from the networks: laid out as in the paper where that fits, else one by one."""
    from bench.analysis.networks import stacked, table1_structure

    frame = table1_structure(lineage)
    if form != "table":
        print_rows(frame, form)
        return
    depths = list(frame.columns[2:])
    *stages, macs, printed = frame.to_dict("records")
    macs = {depth: f"{macs[depth] / 1e9:.3f}" for depth in depths}
    printed = {depth: f"{printed[depth] / 1e9:.1f}" for depth in depths}
    _title(f"Table 1 of the paper, made from the networks: 224×224 images, lineage {lineage}")
    table = plain_table(["Stage", "Output", *(f"{depth} layers" for depth in depths)], "lrlllll")
    for stage in stages:
        cells = (stacked(stage[depth]) for depth in depths)
        table.add_row(stage["stage"], _shape([stage["output_size"]] * 2), *cells)
    table.add_section()
    table.add_row("MACs, 10⁹", "", *macs.values())
    table.add_row("Printed", "", *printed.values())
    if wide.measure(table).maximum <= Console().width:
        wide.print(table)
        return
    for depth in depths:
        _title(f"\n{depth} layers: {macs[depth]}·10⁹ MACs, {printed[depth]}·10⁹ FLOPs printed")
        for stage in stages:
            size = _shape([stage["output_size"]] * 2)
            wide.print(f"{stage['stage']:8}{size:>7}  {stage[depth]}")


def _title(text: str) -> None:
    wide.print(text, style="bold")


def _number(value: float | None, form: str, *, per: float = 1, unit: str = "") -> str:
    """In units of ``per`` and rounded; a dash for what is not there."""
    return "–" if value is None else f"{value / per:{form}}{unit}"


def _count(value: int) -> str:
    return f"{value:,}" if value else "–"


def _shape(sides: Iterable[int], times: str = "×") -> str:
    return times.join(map(str, sides))
