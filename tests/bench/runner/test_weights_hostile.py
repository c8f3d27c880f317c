"""Files made to break whoever reads them: by their types, sizes and names."""

import io
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.errors import BenchError, UsageError
from bench.runner import weights
from tests.support.checkpoints import STATE, legacy, saved


@pytest.mark.parametrize(
    "dtype",
    [
        torch.int8, torch.int32, torch.bool, torch.complex64, torch.bits8, torch.float8_e4m3fn,
        torch.float4_e2m1fn_x2,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["fc.weight", "bn1.num_batches_tracked"])
def test_other_numbers_are_refused(dtype, name, file):
    content = saved({**STATE, name: torch.empty(3, dtype=dtype)})
    with pytest.raises(UsageError, match=rf" {name} is not a dense tensor of floats \({dtype}"):
        weights.read(file(content))


@pytest.mark.filterwarnings("ignore:.*nested tensors")
@pytest.mark.parametrize("name", ["fc.weight", "bn1.num_batches_tracked"])
def test_other_tensors_are_refused(name, file):
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    for tensor in (torch.eye(3).to_sparse(), nested, torch.ones([1] * 1000)):
        with pytest.raises(UsageError, match=rf" {name} is not a dense tensor of floats \("):
            weights.read(file(saved({**STATE, name: tensor})))


class Shadowed:
    """Unpickled as an OrderedDict whose attributes lie over its methods."""

    def __init__(self, items):
        self.items = items

    def __reduce__(self):
        methods = dict.fromkeys(("get", "values", "items", "keys", "__iter__"), 5)
        return OrderedDict, (), methods, None, iter(self.items.items())


@pytest.mark.parametrize("make", [torch.ones, lambda size: nn.Parameter(torch.ones(size))])
def test_attributes_of_tensors_and_dicts_are_not_used(make, file):
    tensor = make(3)
    tensor.detach = tensor.numel = tensor.float = 5
    state = Shadowed({**STATE, "fc.weight": tensor})
    assert torch.load(io.BytesIO(saved(state)), weights_only=True).items == 5
    for content in (state, {"net": state}):
        assert torch.equal(weights.read(file(saved(content))).state["fc.weight"], torch.ones(3))


def without_data(numel):
    """A legacy file of 300 bytes: a tensor on a storage of 1 GiB that nothing fills."""
    content = legacy({"a": torch.ones(4)})
    end = content.index(pickle.STOP, content.index(b"FloatStorage")) + 1
    large = b"J" + struct.pack("<i", 2**28)
    content = content[:end].replace(b"K\x04N", large + b"N")
    size = large if numel == 2**28 else b"K\x04"
    return content.replace(b"K\x04\x85", size + b"\x85") + pickle.dumps([], 2)


@pytest.mark.parametrize(
    "content",
    [
        without_data(2**28),
        without_data(4),
        saved(dict.fromkeys((f"a{n}" for n in range(400)), torch.ones(2000))),
        saved({"a": torch.ones(2000).half().expand(400, -1)}),
    ],
)
def test_tensors_that_are_larger_than_the_file(content, file):
    with pytest.raises(UsageError, match="its tensors are larger than the file"):
        weights.read(file(content))


def test_a_key_that_prints_endlessly_is_not_printed(file):
    key = ()
    for _ in range(18):
        key = (key, key)
    for content in ({**STATE, key: 1}, {key: 1}):
        with pytest.raises(UsageError, match="a key of type tuple") as caught:
            weights.read(file(saved(content)))
        assert len(str(caught.value)) < 1000


def refuse(error):
    def fail(*arguments, **options):
        raise error

    return fail


@pytest.mark.parametrize("method", ["exists", "open"])
def test_a_file_that_may_not_be_read(method, file, monkeypatch):
    path = file(saved(STATE))
    monkeypatch.setattr(Path, method, refuse(PermissionError(13, "Permission denied")))
    with pytest.raises(BenchError, match=r"^cannot read .*weights\.pt: Permission denied$"):
        weights.read(path)


def test_a_file_that_does_not_fit_the_memory(file, monkeypatch):
    path = file(saved(STATE))
    monkeypatch.setattr(Path, "open", refuse(MemoryError()))
    with pytest.raises(BenchError, match=r"^cannot read .*: the memory does not suffice$"):
        weights.read(path)


def test_a_name_that_is_too_long_for_a_file(tmp_path):
    with pytest.raises(BenchError, match=r"cannot read .*a{300}: File name too long$"):
        weights.read(tmp_path / ("a" * 300))


def test_a_huge_file_is_not_read(file):
    for start, words in (
        (b"PK\x03\x04", "is too large for a checkpoint"),
        (b"x", "not a checkpoint"),
    ):
        path = file(start)
        os.truncate(path, 2**40)  # of which the disk holds a few bytes
        with pytest.raises(UsageError, match=words):
            weights.read(path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"r\xe9seau.pt", r"'r\udce9seau.pt'"),
        (b"a\nb\x1b[31m.pt", r"'a\nb\x1b[31m.pt'"),
        (b"it's.pt", "it's.pt"),
    ],
)
def test_names_of_files_can_be_printed_and_stored(name, shown, file, tmp_path):
    assert weights.read(file(saved(STATE), os.fsdecode(name))).file_name == shown
    with pytest.raises(UsageError) as caught:
        weights.read(file(b"text", os.fsdecode(name)))
    assert shown.strip("'") in str(caught.value)
    assert str(caught.value).isprintable()
