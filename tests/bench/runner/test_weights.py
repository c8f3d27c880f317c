"""Checkpoints from files: every way of writing one, and every way in which one can be bad."""

import hashlib
import io
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from bench.errors import BenchError, UsageError
from bench.runner import weights
from tests.support.checkpoints import STATE, legacy, saved


class Payload:
    """Makes a file when it is unpickled by anything but a safe loader."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize(
    "content",
    [
        saved(STATE),
        saved(STATE, pickle_protocol=3),
        legacy(STATE),
        saved(nn.ParameterDict({"w": nn.Parameter(torch.ones(1))}).state_dict() | STATE),
        safetensors.torch.save(STATE),
        *(
            save({name: STATE, "epoch": 3, "acc": 93.1, "optimizer": {"lr": 0.1}})
            for name in weights.CONTAINERS
            for save in (saved, legacy)
        ),
    ],
)
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights"])
def test_the_content_decides_and_not_the_name(content, name, file):
    path = file(content, name)
    read = weights.read(path)
    assert set(read.state) >= set(STATE)
    assert all(torch.equal(read.state[key], value) for key, value in STATE.items())
    assert (read.file_name, read.size_bytes) == (name, path.stat().st_size)


def test_the_hash_is_that_of_the_file(file):
    path = file(CUT["safetensors"])
    assert weights.read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


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


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (saved({"net": STATE, "x": Payload("/nowhere/x")}), r"\(posix\.system\)"),
        (saved(nn.Linear(2, 2)), r"\(torch\.nn\.modules\.linear\.Linear\)"),
        (legacy({"net": STATE, "path": Path("x")}), r"\(pathlib\.[\w.]+\)"),
        (saved({"net": STATE, "acc": np.float64(93)}), r"\(numpy\.\S+\.scalar\)"),
    ],
)
def test_objects_that_were_not_made_are_named(content, name, file):
    with pytest.raises(BenchError, match=f"holds Python objects {name}"):
        weights.read(file(content))


CUT = {"zip": saved(STATE), "pickle": legacy(STATE), "safetensors": safetensors.torch.save(STATE)}


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


def zipped(compression=zipfile.ZIP_STORED, **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # it is on its way out
def test_a_torchscript_archive(file):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), buffer)
    with pytest.raises(UsageError, match="is a TorchScript program, not a state dict"):
        weights.read(file(buffer.getvalue()))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, world: this is text", "is not a checkpoint: neither"),
        (b'{"conv1.weight": [1, 2, 3]}', "is not a checkpoint: neither"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is not a checkpoint: neither"),
        (zipped(notes="text"), "is a zip file, but not a checkpoint of PyTorch"),
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
        (zipped(zipfile.ZIP_DEFLATED, **{"data.pkl": bytes(10**6)}), "is a compressed zip file"),
    ],
)
def test_other_files_are_a_wrong_request(content, words, file):
    with pytest.raises(UsageError) as caught:
        weights.read(file(content))
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_that_are_not_finite_are_named(value, dtype, file):
    bad = torch.ones(4, dtype=dtype)
    bad[2] = value
    with pytest.raises(BenchError, match=r" fc\.weight holds values that are not finite"):
        weights.read(file(saved({**STATE, "fc.weight": bad, "other": bad})))


def test_what_is_no_file(tmp_path, file):
    with pytest.raises(UsageError, match=r"no file .*absent\.pt"):
        weights.read(tmp_path / "absent.pt")
    with pytest.raises(UsageError, match="is not a file"):
        weights.read(tmp_path)
    with pytest.raises(BenchError, match="is empty"):
        weights.read(file(b""))
