"""What else went on: from files and a library that say what they are told."""

import ctypes
import os

import pytest

from bench.speed import guard
from bench.speed.guard import CpuTime, Watch, cpu_time
from tests.support.factories import ENVIRONMENT

TICK = 100


class Machine:
    """A ``/proc/stat`` and this process's own times, moved on by hand."""

    def __init__(self, folder, monkeypatch):
        self.stat = folder / "stat"
        self.governor = folder / "scaling_governor"
        self.busy, self.idle, self.own = 1000, 5000, 3.0
        self.pass_time()
        monkeypatch.setattr(os, "times", lambda: (self.own, 0.0, 0.0, 0.0, 99.0))
        monkeypatch.setattr(os, "sysconf", lambda _: TICK)

    def pass_time(self, *, own=0.0, foreign=0.0, idle=0.0):
        """Seconds of CPU time."""
        self.own += own
        self.busy += round(TICK * (own + foreign))
        self.idle += round(TICK * idle)
        # user nice system idle iowait irq softirq steal guest guest_nice
        self.stat.write_text(f"cpu  {self.busy} 0 0 {self.idle} 0 0 0 0 0 0\ncpu0 1 2\n")

    def watch(self, load=0.0, gpu=None, **environment):
        described = ENVIRONMENT.model_copy(update=environment)
        return Watch(described, load, gpu, stat=self.stat, governor=self.governor)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu  100 200 300 400 500 600 700 800 50 60\n", CpuTime(total=36.0, busy=27.0, own=3.0)),
        ("", None),
        ("cpu 1 2 3", None),
        ("cpu a b c d e f g h", None),
        ("intr 1 2 3 4 5 6 7 8", None),
    ],
)
def test_cpu_time_counts_every_kind(text, expected, machine):
    machine.stat.write_text(text)
    assert cpu_time(machine.stat) == expected


def test_foreign_time_is_what_others_took_while_it_counted(machine):
    watch = machine.watch()
    machine.pass_time(foreign=50)  # before
    with watch.counting():
        machine.pass_time(own=6, foreign=1, idle=1)
    machine.pass_time(foreign=50)  # between the rounds
    with watch.counting():
        machine.pass_time(own=8, idle=4)
    conditions = watch.conditions()
    assert conditions.foreign_cpu_share == pytest.approx(1 / 20)
    assert conditions.warnings == ()


def test_what_cannot_be_read_is_none(machine):
    machine.stat.unlink()
    watch = machine.watch(load=None)
    with watch.counting():
        pass
    conditions = watch.conditions(("a note",))
    assert conditions.model_dump(exclude_defaults=True) == {
        "load_before": None, "foreign_cpu_share": None, "cpu_governor": None,
        "gpu_clock_mhz": None, "warnings": ("a note",),
    }  # fmt: skip
    assert watch.energy_joules is None


@pytest.mark.parametrize(
    ("governor", "foreign", "options", "starts"),
    [
        ("performance\n", 0, {}, []),
        ("powersave\n", 0, {}, ["the CPU governor is powersave"]),
        (None, 5, {}, ["other programs took more than 5% of the CPU time"]),
        (None, 0, {"threads": 8}, ["torch uses 8 threads on 2 CPUs"]),
        (None, 0, {"load": 1.7}, []),  # of a training right before
    ],
)
def test_what_spoils_timings_is_a_warning(governor, foreign, options, starts, machine):
    if governor:
        machine.governor.write_text(governor)
    watch = machine.watch(**options)
    with watch.counting():
        machine.pass_time(own=5, foreign=foreign)
    conditions = watch.conditions()
    assert conditions.cpu_governor == (governor and governor.strip())
    assert conditions.foreign_cpu_share == foreign / (5 + foreign)
    for warning, start in zip(conditions.warnings, starts, strict=True):
        assert warning.startswith(start)


def test_where_nothing_tells_what_others_took_the_load_before_warns(machine):
    machine.stat.unlink()
    watch = machine.watch(load=1.7)
    with watch.counting():
        pass
    (warning,) = watch.conditions().warnings
    assert warning.startswith("a load of 1.7 on 2 CPUs: ")


class Library:
    """NVML, as a driver would answer."""

    def __init__(self, reasons=0, kind="GPU", failing=False):
        self.kind, self.failing = kind, failing
        self.answers = {
            "nvmlDeviceGetTotalEnergyConsumption": 5_000_000,
            "nvmlDeviceGetClockInfo": 1980,
            "nvmlDeviceGetCurrentClocksThrottleReasons": reasons,
        }
        self.asked = None

    def spend(self, joules):
        self.answers["nvmlDeviceGetTotalEnergyConsumption"] += 1000 * joules

    def nvmlInit_v2(self):  # noqa: N802  # NVML's name
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, handle):  # noqa: N802  # NVML's name
        self.asked = uuid
        handle._obj.value = 1
        return 0 if uuid.startswith(self.kind.encode()) else 6

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, _handle, gpu):  # noqa: N802  # NVML's
        gpu._obj.value = 2
        return 0

    def __getattr__(self, name):
        def call(handle, *arguments):
            assert isinstance(handle, ctypes.c_void_p)
            if self.kind == "MIG" and handle.value == 1:
                return 3  # an instance does not tell
            arguments[-1]._obj.value = self.answers[name]
            return 999 if self.failing else 0

        return call


def test_a_gpu_tells_clock_energy_and_why_it_is_held_back(machine):
    library = Library(reasons=0x04 | 0x40 | 0x01)
    gpu = guard.Gpu(library, "1234-abcd")
    assert library.asked == b"GPU-1234-abcd"
    watch = machine.watch(gpu=gpu)
    for joules in (30, 12):
        with watch.counting():
            library.spend(joules)
        library.spend(1000)  # between the rounds
    conditions = watch.conditions()
    assert watch.energy_joules == pytest.approx(42)
    assert conditions.gpu_clock_mhz == 1980
    assert conditions.gpu_throttle_reasons == ("power cap", "heat (hardware)")
    assert "held its clock back: power cap, heat (hardware)" in conditions.warnings[0]


def test_an_instance_of_a_gpu_has_its_clock_and_no_energy():
    library = Library(reasons=0x04, kind="MIG")
    gpu = guard.Gpu(library, "1234-abcd")
    assert library.asked == b"MIG-1234-abcd"
    assert (gpu.energy_joules(), gpu.clock_mhz()) == (None, 1980)
    assert gpu.throttle_reasons() == ("power cap",)


def test_what_a_gpu_does_not_tell_is_none(monkeypatch):
    gpu = guard.Gpu(Library(failing=True), "1")
    assert (gpu.energy_joules(), gpu.clock_mhz(), gpu.throttle_reasons()) == (None, None, ())
    monkeypatch.setattr(guard, "LIBRARY", "libno-such-library.so")
    assert guard.find_gpu("1234") is None
