"""What else goes on while something is measured, and what that means for it. No torch here.

A GPU is asked through NVIDIA's management library (NVML), which comes with the driver. A call that
fails has no answer: the value is None.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.records.schema import Environment
from bench.records.speed import Conditions
from bench.training.environment import load_problem, threads_problem

STAT: Final = Path("/proc/stat")
GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# Of all CPU time; more than this comes of other programs, not of the system's housekeeping.
MOST_FOREIGN_SHARE: Final = 0.05
SLOW_GOVERNORS: Final = ("powersave", "conservative")
LIBRARY: Final = "libnvidia-ml.so.1"
BY_UUID: Final = "nvmlDeviceGetHandleByUUID"
GPU_OF_INSTANCE: Final = "nvmlDeviceGetDeviceHandleFromMigDeviceHandle"
SM_CLOCK: Final = 1  # NVML_CLOCK_SM
# Bits of nvmlClocksThrottleReasons. Left out are those that a user set or that idleness explains.
THROTTLE_REASONS: Final = {
    0x04: "power cap",
    0x08: "hardware slowdown",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
}


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds since the start, of all CPUs together."""

    total: float  # idle time included
    busy: float  # of all programs; on a virtual machine also what its host took away
    own: float  # of this process and its finished children


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


class Gpu:
    """One GPU, or an instance of a partitioned one (MIG), by the UUID that torch gives.

    By UUID, because NVML numbers GPUs in its own order and knows nothing of CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, library: Any, uuid: str) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        self._clocked = self._handle
        library.nvmlInit_v2()
        if self._failed(BY_UUID, f"GPU-{uuid}".encode(), self._handle):
            self._failed(BY_UUID, f"MIG-{uuid}".encode(), self._handle)
            # An instance has no clock of its own, but that of its GPU.
            self._clocked = ctypes.c_void_p()
            self._failed(GPU_OF_INSTANCE, self._handle, self._clocked)

    def energy_joules(self) -> float | None:
        """Used since the driver was loaded; not told of an instance."""
        millijoules = ctypes.c_ulonglong()
        if self._failed("nvmlDeviceGetTotalEnergyConsumption", self._handle, millijoules):
            return None
        return millijoules.value / 1000

    def clock_mhz(self) -> int | None:
        """Of the multiprocessors, now."""
        clock = ctypes.c_uint()
        if self._failed("nvmlDeviceGetClockInfo", self._clocked, SM_CLOCK, clock):
            return None
        return clock.value

    def throttle_reasons(self) -> tuple[str, ...]:
        """Why its clock is held back, now."""
        bits = ctypes.c_ulonglong()
        if self._failed("nvmlDeviceGetCurrentClocksThrottleReasons", self._clocked, bits):
            return ()
        return tuple(words for bit, words in THROTTLE_REASONS.items() if bits.value & bit)

    def _failed(self, function: str, *arguments: Any) -> bool:
        """Call ``function``, which writes its answer to the last argument."""
        *given, answer = arguments
        call: Callable[..., int] = getattr(self._library, function)
        return call(*given, ctypes.byref(answer)) != 0


def find_gpu(uuid: str) -> Gpu | None:
    """The GPU called ``uuid``; None where NVML is not there."""
    try:
        return Gpu(ctypes.CDLL(LIBRARY), uuid)
    except (OSError, AttributeError):  # no driver, or one without these functions
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
            self._total += end.total - start.total
            # Two clocks that tick at different moments may differ by a little.
            self._foreign += max(0.0, end.busy - start.busy - (end.own - start.own))
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
        return Conditions(
            load_before=self._load_before,
            foreign_cpu_share=self._foreign_share,
            cpu_governor=self._governor,
            gpu_clock_mhz=self._clock_mhz,
            gpu_throttle_reasons=tuple(self._reasons),
            warnings=(*self._warnings(), *notes),
        )

    @property
    def _foreign_share(self) -> float | None:
        return min(1.0, self._foreign / self._total) if self._total > 0 else None

    @property
    def disturbed(self) -> str | None:
        """What other programs did to what was counted; None: nothing, or Linux does not say."""
        share = self._foreign_share
        if share is None or share <= MOST_FOREIGN_SHARE:
            return None
        return (
            f"other programs took more than {MOST_FOREIGN_SHARE:.0%} of the CPU time while "
            "this was measured, so timings come out too long. Stop them and measure again."
        )

    def _warnings(self) -> Iterator[str]:
        cpus = self._environment.cpu_count
        # Where it is known what others took, that tells: the load of the last minute may have been
        # that of a training right before, which takes nothing any more.
        unknown = self._foreign_share is None
        if unknown and (problem := load_problem(self._load_before, cpus)):
            yield problem
        if problem := threads_problem(self._environment.threads, cpus):
            yield problem
        if self.disturbed:
            yield self.disturbed
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
