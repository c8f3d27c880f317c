import pytest
import torch
import torchvision.transforms.functional as TF

from bench.data.batches import PAD, DeviceData, EpochPlan, epoch_plan
from bench.errors import UsageError

CPU = torch.device("cpu")


def assert_equal(plan: EpochPlan, expected: EpochPlan) -> None:
    for name in ("indices", "offsets", "flips"):
        ours, theirs = getattr(plan, name), getattr(expected, name)
        assert ours is theirs is None or torch.equal(ours, theirs)


def reference(dataset, index):
    return torch.from_numpy(dataset.train.images[index]).permute(2, 0, 1)


def normalized(dataset, image):
    return TF.normalize(image / 255, dataset.spec.channel_mean, dataset.spec.channel_std)


def test_augmented_batch_equals_torchvision_image_by_image(cifar10):
    data = DeviceData(cifar10.train, cifar10.spec, CPU)
    plan = epoch_plan(3, 1, len(data), 400, "crop_flip")
    images, labels = data.batch(plan.indices, plan.offsets, plan.flips)
    for i, index in enumerate(plan.indices.tolist()):
        top, left = plan.offsets[i].tolist()
        image = TF.crop(TF.pad(reference(cifar10, index), [PAD]), top, left, 32, 32)
        image = TF.hflip(image) if plan.flips[i] else image
        torch.testing.assert_close(images[i], normalized(cifar10, image), rtol=0, atol=1e-6)
        assert labels[i] == cifar10.train.labels[index]
    # every offset and both directions were among them
    assert len(torch.unique(plan.offsets, dim=0)) == (2 * PAD + 1) ** 2
    assert 150 < int(plan.flips.sum()) < 250


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_plain_batch_equals_torchvision(name, request):
    dataset = request.getfixturevalue(name)
    data = DeviceData(dataset.train, dataset.spec, CPU)
    indices = torch.tensor([0, 7, 49_999, 7])
    images, labels = data.batch(indices)
    assert images.shape == (4, dataset.spec.channels, *[dataset.spec.resolution] * 2)
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert labels.tolist() == dataset.train.labels[indices.numpy()].tolist()
    for i, index in enumerate(indices.tolist()):
        expected = normalized(dataset, reference(dataset, index))
        torch.testing.assert_close(images[i], expected, rtol=0, atol=1e-6)


def test_a_batch_leaves_the_data_alone(mnist):
    data = DeviceData(mnist.test, mnist.spec, CPU)
    before = data.images[:3].clone()
    data.batch(torch.arange(3))[0].zero_()
    assert torch.equal(data.images[:3], before)


def test_plan_is_a_function_of_seed_and_epoch():
    torch.manual_seed(1)
    first = epoch_plan(0, 1, 1000, None, "crop_flip")
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert_equal(epoch_plan(0, 1, 1000, None, "crop_flip"), first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)  # the global generator was not used
    for other in (epoch_plan(0, 2, 1000, None, "none"), epoch_plan(1, 1, 1000, None, "none")):
        assert not torch.equal(other.indices, first.indices)


def test_plan_is_the_same_on_every_machine():
    plan = epoch_plan(0, 1, 50_000, 4, "crop_flip")
    assert plan.indices.tolist() == [37576, 20691, 33909, 7332]
    assert plan.offsets.tolist() == [[0, 8], [6, 0], [5, 0], [2, 3]]
    assert plan.flips.tolist() == [True, True, True, False]


def test_a_shorter_epoch_is_the_start_of_the_whole_one_a_permutation():
    whole = epoch_plan(0, 1, 1000, None, "crop_flip")
    assert sorted(whole.indices.tolist()) == list(range(1000))
    assert_equal(epoch_plan(0, 1, 1000, 100, "crop_flip"), whole.batch(0, 100))
    plain = epoch_plan(0, 1, 1000, 100, "none")
    assert_equal(plain, EpochPlan(whole.indices[:100], None, None))


@pytest.mark.parametrize("augmentation", ["crop_flip", "none"])
def test_batches_are_the_plan_in_pieces(augmentation):
    plan = epoch_plan(0, 1, 100, None, augmentation).to(CPU)
    pieces = list(plan.batches(32))
    assert [len(piece) for piece in pieces] == [32, 32, 32, 4]
    names = ["indices", "offsets", "flips"] if augmentation == "crop_flip" else ["indices"]
    for name in names:
        parts = [getattr(piece, name) for piece in pieces]
        assert torch.equal(torch.cat(parts), getattr(plan, name))
    if augmentation == "none":
        assert all(piece.offsets is piece.flips is None for piece in pieces)


def test_a_plan_is_overwritten_and_its_copy_stays():
    first, second = (epoch_plan(0, epoch, 100, None, "crop_flip") for epoch in (1, 2))
    copy = first.clone()
    first.copy_(second)
    assert_equal(first, second)
    assert not torch.equal(copy.indices, second.indices)


def test_more_images_than_there_are():
    with pytest.raises(UsageError, match="an epoch of 1,001 images, but the training set has 1,0"):
        epoch_plan(0, 1, 1000, 1001, "none")
