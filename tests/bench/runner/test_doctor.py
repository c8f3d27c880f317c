"""What the machine offers is found, what stands in the way is said, a failed check shows."""

import os
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from bench.cli.app import app
from bench.errors import UsageError
from bench.records.schema import Engine
from bench.runner import doctor, selftest, trial
from bench.runner.doctor import Gpu, Report, examine, facts, find_problems
from bench.runner.selftest import CheckError
from bench.speed import cell
from bench.training.environment import compile_problem, load_average
from tests.support.factories import make_record
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")
HEALTHY = doctor.Machine(
    environment=make_record().environment.model_copy(
        update={"cpu_count": 4, "threads": 4, "memory_bytes": 16 * 10**9, "os": "Linux 6 x86_64"}
    ),
    gpu=None,
    gpu_driver_without_torch=False,
    vector_instructions="AVX2",
    cpu_limit=None,
    load_average=0.1,
    memory_free_bytes=8 * 10**9,
    disk_free_bytes=50 * 10**9,
    datasets={"cifar10": "verified", "mnist": "missing"},
    native_bfloat16=True,
    engine=Engine(precision="bfloat16", micro_batch_size=64),
    precision_reason="it is faster",
    precision_probe={"float32": (0.03, 0.02), "bfloat16": (0.009, 0.01)},
    compile_problem=None,
    profile="quick",
    cells=10,
)
GPU = Gpu(
    memory_bytes=80 * 10**9,
    free_bytes=79 * 10**9,
    compute_capability=(9, 0),
    driver="580.1",
    cudnn=91000,
)


def changed(**changes):
    fields: dict[str, Any] = {key: changes.pop(key) for key in ("threads", "os") if key in changes}
    environment = HEALTHY.environment.model_copy(update=fields)
    return HEALTHY.model_copy(update=changes | {"environment": environment})


def test_a_healthy_machine_has_no_problem_and_what_is_not_told_is_none():
    arm = {"os": "Linux 6 aarch64", "vector_instructions": "DEFAULT"}
    untold = {"memory_free_bytes": None, "load_average": None}
    for changes in ({}, {"gpu": GPU}, arm, untold):
        assert list(find_problems(changed(**changes))) == []
    assert facts(changed(**untold))["memory"] == "16 GB, unknown free"


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"vector_instructions": "DEFAULT"}, ["no AVX2", "several times as long", "--profile"]),
        ({"memory_free_bytes": 10**9}, ["1 GB of memory are free", "micro-batches", "Close"]),
        ({"disk_free_bytes": 10**9}, ["1 GB of disk are free", "a run stops", "--out"]),
        ({"load_average": 3.0}, ["a load of 3.0 on 4 CPUs", "too long", "Stop those programs"]),
        ({"threads": 8}, ["8 threads on 4 CPUs", "slower", "OMP_NUM_THREADS=4"]),
        ({"cpu_limit": 1.5}, ["4 threads on 1.5 CPUs", "OMP_NUM_THREADS=1"]),
        (
            {"gpu": GPU.model_copy(update={"free_bytes": 10**9})},
            ["79 GB of the GPU's memory are taken", "nvidia-smi"],
        ),
        ({"gpu_driver_without_torch": True}, ["finds no GPU", "Install a CUDA build"]),
        (
            {"datasets": {"mnist": "/data/mnist.bin is damaged: it holds 5 bytes"}},
            ["mnist.bin is damaged", "Delete the file"],
        ),
    ],
)
def test_a_problem_comes_with_its_consequence_and_its_remedy(changes, texts):
    (problem,) = find_problems(changed(**changes))
    for text in texts:
        assert text in problem


def test_facts_say_what_is_used_and_why():
    shown = facts(HEALTHY)
    assert shown["precision"] == (
        "bfloat16: it is faster; float32 20 ms (best of 2), bfloat16 9 ms (best of 2)"
    )
    assert shown["data"] == "cifar10 verified, mnist missing; a run fetches what is missing"
    assert shown["TF32"] == shown["CUDA graphs"] == "only on GPUs"
    assert shown["profile auto"] == "quick, 10 cells"
    assert "can work" in shown["torch.compile"]
    assert "GPU" not in shown
    engine = Engine(precision="bfloat16", micro_batch_size=64, cuda_graph=True, tf32=True)
    shown = facts(changed(gpu=GPU, engine=engine, compile_problem="Triton is missing"))
    assert shown["GPU"] == "80 GB, 79 GB free; compute capability 9.0; driver 580.1"
    assert "cuDNN 91000" in shown["software"]
    assert (shown["CUDA graphs"], shown["TF32"][:2]) == ("one a step", "on")
    assert shown["torch.compile"] == "cannot work: Triton is missing"


def test_this_machine_is_examined_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    machine = examine(CPU, tmp_path / "not" / "there", tmp_path)
    assert machine.environment.threads == torch.get_num_threads()
    assert machine.vector_instructions == torch.backends.cpu.get_cpu_capability()
    assert machine.datasets == {"cifar10": "missing", "mnist": "missing"}
    assert machine.disk_free_bytes > 0
    assert (machine.profile, machine.cells, machine.gpu) == ("quick", 12, None)
    assert set(machine.precision_probe) in ({"float32", "bfloat16"}, set())
    assert not list(tmp_path.iterdir())


