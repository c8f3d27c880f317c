"""Checkpoints from files: every way of writing one, and every way in which one can be bad."""

import hashlib
import io
import os
import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from bench.errors import BenchError, UsageError
from bench.runner import weights
from tests.support.checkpoints import STATE, Payload, legacy, saved

CUT = {"zip": saved(STATE), "pickle": legacy(STATE), "safetensors": safetensors.torch.save(STATE)}


@pytest.mark.parametrize(
    "content",
    [
        *CUT.values(),
        saved(STATE, pickle_protocol=3),
        saved(nn.ParameterDict({"w": nn.Parameter(torch.ones(1))}).state_dict() | STATE),
        *(
            save({name: STATE, "epoch": 3, "acc": 93.1, "optimizer": {"lr": 0.1}})
            for name in weights.CONTAINERS
            for save in (saved, legacy)
        ),
    ],
)
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights"])
def test_the_content_decides_and_not_the_name(content, name, file):
    read = weights.read(file(content, name))
    assert set(read.state) >= set(STATE)
    assert all(torch.equal(read.state[key], value) for key, value in STATE.items())
    assert (read.file_name, read.size_bytes) == (name, len(content))
    assert read.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("save", [saved, legacy, safetensors.torch.save])
def test_every_precision_becomes_float32(dtype, save, file):
    state = {key: t.to(dtype) if t.is_floating_point() else t for key, t in STATE.items()}
    read = weights.read(file(save(state))).state
    assert read["conv1.weight"].dtype == torch.float32
    assert torch.equal(read["conv1.weight"], state["conv1.weight"].float())
    assert read["bn1.num_batches_tracked"].dtype == torch.int64


def test_parameters_are_plain_tensors(file):
    read = weights.read(file(saved({"fc.weight": nn.Parameter(torch.ones(2))}))).state
    assert type(read["fc.weight"]) is torch.Tensor
    assert not read["fc.weight"].requires_grad


@pytest.mark.parametrize("save", [saved, legacy, pickle.dumps])
@pytest.mark.parametrize("wrapped", [False, True])
def test_code_in_a_file_is_not_run(save, wrapped, file, tmp_path):
    payload = Payload(tmp_path / "executed")
    path = file(save({"net": STATE, "extra": payload} if wrapped else payload))
    # The safe loader does not read newer pickles at all, so it does not see what is in them.
    why = "a pickle of a kind that PyTorch's safe loader does not read"
    words = why if save is pickle.dumps else "can run code"
    with pytest.raises(BenchError, match=f"was not opened: .*{words}.*model.state_dict"):
        weights.read(path)
    assert not payload.path.exists()
    # The file is a real threat: an ordinary loader runs it.
    if save is pickle.dumps:
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert payload.path.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", CUT)
def test_a_file_that_was_cut_off(kind, share, file):
    content = CUT[kind]
    with pytest.raises(BenchError, match=r"weights\.pt is damaged or was cut off .*fetch it again"):
        weights.read(file(content[: int(share * len(content))]))


def test_a_flipped_bit_in_a_zip_file(file):
    content = bytearray(CUT["zip"])
    content[content.find(STATE["conv1.weight"].numpy().tobytes()) + 5] ^= 1
    with pytest.raises(BenchError, match=r"damaged .*checksum"):
        weights.read(file(content))


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # it is on its way out
def test_a_torchscript_archive(file):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), buffer)
    with pytest.raises(UsageError, match="is a TorchScript program, not a state dict"):
        weights.read(file(buffer.getvalue()))


def zipped(compression=zipfile.ZIP_STORED, **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, world: this is text", "is not a checkpoint: neither"),
        (b'{"conv1.weight": [1, 2, 3]}', "is not a checkpoint: neither"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is not a checkpoint: neither"),
        (zipped(notes="text"), "is a zip file, but not a checkpoint of PyTorch"),
        (zipped(zipfile.ZIP_DEFLATED, **{"data.pkl": bytes(10**6)}), "is a compressed zip file"),
        (saved({"epoch": 3, "acc": 0.9}), "holds no state dict, .*but epoch, acc$"),
        (saved({}), "but nothing$"),
        (saved({"net": {}}), "but net$"),
        (saved([torch.zeros(3)]), "but a list$"),
        (saved(torch.zeros(3)), "but a Tensor$"),
        (saved({"net": STATE, "model": STATE}), "several state dicts: net, model"),
        (saved({**STATE, "epoch": 3}), r" epoch \(int\) is not a tensor with a name"),
        (saved({"net": {**STATE, 7: "x"}}), r"a key of type int \(str\) is not a tensor"),
        (saved({**STATE, 7: torch.ones(1)}), r"type int \(Tensor\) is not a tensor with a name"),
        (saved({**STATE, "": 1}), r" '' \(int\) is not a tensor"),
        (saved({**STATE, "a\n\x1b[31m": 1}), r" 'a\\n\\x1b\[31m' \(int\) is not a tensor"),
        (saved({"a" * 10**6: 1}), "but a{100}…$"),
        (saved({((1,),): 1}), "but a key of type tuple$"),
        (saved({"a": torch.empty(3, device="meta")}), " a is not a dense tensor .*meta"),
        (saved({"a": torch.ones(1).expand(10**13)}), "its tensors are larger than the file$"),
    ],
)
def test_other_files_are_a_wrong_request(content, words, file):
    with pytest.raises(UsageError) as caught:
        weights.read(file(content))
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


