"""The file of ``pytest --benchmark-only --benchmark-json`` as a DataFrame. No torch here.

The file's format is that of pytest-benchmark, which may grow: what is not needed is not looked at.
What each timing is of stands in its ``extra_info``, which tests/speed writes.
"""

from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.records.schema import Seconds
from bench.records.store import BLOCKS_FILE, SPEED, complaint

Direction = Literal["forward", "forward+backward"]
# The backward pass multiplies as often for the gradient of the input and for that of the weights.
PASSES: Final[dict[Direction, int]] = {"forward": 1, "forward+backward": 3}


class Foreign(BaseModel):
    """A part of a file whose format is not ours: unknown fields are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Subject(Foreign):
    """What is timed; a word is None where it makes no difference."""

    stage: str  # such as 'Table 1, conv3_x, 28×28': what stands side by side
    block: str  # basic, bottleneck, plain, or the name of a whole network
    position: Literal["first", "inner", "whole"]
    shortcut: Literal["A", "B", "identity", "none"]
    lineage: str | None
    direction: Direction
    input_shape: tuple[int, int, int]  # (C, H, W)
    batch_size: int = Field(gt=0)
    macs: int = Field(gt=0)  # one image, forward
    parameters: int = Field(gt=0)
    dtype: str


class Stats(Foreign):
    """Seconds of a repetition, over the rounds."""

    median: Seconds
    q1: Seconds
    q3: Seconds
    rounds: int = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.q1 <= self.median <= self.q3:
            raise ValueError("the median does not lie between the quartiles")
        return self


class Timing(Foreign):
    extra_info: Subject
    stats: Stats


class Machine(Foreign):
    device: str
    device_name: str
    threads: int
    python: str
    torch: str
    resnet_bench: str
    commit: str | None


class BlockTimes(Foreign):
    machine: Machine = Field(alias="machine_info")
    measured_at: AwareDatetime = Field(alias="datetime")
    timings: tuple[Timing, ...] = Field(alias="benchmarks", min_length=1)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per timing: the fields of ``Subject`` and ``Stats``, and derived from them.

        ``image_microseconds`` with ``image_low`` and ``image_high`` at the quartiles;
        ``gmacs_per_second``, where a backward pass counts as two forward ones; and in its group, of
        one ``stage`` and ``direction``, ``macs_share`` and ``time_share`` of the sum, and
        ``relative_time_per_mac``, 1 for the cheapest. MACs and times are per image.
        """
        rows = [each.extra_info.model_dump() | each.stats.model_dump() for each in self.timings]
        frame = pd.DataFrame(rows)
        columns = {"median": "image_microseconds", "q1": "image_low", "q3": "image_high"}
        for seconds, microseconds in columns.items():
            frame[microseconds] = 1e6 * frame[seconds] / frame["batch_size"]
        macs = frame["macs"] * frame["direction"].map(PASSES)
        per_mac = frame["image_microseconds"] / macs
        frame["gmacs_per_second"] = 1e-3 / per_mac
        group = [frame["stage"], frame["direction"]]
        for name, values in {"macs_share": macs, "time_share": frame["image_microseconds"]}.items():
            frame[name] = values / values.groupby(group).transform("sum")
        frame["relative_time_per_mac"] = per_mac / per_mac.groupby(group).transform("min")
        return frame


def find(results: Path) -> tuple[BlockTimes | None, list[str]]:
    """That of the results folder, None where it has none; and what is wrong with it."""
    path = results / SPEED / BLOCKS_FILE
    try:
        return BlockTimes.model_validate_json(path.read_bytes()), []
    except (FileNotFoundError, NotADirectoryError):
        return None, []
    except OSError as error:
        why = f"cannot read {path}: {error.strerror or error}"
    except ValidationError as error:
        why = f"{path} does not hold the timings of blocks and networks: {complaint(error)}"
    return None, [f"{why}. Make it anew: pytest --benchmark-only --benchmark-json {path}"]
