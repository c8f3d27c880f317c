"""What else goes on while something is measured, and what that means for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.records.schema import Environment
from bench.records.speed import Conditions
from bench.speed.nvml import Gpu
from bench.training.environment import load_problem, threads_problem

STAT: Final = Path("/proc/stat")
GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# Of all CPU time; more than this comes of other programs, not of the system's housekeeping.
MOST_FOREIGN_SHARE: Final = 0.05
SLOW_GOVERNORS: Final = ("powersave", "conservative")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds since the start, of all CPUs together."""

    total: float  # idle time included
    busy: float  # of all programs; on a virtual machine also what its host took away
    own: float  # of this process and its finished children

    def since(self, start: "CpuTime") -> "CpuTime":
        """From ``start`` on."""
        return CpuTime(self.total - start.total, self.busy - start.busy, self.own - start.own)


def cpu_time(stat: Path = STAT) -> CpuTime | None:
    """Now, by Linux; None elsewhere."""
    try:
        name, *fields = stat.read_text().splitlines()[0].split()
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, fields[:8])
    except (OSError, ValueError, IndexError):
        return None
    busy = user + nice + system + irq + softirq + steal
    ticks = os.sysconf("SC_CLK_TCK")
    own = sum(os.times()[:4])
    return CpuTime((busy + idle + iowait) / ticks, busy / ticks, own) if name == "cpu" else None


def cpu_governor(file: Path = GOVERNOR) -> str | None:
    """How Linux chooses the CPU's clock; None where it does not say."""
    try:
        return file.read_text().strip() or None
    except OSError:
        return None


class Watch:
    """Looks at the machine around everything that counts, and adds up over the rounds.

    Args:
        environment: of this machine.
        load_before: before anything was measured, so that it is not our own.
        gpu: the one that is measured.
        stat: where Linux tells the CPU time.
        governor: where it tells the governor.
    """

    def __init__(
        self,
        environment: Environment,
        load_before: float | None,
        gpu: Gpu | None,
        *,
        stat: Path = STAT,
        governor: Path = GOVERNOR,
    ) -> None:
        self.energy_joules: float | None = None
        self._environment = environment
        self._load_before = load_before
        self._gpu = gpu
        self._stat = stat
        self._governor = cpu_governor(governor)
        self._total = 0.0
        self._foreign = 0.0
        self._clock_mhz: int | None = None
        self._reasons: dict[str, None] = {}

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Around repetitions that are counted."""
        start, energy = cpu_time(self._stat), self._gpu.energy_joules() if self._gpu else None
        yield
        end = cpu_time(self._stat)
        if start and end:
            spent = end.since(start)
            self._total += spent.total
            # Two clocks that tick at different moments may differ by a little.
            self._foreign += max(0.0, spent.busy - spent.own)
        if self._gpu:
            self._look_at_gpu(self._gpu, energy)

    def _look_at_gpu(self, gpu: Gpu, before: float | None) -> None:
        after = gpu.energy_joules()
        if before is not None and after is not None:
            self.energy_joules = (self.energy_joules or 0.0) + after - before
        self._clock_mhz = gpu.clock_mhz()
        self._reasons |= dict.fromkeys(gpu.throttle_reasons())

    def conditions(self, notes: tuple[str, ...] = ()) -> Conditions:
        """What was seen so far, with ``notes`` among the warnings."""
        share = self._foreign / self._total if self._total > 0 else None
        return Conditions(
            load_before=self._load_before,
            foreign_cpu_share=None if share is None else min(1.0, share),
            cpu_governor=self._governor,
            gpu_clock_mhz=self._clock_mhz,
            gpu_throttle_reasons=tuple(self._reasons),
            warnings=(*self._warnings(share), *notes),
        )

    def _warnings(self, share: float | None) -> Iterator[str]:
        cpus = self._environment.cpu_count
        if problem := load_problem(self._load_before, cpus):
            yield problem
        if problem := threads_problem(self._environment.threads, cpus):
            yield problem
        if share is not None and share > MOST_FOREIGN_SHARE:
            yield (
                f"other programs took more than {MOST_FOREIGN_SHARE:.0%} of the CPU time while "
                "this was measured, so timings come out too long. Stop them and measure again."
            )
        if self._governor in SLOW_GOVERNORS:
            yield (
                f"the CPU governor is {self._governor}, which keeps clocks low. Choose "
                "performance (cpupower frequency-set -g performance) and measure again."
            )
        if self._reasons:
            yield (
                f"the GPU held its clock back: {', '.join(self._reasons)}. Cool it or raise its "
                "power limit, and compare only with measurements that say the same."
            )
