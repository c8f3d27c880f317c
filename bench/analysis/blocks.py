"""Timings of blocks -> rows of the page. Rounding is left to the template. No torch here."""

from dataclasses import dataclass

import pandas as pd

from bench.records.blocks import BlockTimes, Direction

# What a row of the page is; its timings, one for each direction, stand in it side by side.
IDENTITY = ["block", "position", "shortcut", "lineage", "input_shape", "batch_size", "macs",
            "parameters"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One timing, its shares within the group of the same stage and direction.

    Attributes:
        microseconds: per image, the median.
        low: its quartile below.
        high: its quartile above.
        time_share: of the group's time, an image of each.
        macs_share: of the group's MACs, as far.
        gmacs_per_second: a backward pass counts as two forward ones.
        relative: time per MAC, 1 for the group's cheapest.
    """

    microseconds: float
    low: float
    high: float
    rounds: int
    time_share: float
    macs_share: float
    gmacs_per_second: float
    relative: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A block, or a whole network: what it costs beside how long it takes.

    Attributes:
        title: ``bottleneck, first`` or ``resnet18``.
        variant: ``option B, lineage paper, 256×56×56``: its kind, where it has several, and input.
        macs: of one image, forward.
        passes: those that were timed.
    """

    title: str
    variant: str
    batch_size: int
    macs: int
    parameters: int
    passes: dict[Direction, Pass]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The section of the page.

    Attributes:
        machine: what did it, and when, in one line.
        rounds: the least and the greatest number of them.
        groups: rows by stage, both in the order in which they were timed.
    """

    machine: str
    rounds: tuple[int, int]
    groups: dict[str, list[BlockRow]]


def section(times: BlockTimes) -> Section:
    """All that the page says of ``times``."""
    rounds = times.frame["rounds"]
    groups = times.frame.groupby("stage", sort=False)
    return Section(
        machine=machine_line(times),
        rounds=(int(rounds.min()), int(rounds.max())),
        groups={str(stage): _rows(timings) for stage, timings in groups},
    )


def machine_line(times: BlockTimes) -> str:
    """``AMD EPYC (AVX2), 2 threads, float32, … commit 0123abc, 2026-01-02``."""
    machine = times.machine
    threads = f"{machine.threads} thread{'s' if machine.threads != 1 else ''}"
    parts = [
        machine.device_name,
        threads if machine.device == "cpu" else "",
        " and ".join(sorted(set(times.frame["dtype"]))),
        f"resnet-bench {machine.resnet_bench}",
        f"PyTorch {machine.torch}",
        f"Python {machine.python}",
        f"commit {machine.commit}" if machine.commit else "",
        f"{times.measured_at:%Y-%m-%d}",
    ]
    return ", ".join(part for part in parts if part)


def _rows(timings: pd.DataFrame) -> list[BlockRow]:
    return [_row(each) for _, each in timings.groupby(IDENTITY, sort=False, dropna=False)]


def _row(timings: pd.DataFrame) -> BlockRow:
    first = timings.iloc[0]
    option = f"option {first['shortcut']}" if first["shortcut"] in ("A", "B") else ""
    lineage = "" if pd.isna(first["lineage"]) else f"lineage {first['lineage']}"
    shape = "×".join(map(str, first["input_shape"]))
    whole = first["position"] == "whole"
    return BlockRow(
        title=first["block"] if whole else f"{first['block']}, {first['position']}",
        variant=", ".join(part for part in (option, lineage, shape) if part),
        batch_size=int(first["batch_size"]),
        macs=int(first["macs"]),
        parameters=int(first["parameters"]),
        passes={row["direction"]: _pass(row) for _, row in timings.iterrows()},
    )


def _pass(row: "pd.Series[float]") -> Pass:
    return Pass(
        microseconds=float(row["image_microseconds"]),
        low=float(row["image_low"]),
        high=float(row["image_high"]),
        rounds=int(row["rounds"]),
        time_share=float(row["time_share"]),
        macs_share=float(row["macs_share"]),
        gmacs_per_second=float(row["gmacs_per_second"]),
        relative=float(row["relative_time_per_mac"]),
    )