IN_PLAIN = b"PK\x01\x02\x14\x03\x14\x00"  # of the entry; a flag follows
ENCRYPTED = zipped(**{"data.pkl": "x"}).replace(IN_PLAIN + b"\0", IN_PLAIN + b"\1")
NOT_FINITE = " fc.bias holds values that are not finite"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (ENCRYPTED, "is damaged or was cut off .not a whole zip file"),
        (saved({"net": STATE, "x": Payload("/nowhere/x")}), r"Python objects \(posix\.system\)"),
        (saved(nn.Linear(2, 2)), r"Python objects \(torch\.nn\.modules\.linear\.Linear\)"),
        (legacy({"net": STATE, "path": Path("x")}), r"Python objects \(pathlib\.[\w.]+\)"),
        (saved({"net": STATE, "acc": np.float64(93)}), r"Python objects \(numpy\.\S+\.scalar\)"),
        *(
            (saved(STATE | {"fc.bias": torch.tensor([1.0, value], dtype=dtype)}), NOT_FINITE)
            for value in (float("nan"), float("inf"), float("-inf"))
            for dtype in (torch.float32, torch.float16)
        ),
    ],
)
def test_what_is_bad_in_a_checkpoint_is_named(content, words, file):
    with pytest.raises(BenchError, match=words):
        weights.read(file(content))


DENIED = PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("method", "error", "words"),
    [
        ("exists", DENIED, r"^cannot read .*weights\.pt: Permission denied$"),
        ("open", DENIED, r"^cannot read .*weights\.pt: Permission denied$"),
        ("open", MemoryError(), r"^cannot read .*: the memory does not suffice$"),
    ],
)
def test_a_file_that_cannot_be_read(method, error, words, file, monkeypatch):
    path = file(saved(STATE))
    monkeypatch.setattr(Path, method, Mock(side_effect=error))
    with pytest.raises(BenchError, match=words):
        weights.read(path)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("absent.pt", UsageError, r"no file .*absent\.pt"),
        ("", UsageError, "is not a file"),
        ("a" * 300, BenchError, r"cannot read .*a{300}: File name too long$"),
    ],
)
def test_a_name_that_is_no_file(name, error, words, tmp_path):
    with pytest.raises(error, match=words):
        weights.read(tmp_path / name)


@pytest.mark.parametrize(
    ("start", "words"), [(b"PK\x03\x04", "is too large for a checkpoint"), (b"x", "not a checkp")]
)
def test_a_huge_file_is_not_read(start, words, file):
    path = file(start)
    os.truncate(path, 2**40)  # of which the disk holds a few bytes
    with pytest.raises(UsageError, match=words):
        weights.read(path)


# Files made to break whoever reads them: by their types and sizes.

NESTED = pytest.mark.filterwarnings("ignore:.*nested tensors")


@pytest.mark.parametrize("name", ["fc.weight", "bn1.num_batches_tracked"])
@pytest.mark.parametrize(
    "make",
    [
        *(
            lambda dtype=dtype: torch.empty(3, dtype=dtype)
            for dtype in (
                torch.int8, torch.int32, torch.bool, torch.complex64, torch.bits8,
                torch.float8_e4m3fn, torch.float4_e2m1fn_x2,
            )
        ),
        lambda: torch.eye(3).to_sparse(),
        pytest.param(
            lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), marks=NESTED
        ),
        lambda: torch.ones([1] * 1000),
    ],
)  # fmt: skip
def test_other_tensors_are_refused(make, name, file):
    tensor = make()
    with pytest.raises(
        UsageError, match=rf" {name} is not a dense tensor of floats \({tensor.dtype}"
    ):
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
    key: tuple[Any, ...] = ()
    for _ in range(18):
        key = (key, key)
    contents: list[dict[Any, Any]] = [{**STATE, key: 1}, {key: 1}]
    for content in contents:
        with pytest.raises(UsageError, match="a key of type tuple") as caught:
            weights.read(file(saved(content)))
        assert len(str(caught.value)) < 1000
