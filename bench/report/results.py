"""What the page and its summaries are made of: the records of one profile, and what follows.

Nothing is rounded here and no torch is imported.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd

from bench.analysis import baselines, networks, tables
from bench.analysis.baselines import Row
from bench.analysis.networks import CostRow
from bench.claims import ledger
from bench.claims.verdict import Verdict
from bench.errors import UsageError
from bench.records.schema import Environment, Record
from bench.report.headlines import conclusion, headline

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Results:
    """The records of one profile, tabled and judged.

    Attributes:
        profile: None where there is no record at all.
        records: of that profile.
        others: the other profiles, with their number of records.
        summary: a row per record, of ``tables.summarize``.
        grid: a row per network, data set and variant, of ``baselines.grid``.
        verdicts: of the whole ledger, by the records of all profiles.
    """

    profile: str | None
    records: tuple[Record, ...]
    others: dict[str, int]
    summary: pd.DataFrame
    grid: list[Row]
    verdicts: tuple[Verdict, ...]

    @cached_property
    def table1(self) -> list[CostRow]:
        """Measured cost beside Table 1."""
        return networks.table1(self.records)

    @cached_property
    def headline(self) -> str | None:
        """The finding, one sentence; None without records."""
        if self.profile is None:
            return None
        return headline(self.profile, self.grid, self.table1)

    @property
    def conclusion(self) -> str:
        """What these budgets allow one to conclude."""
        return conclusion(self.profile or "", {record.recipe.name for record in self.records})

    @property
    def environments(self) -> list[Environment]:
        """Every machine and software that made a record."""
        return distinct(record.environment for record in self.records)

    @property
    def devices(self) -> list[str]:
        """``CPU: AMD EPYC``, for people."""
        return distinct(f"{m.device.upper()}: {m.device_name}" for m in self.environments)

    @property
    def software(self) -> list[str]:
        """``resnet-bench 0.1.0, PyTorch 2.14.1, Python 3.11.2``, for people."""
        return distinct(
            f"resnet-bench {m.resnet_bench}, PyTorch {m.torch}, Python {m.python}"
            + (f", CUDA {m.cuda}" if m.cuda else "")
            for m in self.environments
        )

    @property
    def facts(self) -> dict[str, Any] | None:
        """When, where and for how long; None without records."""
        if not self.records:
            return None
        status = self.summary["status"]
        return {
            "devices": self.devices,
            "software": self.software,
            "commits": distinct(m.commit or "unknown" for m in self.environments),
            "precisions": distinct(record.engine.precision for record in self.records),
            "first": min(record.started_at for record in self.records),
            "last": max(record.finished_at for record in self.records),
            "train_seconds": float(self.summary["train_seconds"].sum()),
            "completed": int((status == "completed").sum()),
            "failed": int((status == "failed").sum()),
        }


def gather(records: Sequence[Record], profile: str | None = None) -> Results:
    """Table and judge ``records``, those of ``profile`` or of the newest record's.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    chosen = choose_profile(records, profile)
    shown = tuple(record for record in records if record.profile == chosen)
    summary = tables.summarize(shown)
    others = sorted({record.profile for record in records} - {chosen})
    return Results(
        profile=chosen,
        records=shown,
        others={name: sum(record.profile == name for record in records) for name in others},
        summary=summary,
        grid=baselines.grid(summary),
        verdicts=ledger.judge(records),
    )


def choose_profile(records: Sequence[Record], profile: str | None) -> str | None:
    """``profile``, or that of the record that finished last; None where there is no record.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    present = sorted({record.profile for record in records})
    if profile is not None and profile not in present:
        found = ", ".join(present) or "no records at all"
        raise UsageError(f"no records of profile {profile!r}; found: {found}.")
    if profile is not None or not records:
        return profile
    return max(records, key=lambda record: (record.finished_at, record.profile)).profile


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts; a missing value is None."""
    complete = frame.astype(object).where(frame.notna(), None)
    return [
        {str(name): value for name, value in row.items()} for row in complete.to_dict("records")
    ]


def distinct(items: Iterable[T]) -> list[T]:
    """Each once, in the order of their first."""
    return list(dict.fromkeys(items))
