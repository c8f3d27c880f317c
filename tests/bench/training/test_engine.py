"""The engine is what was asked for, or what the machine does best; and torch is put back."""

import pytest
import torch
import torch.nn.functional as F

from bench.errors import UsageError
from bench.records.schema import Engine
from bench.training import engine
from bench.training.engine import (
    DTYPES,
    EngineOptions,
    applied,
    autocast,
    choose_engine,
    choose_precision,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_precision_that_is_asked_for_is_taken(wanted):
    assert choose_precision(CPU, wanted) == wanted


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="'float8'; there are auto, float32, bfloat16, float16"):
        choose_precision(CPU, "float8")


@pytest.mark.parametrize(
    ("device", "native", "seconds", "chosen", "reason"),
    [
        ("cpu", False, {}, "float32", "emulated"),
        ("cpu", True, {"float32": 2.0, "bfloat16": 1.0}, "bfloat16", "2.00 times as fast"),
        ("cpu", True, {"float32": 1.05, "bfloat16": 1.0}, "float32", "1.05 times as fast"),
        ("cuda", True, {}, "bfloat16", "compute capability 7.5 has tensor cores for bfloat16"),
        ("cuda", False, {"float32": 3.0, "float16": 1.0}, "float16", "float16 is 3.00 times"),
        ("cuda", False, {"float32": 1.0, "float16": 2.0}, "float32", "float16 is 0.50 times"),
    ],
)
def test_auto_takes_what_is_native_and_where_in_doubt_measured_to_be_faster(
    device, native, seconds, chosen, reason, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    monkeypatch.setattr(engine, "native_bfloat16", lambda _: native)
    monkeypatch.setattr(engine, "probe_seconds", lambda _, precision: (9.0, seconds[precision]))
    choice = engine.fastest_precision(torch.device(device))
    assert choice.precision == chosen
    assert reason in choice.reason
    assert set(choice.probe) == set(seconds)


def test_a_gpu_has_much_to_do_before_it_is_waited_for(monkeypatch):
    """Or its launches would be timed, which take as long in every precision."""
    events: list[str] = []
    monkeypatch.setattr(engine, "synchronize", lambda _: events.append("wait"))
    monkeypatch.setitem(engine.PROBE_REPETITIONS, "cpu", 3)
    monkeypatch.setitem(engine.PROBE_IMAGES, "cpu", 1)
    conv2d = F.conv2d

    def counted(*args, **kwargs):
        events.append("convolution")
        return conv2d(*args, **kwargs)

    monkeypatch.setattr(F, "conv2d", counted)
    ticks = iter(range(99))
    samples = engine.probe_seconds(CPU, "float32", clock=lambda: float(next(ticks)))
    assert samples == (pytest.approx(1 / 3),) * engine.PROBE_SAMPLES
    assert events[:5] == ["wait", *["convolution"] * 3, "wait"]


def test_the_probe_times_a_real_convolution():
    assert 0 < min(engine.probe_seconds(CPU, "float32")) < 60


def test_a_cpu_has_no_graph_and_no_tf32():
    chosen = choose_engine(CPU, EngineOptions(precision="float32"), 64)
    assert chosen == Engine(precision="float32", micro_batch_size=64)
    assert choose_engine(CPU, EngineOptions(precision="float32", compile="on"), 64).compiled


def switches():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
    )


@pytest.mark.parametrize("deterministic", [True, False])
def test_switches_of_torch_are_set_and_put_back(deterministic, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    before = switches()
    settings = Engine(
        precision="float32",
        micro_batch_size=8,
        deterministic=deterministic,
        tf32=not deterministic,
    )
    with applied(settings):
        assert switches() == (deterministic, *[not deterministic] * 3)
    assert switches() == before


def test_autocast_is_off_for_float32():
    with autocast(CPU, "float32"):
        assert not torch.is_autocast_enabled("cpu")
    for precision in DTYPES:
        with autocast(CPU, precision):
            assert torch.is_autocast_enabled("cpu")
            assert torch.get_autocast_dtype("cpu") == DTYPES[precision]
