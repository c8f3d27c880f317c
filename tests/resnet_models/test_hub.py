"""torch.hub's entry points: every network, by its names, with weights from a file or a record."""

import json
from hashlib import sha256

import pytest
import safetensors.torch
import torch

import hubconf
from resnet_models import MODELS, build
from resnet_models.convert import export
from resnet_models.hub import ABOUT, RECORD_FILE, WEIGHTS_FILE
from tests.support.tools import ROOT


def hub(name, *arguments, **options):
    return torch.hub.load(str(ROOT), name, *arguments, source="local", **options)


def same(network, state):
    ours = network.state_dict()
    return list(ours) == list(state) and all(torch.equal(ours[key], state[key]) for key in ours)


def write(path, network, **about):
    metadata = {ABOUT: json.dumps(about)} if about else None
    safetensors.torch.save_file(network.state_dict(), path, metadata)
    return path


def test_every_network_is_there_under_its_names():
    aliases = {f"resnet{depth}" for depth in (20, 32, 44, 56, 110, 1202)}
    offered = {name: each for name, each in vars(hubconf).items() if not name.startswith("_")}
    assert offered.pop("dependencies") == ["torch"]
    assert set(offered) == {*MODELS, *aliases}
    assert offered["resnet56"].__doc__.startswith("cifar_resnet56 of He et al.")


@pytest.mark.parametrize("name", ["resnet20", "cifar_resnet20"])
def test_fresh_weights_are_those_of_build(name):
    torch.manual_seed(3)
    expected = build("cifar_resnet20", shortcut="B", in_channels=1).state_dict()
    torch.manual_seed(3)
    assert same(hub(name, shortcut="B", in_channels=1), expected)


def test_what_weights_show_need_not_be_said(tmp_path):
    network = build("resnet18", stem="cifar", shortcut="A", in_channels=1, num_classes=7)
    path = write(tmp_path / "weights.safetensors", network)
    found = hub("resnet18", weights=path)
    assert same(found, network.state_dict())
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(found.eval()(images), network.eval()(images))
    assert all(parameter.requires_grad for parameter in found.parameters())
    with pytest.raises(ValueError, match="weights for 7 classes, not 10"):
        hub("resnet18", weights=path, num_classes=10)


def test_our_files_tell_lineage_and_network(tmp_path):
    network = build("resnet50", num_classes=10)
    path = write(tmp_path / "a.safetensors", network, model="resnet50", lineage="paper")
    assert hub("resnet50", weights=path).layer2[0].conv1.stride == (2, 2)
    assert hub("resnet50", weights=path, lineage="torchvision").layer2[0].conv2.stride == (2, 2)
    plain = write(tmp_path / "b.safetensors", build("cifar_plain20"), model="cifar_plain20")
    with pytest.raises(ValueError, match="weights of cifar_plain20, not of cifar_resnet20"):
        hub("resnet20", weights=plain)


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state}])
def test_a_checkpoint_of_another_project_is_converted(tmp_path, wrap):
    network = build("cifar_resnet20")
    named = {f"module.{key}": value for key, value in export(network.state_dict(), "cifar").items()}
    torch.save(wrap(named), tmp_path / "resnet20.th")
    assert same(hub("resnet20", weights=tmp_path / "resnet20.th"), network.state_dict())


def test_half_precision_becomes_float32(tmp_path):
    network = build("cifar_resnet20").bfloat16()
    found = hub("resnet20", weights=write(tmp_path / "half.safetensors", network))
    assert {each.dtype for each in found.parameters()} == {torch.float32}


def test_a_record_is_named_by_its_folder_and_proven(tmp_path):
    network = build("cifar_resnet20")
    content = write(tmp_path / WEIGHTS_FILE, network).read_bytes()
    record = {"weights": {"sha256": sha256(content).hexdigest()}}
    (tmp_path / RECORD_FILE).write_text(json.dumps(record))
    assert same(hub("cifar_resnet20", weights=str(tmp_path)), network.state_dict())
    write(tmp_path / WEIGHTS_FILE, build("cifar_resnet20"))
    with pytest.raises(ValueError, match="is not what was written with its record"):
        hub("cifar_resnet20", weights=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x02\0\0\0\0\0\0\0{}", "not weights of cifar_resnet20: .*missing"),
        (b"\x09\0\0\0\0\0\0\0{", "no safetensors file of weights, or damaged"),
        (b'\x0b\0\0\0\0\0\0\0{"a": null}', "no safetensors file of weights, or damaged"),
    ],
)
def test_what_holds_no_weights_is_named(tmp_path, content, message):
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        hub("cifar_resnet20", weights=path)


def test_a_cut_off_file_is_damaged(tmp_path):
    path = write(tmp_path / "file.safetensors", build("cifar_resnet20"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="or damaged"):
        hub("cifar_resnet20", weights=path)