def test_cached_data_is_verified_or_what_is_wrong_is_said(tmp_path, data_dir, mnist):
    assert doctor.cached("mnist", data_dir) == "verified"
    assert doctor.cached("mnist", tmp_path) == "missing"
    (tmp_path / "mnist.bin").write_bytes(b"12345")
    assert "is damaged: it holds 5 bytes" in doctor.cached("mnist", tmp_path)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (doctor.cpu_limit, "150000 100000\n", 1.5),
        (doctor.cpu_limit, "max 100000\n", None),
        (doctor.cpu_limit, "", None),
        (doctor.cpu_limit, None, None),
        (doctor.memory_free, "MemTotal: 9 kB\nMemAvailable:   3 kB\n", 3072),
        (doctor.memory_free, "MemTotal: 9 kB\n", None),
        (doctor.memory_free, None, None),
    ],
)
def test_what_a_system_tells_in_a_file(read, text, expected, tmp_path):
    file = tmp_path / "file"
    if text is not None:
        file.write_text(text)
    assert read(file) == expected


def test_a_system_without_load_average(monkeypatch):
    monkeypatch.delattr(os, "getloadavg")
    assert load_average() is None


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a program, and $PATH names no other."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name, text):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    return make


def test_the_driver_is_asked(program):
    assert doctor.gpu_driver() is None
    program("nvidia-smi", "#!/bin/sh\necho 580.95.05\necho 580.95.05\n")
    assert doctor.gpu_driver() == "580.95.05"
    program("nvidia-smi", "#!/bin/sh\necho NVIDIA-SMI has failed\nexit 9\n")
    assert doctor.gpu_driver() is None


def test_compiling_needs_a_compiler_and_the_headers_of_python(tmp_path, program, monkeypatch):
    monkeypatch.setenv("CXX", "c++-14")
    assert "there is no compiler (c++-14)" in compile_problem(CPU)
    program("c++-14", "")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert "Python.h is missing" in compile_problem(CPU)
    (tmp_path / "Python.h").write_text("")
    assert compile_problem(CPU) is None


@pytest.mark.parametrize(
    ("capability", "triton", "text"),
    [((6, 1), True, "compute capability 7.0"), ((9, 0), False, "Triton is missing")],
)
def test_compiling_for_a_gpu_needs_triton(capability, triton, text, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object() if triton else None)
    assert text in compile_problem(torch.device("cuda"))


# The command.


def fail(*arguments, **options):
    raise CheckError("two runs differ")


@pytest.fixture
def doctored(monkeypatch, tmp_path):
    """The command with two checks and one network; the options give its output and report."""
    monkeypatch.chdir(tmp_path)
    checks = {"first": lambda device: f"seen on {device}", "second": lambda _: "seen too"}
    monkeypatch.setattr(selftest, "CHECKS", checks)
    monkeypatch.setattr(selftest, "CUDA_CHECKS", {"third": fail})
    monkeypatch.setattr(trial, "NETWORKS", (("cifar_resnet20", "cifar"),))

    def run(*options, code=0, file="doctor.json"):
        done = CliRunner().invoke(app, ["doctor", "--device", "cpu", "--data-dir", ".", *options])
        assert done.exit_code == code, done.output
        return done, Report.model_validate_json(Path(file).read_bytes()) if file else None

    return run


def test_the_command_writes_nothing_unless_asked(doctored, tmp_path):
    assert "precision:" in doctored(file=None)[0].output
    assert not list(tmp_path.iterdir())
    report = doctored("--json", "doctor.json")[1]
    assert (report.schema_version, report.selftest) == (1, None)


def test_a_selftest_is_shown_and_stored(doctored):
    done, report = doctored("--selftest", "--out", "out", file="out/doctor.json")
    for text in ("passed  first: seen on cpu", "skipped third: needs a GPU", "cifar_resnet20"):
        assert text in done.output
    assert [check.status for check in report.selftest.checks] == ["passed", "passed", "skipped"]
    assert report.selftest.speeds[0].speed.train_step_seconds
    assert report.problems == tuple(find_problems(report.machine))


def test_a_failed_check_or_network_exits_with_1_after_everything_is_written(doctored, monkeypatch):
    monkeypatch.setitem(selftest.CHECKS, "first", fail)
    monkeypatch.setattr(cell, "measure", fail)
    done, report = doctored("--selftest", "--json", "doctor.json", code=1)
    assert "failed  first: two runs differ" in done.output
    assert "passed  second" in done.output
    assert "failed: CheckError: two runs differ" in done.output
    failures = 1 + len(report.selftest.speeds)  # one speed for each precision of this machine
    assert f"failed: {failures} of " in done.output
    assert report.selftest.failures == failures


def test_a_file_that_cannot_be_written_is_refused_at_once(doctored):
    done, _ = doctored("--selftest", "--json", "/dev/null/doctor.json", code=1, file=None)
    assert isinstance(done.exception, UsageError)
    assert "first" not in done.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_exits_with_2():
    assert_refused(bench("doctor", "--device", "cuda"), 2, "^error: --device cuda: ")
