"""What the machine offers is found, what stands in the way is said, a failed check shows."""

import os
import sysconfig

import pytest
import torch
from typer.testing import CliRunner

from bench.cli.app import app
from bench.data import sources
from bench.data.datasets import SPECS
from bench.errors import UsageError
from bench.records.schema import Engine
from bench.runner import doctor, selftest, trial
from bench.runner.doctor import Gpu, Report, examine, facts, find_problems
from bench.runner.selftest import CheckError
from bench.training.environment import compile_problem, load_problem
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
    environment = {
        key: changes.pop(key) for key in ("threads", "cpu_count", "os") if key in changes
    }
    changes["environment"] = HEALTHY.environment.model_copy(update=environment)
    return HEALTHY.model_copy(update=changes)


def test_a_healthy_machine_has_no_problem():
    assert find_problems(HEALTHY) == []
    assert find_problems(changed(gpu=GPU)) == []


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


def test_other_processors_have_other_vector_instructions():
    assert find_problems(changed(os="Linux 6 aarch64", vector_instructions="DEFAULT")) == []


def test_what_a_system_does_not_tell_is_no_problem():
    assert find_problems(changed(memory_free_bytes=None, load_average=None)) == []
    assert load_problem(None, 4) is None
    assert "unknown free" in facts(changed(memory_free_bytes=None))["memory"]


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


def test_facts_of_a_gpu():
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
    assert (machine.profile, machine.cells, machine.gpu) == ("quick", 10, None)
    assert set(machine.precision_probe) in ({"float32", "bfloat16"}, set())
    assert not list(tmp_path.iterdir())


def test_cached_data_is_verified_or_what_is_wrong_is_said(tmp_path):
    assert doctor.cached("mnist", tmp_path) == "missing"
    sources.cache_path(SPECS["mnist"], tmp_path).write_bytes(b"12345")
    assert "is damaged: it holds 5 bytes" in doctor.cached("mnist", tmp_path)


def test_cached_data_that_is_whole_is_verified(data_dir, mnist):
    assert doctor.cached("mnist", data_dir) == "verified"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), (None, None)],
)
def test_the_limit_of_a_container(text, expected, tmp_path):
    file = tmp_path / "cpu.max"
    if text is not None:
        file.write_text(text)
    assert doctor.cpu_limit(file) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("MemTotal: 9 kB\nMemAvailable:   3 kB\n", 3072), ("MemTotal: 9 kB\n", None), (None, None)],
)
def test_free_memory(text, expected, tmp_path):
    file = tmp_path / "meminfo"
    if text is not None:
        file.write_text(text)
    assert doctor.memory_free(file) == expected


def test_a_system_without_load_average(monkeypatch):
    monkeypatch.delattr(os, "getloadavg")
    assert doctor.load_average() is None


def test_the_driver_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.gpu_driver() is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 580.95.05\necho 580.95.05\n")
    program.chmod(0o755)
    assert doctor.gpu_driver() == "580.95.05"
    program.write_text("#!/bin/sh\necho NVIDIA-SMI has failed\nexit 9\n")
    assert doctor.gpu_driver() is None


def test_compiling_needs_a_compiler_and_the_headers_of_python(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "c++-14")
    assert "there is no compiler (c++-14)" in compile_problem(CPU)
    compiler = tmp_path / "c++-14"
    compiler.write_text("")
    compiler.chmod(0o755)
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


def fail(device):
    raise CheckError("two runs differ")


@pytest.fixture
def quick_selftest(monkeypatch):
    """Two checks and one network instead of all."""
    checks = {"first": lambda device: f"seen on {device}", "second": lambda _: "seen too"}
    monkeypatch.setattr(selftest, "CHECKS", checks)
    monkeypatch.setattr(selftest, "CUDA_CHECKS", {"third": fail})
    monkeypatch.setattr(trial, "NETWORKS", (("cifar_resnet20", "cifar"),))
    return checks


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", "--device", "cpu", *map(str, arguments)])


def test_the_command_writes_nothing_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("--data-dir", tmp_path)
    assert done.exit_code == 0, done.output
    assert "precision:" in done.output
    assert not list(tmp_path.iterdir())
    assert run("--data-dir", tmp_path, "--json", tmp_path / "doctor.json").exit_code == 0
    report = Report.model_validate_json((tmp_path / "doctor.json").read_bytes())
    assert (report.schema_version, report.selftest) == (1, None)


def test_a_selftest_is_shown_and_stored(quick_selftest, tmp_path):
    done = run("--selftest", "--out", tmp_path / "out", "--data-dir", tmp_path)
    assert done.exit_code == 0, done.output
    for text in ("passed  first: seen on cpu", "skipped third: needs a GPU", "cifar_resnet20"):
        assert text in done.output
    report = Report.model_validate_json((tmp_path / "out" / "doctor.json").read_bytes())
    assert [check.status for check in report.selftest.checks] == ["passed", "passed", "skipped"]
    assert report.selftest.speeds[0].speed.train_step_seconds
    assert list(report.problems) == find_problems(report.machine)


def test_a_failed_check_exits_with_1_after_everything_is_written(quick_selftest, tmp_path):
    quick_selftest["first"] = fail
    done = run("--selftest", "--json", tmp_path / "doctor.json", "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert "failed  first: two runs differ" in done.output
    assert "passed  second" in done.output
    report = Report.model_validate_json((tmp_path / "doctor.json").read_bytes())
    assert report.selftest.failures == 1


def test_a_network_that_cannot_be_timed_exits_with_1(quick_selftest, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise RuntimeError("no kernel for this")

    monkeypatch.setattr(trial.speed, "measure", refuse)
    done = run("--selftest", "--out", tmp_path, "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert "failed: RuntimeError: no kernel for this" in done.output


def test_a_file_that_cannot_be_written_is_refused_at_once(quick_selftest):
    done = run("--selftest", "--json", "/dev/null/doctor.json")
    assert isinstance(done.exception, UsageError)
    assert "first" not in done.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_exits_with_2():
    assert_refused(bench("doctor", "--device", "cuda"), 2, "^error: --device cuda: ")
