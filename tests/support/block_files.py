"""Files as ``pytest --benchmark-only --benchmark-json`` writes them, with made-up times."""

import json

from tests.support.factories import ENVIRONMENT

SUBJECT = {
    "stage": "Table 1, conv3_x, 28×28",
    "block": "basic",
    "position": "inner",
    "shortcut": "identity",
    "lineage": None,
    "direction": "forward",
    "input_shape": [128, 28, 28],
    "batch_size": 8,
    "macs": 231_000_000,
    "parameters": 295_424,
    "dtype": "float32",
    "device": "cpu",
    "threads": 2,
}
BOTTLENECK = {
    "block": "bottleneck",
    "position": "first",
    "shortcut": "B",
    "lineage": "torchvision",
    "input_shape": [256, 56, 56],
    "macs": 77_000_000,
    "parameters": 379_392,
}
NETWORK = {
    "stage": "Table 6, whole networks, 32×32",
    "block": "cifar_resnet20",
    "position": "whole",
    "shortcut": "A",
    "input_shape": [3, 32, 32],
    "macs": 40_000_000,
    "parameters": 269_722,
}


def timing(median, **changes):
    """One benchmark, its quartiles 10 % below and above."""
    stats = {"median": median, "q1": 0.9 * median, "q3": 1.1 * median, "rounds": 7, "data": []}
    return {"name": "test_block[x]", "extra_info": SUBJECT | changes, "stats": stats}


def content(*benchmarks, **changes):
    """The whole file as an object."""
    machine = ENVIRONMENT.model_dump(mode="json")
    return {
        "machine_info": machine,
        "commit_info": {"id": None},
        "benchmarks": list(benchmarks) or four_timings(),
        "datetime": "2026-01-02T03:04:05.678901+00:00",
        "version": "5.3.1",
        **changes,
    }


def four_timings():
    """Two blocks forward, one of them backward too, and a network."""
    return [
        timing(0.080),
        timing(0.080, **BOTTLENECK),
        timing(0.240, direction="forward+backward"),
        timing(0.008, **NETWORK),
    ]


def write(folder, text_or_object):
    """``<folder>/speed/blocks.json``."""
    path = folder / "speed" / "blocks.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = text_or_object if isinstance(text_or_object, str) else json.dumps(text_or_object)
    path.write_text(text, encoding="utf-8")
    return path
