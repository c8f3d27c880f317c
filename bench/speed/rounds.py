"""Workloads -> records, round after round: no workload has all its samples from one moment."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import torch

from bench.errors import UsageError
from bench.formats import size
from bench.records import store
from bench.records.schema import Environment, PeakMemory
from bench.records.speed import Limits, SpeedRecord, StepSplit, Workload, layers_of
from bench.speed import guard, measure, memory
from bench.speed.limits import LimitSamples
from bench.speed.workloads import command, least_batch, least_bytes
from bench.training.engine import out_of_memory
from bench.training.environment import compile_problem, device_option, threads_option

OUT_OF_MEMORY: Final = "out of memory"
# Twice the batch must be this much faster, or it is not worth its memory.
LEAST_GAIN: Final = 1.03


def refuse_impossible(workload: Workload, device: torch.device, memory_bytes: int | None) -> None:
    """Before anything is measured; ``memory_bytes`` of the device is None where it is not known.

    Raises:
        UsageError: ``device`` cannot do ``workload`` at all, not even with the smallest batch.
    """
    if workload.precision == "float16" and device.type == "cpu":
        raise UsageError(
            "--precision float16: CPUs emulate it, many times slower than float32. Use a GPU, or "
            "--precision bfloat16."
        )
    if workload.compiled and (problem := compile_problem(device)):
        raise UsageError(f"--compile on: {problem}")
    smallest = workload.model_copy(update={"batch_size": least_batch(workload)})
    if problem := _memory_problem(smallest, memory_bytes):
        raise UsageError(
            f"--resolution {workload.resolution}: {workload.model} {workload.direction} in a batch "
            f"of {smallest.batch_size}: {problem}. Choose a smaller --resolution."
        )


def _memory_problem(workload: Workload, memory_bytes: int | None) -> str | None:
    """Why it cannot fit; None where nothing is known against it."""
    needed = least_bytes(workload)
    if memory_bytes is None or needed <= memory_bytes:
        return None
    return f"at least {size(needed)} are needed, and the device has {size(memory_bytes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all workloads share.

    Attributes:
        load_before: of the machine, before anything was measured.
        rounds: how often each workload is measured.
        folder: of the records.
        sweep: double batch sizes as long as that makes it faster.
        say: shows a line of progress.
    """

    device: torch.device
    environment: Environment
    load_before: float | None
    rounds: int
    folder: Path
    sweep: bool
    say: Callable[[str], None]

    @property
    def memory_bytes(self) -> int | None:
        """Of the device, where it is known."""
        if self.device.type == "cuda":
            return int(torch.cuda.get_device_properties(self.device).total_memory)
        return self.environment.memory_bytes

    def watch(self) -> guard.Watch:
        """A new one for what is measured next."""
        cuda = self.device.type == "cuda"
        gpu = (
            guard.find_gpu(str(torch.cuda.get_device_properties(self.device).uuid))
            if cuda
            else None
        )
        return guard.Watch(self.environment, self.load_before, gpu)


