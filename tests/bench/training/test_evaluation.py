"""Every image is looked at once, and looking changes nothing."""

import pytest
import torch
import torch.nn.functional as F

from bench.data.batches import DeviceData
from bench.training.evaluation import Evaluator
from resnet_models import build
from tests.support.small import small_dataset

CPU = torch.device("cpu")


@pytest.fixture
def evaluator():
    torch.manual_seed(0)
    dataset = small_dataset(test=32)
    data = DeviceData(dataset.test, dataset.spec, CPU)
    return Evaluator(build("cifar_resnet20", in_channels=1, num_classes=10), data, "float32")


def test_a_look_is_the_plain_mean_over_the_images(evaluator):
    images, labels = evaluator.data.batch(torch.arange(5, 20))
    logits = evaluator.model.eval()(images)
    evaluator.look()  # of which nothing is left in the next one
    seen = evaluator.look(15, first=5)
    assert (seen.images, seen.correct) == (15, (logits.argmax(1) == labels).sum().item())
    assert seen.loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-6)
    assert seen.predicted.tolist() == logits.argmax(1).tolist()


@pytest.mark.parametrize("images", [None, 99])
def test_there_are_no_more_images_than_there_are(evaluator, images):
    assert evaluator.look(images).images == 32


def test_looking_changes_nothing(evaluator):
    before = {key: value.clone() for key, value in evaluator.model.state_dict().items()}
    evaluator.look()
    after = evaluator.model.state_dict()
    assert all(torch.equal(value, before[key]) for key, value in after.items())
