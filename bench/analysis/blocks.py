"""Timings of blocks -> rows of the page. Rounding is left to the template. No torch here."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.records.blocks import BlockTimes, Direction

# What a row of the page is; its timings, one for each direction, stand in it side by side.
IDENTITY = ["block", "position", "shortcut", "lineage", "input_shape", "batch_size", "macs",
            "parameters"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A block, or a whole network: what it costs beside how long it takes.

    Attributes:
        title: ``bottleneck, first`` or ``resnet18``.
        variant: ``option B, lineage paper, 256×56×56``: its kind, where it has several, and input.
        macs: of one image, forward.
        passes: of those directions that were timed, the row of ``BlockTimes.frame``.
    """

    title: str
    variant: str
    batch_size: int
    macs: int
    parameters: int
    passes: dict[Direction, dict[Hashable, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    machine: str
    rounds: tuple[int, int]
    groups: dict[str, list[BlockRow]]


def section(times: BlockTimes) -> Section:
    rounds = times.frame["rounds"]
    groups = times.frame.groupby("stage", sort=False)
    return Section(
        machine=machine_line(times),
        rounds=(int(rounds.min()), int(rounds.max())),
        groups={
            str(stage): [
                _row(each) for _, each in timings.groupby(IDENTITY, sort=False, dropna=False)
            ]
            for stage, timings in groups
        },
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
        passes={row["direction"]: row for row in timings.to_dict("records")},
    )