@dataclass(slots=True)
class Measurement:
    """One workload on its way to a record."""

    workload: Workload
    setting: Setting
    watch: guard.Watch
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    warmup: tuple[tuple[float, ...], ...] = ()
    rounds: tuple[tuple[float, ...], ...] = ()
    split: StepSplit | None = None
    peak_memory: PeakMemory | None = None
    notes: tuple[str, ...] = ()
    reason: str | None = None

    def add_round(self) -> None:
        """Measure once more; whatever goes wrong makes it a failed one, and the others go on."""
        first, device = not self.rounds, self.setting.device
        try:
            # Linux ends a process whose memory it promised too lightly: there would be no record.
            if problem := _memory_problem(self.workload, self.setting.memory_bytes):
                raise MemoryError(problem)  # noqa: TRY301  # what follows is the same
            done = measure.measure_round(
                self.workload, device, with_split=first, counting=self.watch.counting
            )
            self.warmup += (done.warmup,)
            self.rounds += (done.samples,)
            self.split = self.split or done.split
        except Exception as error:  # out of memory, no such kernel: the record says so
            first_line = next(iter(str(error).splitlines()), "")
            kind = OUT_OF_MEMORY if out_of_memory(error) else type(error).__name__
            self.reason = f"{kind}: {first_line}"
        # Outside of the handler, whose traceback keeps the tensors of the failed step alive.
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if first and self.reason is None:
            self.peak_memory, problem = memory.peak_memory(self.workload, device)
            self.notes = (problem,) if problem else ()

    def images_per_second(self, number: int) -> float:
        """Of the median of a round."""
        return self.workload.batch_size / median(self.rounds[number])

    def record(self) -> SpeedRecord:
        """As far as it has come."""
        setting, layers = self.setting, layers_of(self.workload)
        return SpeedRecord(
            workload=self.workload,
            status="completed" if self.reason is None else "failed",
            reason=self.reason,
            command=command(self.workload, device_option(setting.device), setting.rounds)
            + threads_option(),
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            environment=setting.environment,
            conditions=self.watch.conditions(self.notes),
            parameters=sum(layer.parameters for layer in layers),
            macs=sum(layer.macs for layer in layers),
            warmup=self.warmup,
            rounds=self.rounds,
            split=self.split,
            peak_memory=self.peak_memory,
            energy_joules=self.watch.energy_joules,
        )


def ran_out(record: SpeedRecord) -> bool:
    """Whether memory ended it."""
    return record.reason is not None and record.reason.startswith(OUT_OF_MEMORY)


def run(workloads: Sequence[Workload], setting: Setting) -> tuple[list[SpeedRecord], Limits | None]:
    """Measure ``workloads`` and the machine's limits, round after round.

    A record is written when its workload ends a round, so that a stop loses only that round. Where
    memory runs out, half the batch is measured too, as a workload of its own.

    Raises:
        StorageError: a record cannot be written.
    """
    queue = [Measurement(workload, setting, setting.watch()) for workload in workloads]
    samples, watch, started_at = LimitSamples(setting.device), setting.watch(), datetime.now(UTC)
    limits: Limits | None = None
    for number in range(1, setting.rounds + 1):
        with watch.counting():
            samples.add_round()
        limits = samples.record(setting.environment, watch.conditions(), started_at)
        store.save_file(setting.folder, limits)
        place = 0
        while place < len(queue):  # which may grow
            measurement = queue[place]
            place += 1
            if measurement.reason is None:
                measurement.add_round()
                store.save_file(setting.folder, measurement.record())
                setting.say(_line(measurement, number))
                if number == 1 and (more := _follow_up(measurement, queue)):
                    queue.insert(place, Measurement(more, setting, setting.watch()))
    return [measurement.record() for measurement in queue], limits


def _follow_up(measurement: Measurement, queue: Sequence[Measurement]) -> Workload | None:
    """What the outcome of a first round asks for, unless it is measured anyway."""
    workload = measurement.workload
    half = workload.model_copy(update={"batch_size": workload.batch_size // 2})
    measured = {other.workload.id: other for other in queue}
    more: Workload | None = None
    if ran_out(measurement.record()):
        more = half if half.batch_size >= least_batch(workload) else None
    elif measurement.reason is not None:
        # A step that cannot be captured has its kernels launched one by one.
        more = workload.model_copy(update={"cuda_graph": False}) if workload.cuda_graph else None
    elif measurement.setting.sweep:
        before = measured.get(half.id)
        least = LEAST_GAIN * before.images_per_second(0) if before and before.rounds else 0.0
        if measurement.images_per_second(0) >= least:
            more = workload.model_copy(update={"batch_size": 2 * workload.batch_size})
    return None if more is None or more.id in measured else more


def _line(measurement: Measurement, number: int) -> str:
    """Of progress."""
    workload, total = measurement.workload, measurement.setting.rounds
    start = f"round {number} of {total}: {workload.id}:"
    if measurement.reason is not None:
        return f"{start} failed: {measurement.reason}"
    return f"{start} {measurement.images_per_second(-1):,.1f} images/s"
