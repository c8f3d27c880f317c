"""What else went on: from files and a library that say what they are told."""

import ctypes

import pytest

from bench.speed import guard
from bench.speed.guard import CpuTime, Watch, cpu_governor, cpu_time
from tests.support.factories import ENVIRONMENT

TICK = 100


@pytest.fixture(autouse=True)
def _ticks(monkeypatch):
    monkeypatch.setattr(guard.os, "sysconf", lambda _: TICK)


class Machine:
    """A ``/proc/stat`` and this process's own times, moved on by hand."""

    def __init__(self, tmp_path, monkeypatch):
        self.stat = tmp_path / "stat"
        self.governor = tmp_path / "scaling_governor"
        self.busy, self.idle, self.own = 1000, 5000, 3.0
        self.write()
        monkeypatch.setattr(guard.os, "times", lambda: (self.own, 0.0, 0.0, 0.0, 99.0))

    def write(self):
        # user nice system idle iowait irq softirq steal guest guest_nice
        self.stat.write_text(f"cpu  {self.busy} 0 0 {self.idle} 0 0 0 0 0 0\ncpu0 1 2\n")

    def pass_time(self, *, own=0.0, foreign=0.0, idle=0.0):
        """Seconds of CPU time."""
        self.own += own
        self.busy += round(TICK * (own + foreign))
        self.idle += round(TICK * idle)
        self.write()

    def watch(self, load=0.0, gpu=None, **environment):
        return Watch(
            ENVIRONMENT.model_copy(update=environment),
            load,
            gpu,
            stat=self.stat,
            governor=self.governor,
        )


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_cpu_time_counts_every_kind(machine):
    machine.stat.write_text("cpu  100 200 300 400 500 600 700 800 50 60\n")
    assert cpu_time(machine.stat) == CpuTime(total=36.0, busy=27.0, own=3.0)


@pytest.mark.parametrize("text", ["", "cpu 1 2 3", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8"])
def test_a_file_of_another_kind_has_no_cpu_time(machine, text):
    machine.stat.write_text(text)
    assert cpu_time(machine.stat) is None
    assert cpu_time(machine.stat.with_name("missing")) is None


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


def test_much_foreign_time_is_a_warning_with_its_remedy(machine):
    watch = machine.watch()
    with watch.counting():
        machine.pass_time(own=5, foreign=5)
    (warning,) = watch.conditions().warnings
    assert warning.startswith("other programs took more than 5% of the CPU time")
    assert watch.conditions().foreign_cpu_share == 0.5


def test_what_cannot_be_read_is_none(machine):
    machine.stat.unlink()
    watch = machine.watch(load=None)
    with watch.counting():
        pass
    conditions = watch.conditions(("a note",))
    assert conditions.foreign_cpu_share is None
    assert conditions.cpu_governor is None
    assert conditions.load_before is None
    assert conditions.gpu_clock_mhz is None
    assert conditions.warnings == ("a note",)
    assert watch.energy_joules is None


@pytest.mark.parametrize(("text", "slow"), [("powersave\n", True), ("performance\n", False)])
def test_a_governor_that_keeps_clocks_low_is_a_warning(machine, text, slow):
    machine.governor.write_text(text)
    conditions = machine.watch().conditions()
    assert conditions.cpu_governor == cpu_governor(machine.governor) == text.strip()
    assert any("governor is powersave" in warning for warning in conditions.warnings) == slow


def test_load_and_too_many_threads_are_warnings(machine):
    load, threads = machine.watch(load=1.7, threads=8).conditions().warnings
    assert load.startswith("a load of 1.7 on 2 CPUs: ")
    assert threads.startswith("torch uses 8 threads on 2 CPUs")


class Library:
    """NVML, as a driver would answer."""

    def __init__(self, reasons=0, failing=(), kind="GPU"):
        self.reasons, self.failing, self.kind = reasons, failing, kind
        self.millijoules = 5_000_000
        self.asked = None

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
        if name not in nvml_answers(self):
            raise AttributeError(name)

        def call(handle, *arguments):
            assert isinstance(handle, ctypes.c_void_p)
            if self.kind == "MIG" and handle.value == 1:
                return 3  # an instance does not tell
            arguments[-1]._obj.value = nvml_answers(self)[name]
            return 999 if name in self.failing else 0

        return call


def nvml_answers(library):
    return {
        "nvmlDeviceGetTotalEnergyConsumption": library.millijoules,
        "nvmlDeviceGetClockInfo": 1980,
        "nvmlDeviceGetCurrentClocksThrottleReasons": library.reasons,
    }


def test_a_gpu_tells_clock_energy_and_why_it_is_held_back(machine):
    library = Library(reasons=0x04 | 0x40 | 0x01)
    gpu = guard.Gpu(library, "1234-abcd")
    assert library.asked == b"GPU-1234-abcd"
    watch = machine.watch(gpu=gpu)
    for joules in (30, 12):
        with watch.counting():
            library.millijoules += 1000 * joules
        library.millijoules += 10**6  # between the rounds
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


def test_what_a_gpu_does_not_tell_is_none():
    gpu = guard.Gpu(Library(failing=nvml_answers(Library())), "1")
    assert (gpu.energy_joules(), gpu.clock_mhz(), gpu.throttle_reasons()) == (None, None, ())


def test_without_a_driver_there_is_no_gpu_to_ask(monkeypatch):
    monkeypatch.setattr(guard, "LIBRARY", "libno-such-library.so")
    assert guard.find_gpu("1234") is None
