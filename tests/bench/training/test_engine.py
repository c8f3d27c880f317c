"""The engine is what was asked for, or what the machine does best; and torch is put back."""

import pytest
import torch

from bench.errors import UsageError
from bench.records.schema import Engine
from bench.training import engine
from bench.training.engine import EngineOptions, applied, autocast, choose_engine, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_precision_that_is_asked_for_is_taken(wanted):
    assert choose_precision(CPU, wanted) == wanted


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="'float8'; there are auto, float32, bfloat16, float16"):
        choose_precision(CPU, "float8")


@pytest.mark.parametrize(
    ("native", "seconds", "chosen"),
    [
        (False, {}, "float32"),
        (True, {"float32": 2.0, "bfloat16": 1.0}, "bfloat16"),
        (True, {"float32": 1.05, "bfloat16": 1.0}, "float32"),  # not worth its rounding
    ],
)
def test_auto_takes_bfloat16_where_it_is_native_and_measured_to_be_faster(
    native, seconds, chosen, monkeypatch
):
    monkeypatch.setattr(engine, "native_bfloat16", lambda _: native)
    monkeypatch.setattr(engine, "probe_seconds", lambda _, precision: (9.0, seconds[precision]))
    assert choose_precision(CPU) == chosen


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
    for precision, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        with autocast(CPU, precision):
            assert torch.is_autocast_enabled("cpu")
            assert torch.get_autocast_dtype("cpu") == dtype
