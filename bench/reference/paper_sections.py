"""What the paper's text and figures say of training (3.4) and of CIFAR-10 (4.2). No torch here.

Errors are percent, iterations are steps of SGD.
"""

from pydantic import Field

from bench.reference.sources import Percent, Quoted, Reference, Sourced, Stated

_ByDepth = dict[int, Percent]


class ImagenetRecipe(Sourced):
    """How section 3.4 trains on ImageNet."""

    resize: str
    crop: int = Field(gt=0, description="pixels a side")
    flip: bool
    mean: str
    color_aug: str
    bn: str
    init: str
    optimizer: str
    batch: int = Field(gt=0)
    lr: float = Field(gt=0)
    lr_rule: str
    max_iterations: int = Field(gt=0)
    weight_decay: float = Field(gt=0)
    momentum: float = Field(gt=0, lt=1)
    dropout: bool


class ImagenetTest(Sourced):
    """How section 3.4 tests."""

    comparison: str
    best: str


class ImagenetData(Sourced):
    """ImageNet 2012 as section 4.1 describes it."""

    train: str
    val: str
    test: str
    classes: int


class AuthorsRepository(Sourced):
    """What the authors' repository adds to section 3.4."""

    gpus: int
    per_gpu: int = Field(description="images in a batch")
    crop10: str
    bn_statistics: str
    momentum: str
    shuffle: str


class ImagenetTraining(Reference):
    """Training on ImageNet."""

    train: ImagenetRecipe
    epochs_equivalent: Quoted
    test: ImagenetTest
    data: ImagenetData
    clarifications_from_author_repo: AuthorsRepository


class CifarArchitecture(Sourced):
    """The networks of section 4.2; lists go by size of the feature maps."""

    input: str
    first_layer: str
    weighted_layers: str
    stack: str
    subsampling: str
    head: str
    shortcuts: str
    n_values: tuple[int, ...]
    depths: tuple[int, ...]
    output_map_sizes: tuple[str, str, str]
    layers: tuple[str, str, str]
    filters: tuple[int, int, int]


class CifarTraining(Sourced):
    """How section 4.2 trains the networks of Table 6."""

    weight_decay: float = Field(gt=0)
    momentum: float = Field(gt=0, lt=1)
    init: str
    batch_norm: bool
    dropout: bool
    batch_size: int = Field(gt=0)
    gpus: int = Field(gt=0)
    lr_initial: float = Field(gt=0)
    lr_drop_factor: float = Field(gt=1, description="the rate is divided by it")
    lr_drops_at_iterations: tuple[int, int]
    stop_iteration: int = Field(gt=0)
    schedule_determined_on: str
    augmentation: str
    test: str


class ScheduleInEpochs(Reference):
    """The schedule of section 4.2 in passes over the training set."""

    drop1: float = Field(gt=0)
    drop2: float = Field(gt=0)
    stop: float = Field(gt=0)


class EpochsEquivalent(Sourced):
    """The schedule in epochs: the paper leaves open which of the two training sets was used."""

    at_50k: ScheduleInEpochs
    at_45k: ScheduleInEpochs


class Resnet110Warmup(Sourced):
    """The lower rate that ResNet-110 starts with."""

    lr: float = Field(gt=0)
    until_train_error_below: Percent
    iterations_about: int = Field(gt=0)
    then_lr: float = Field(gt=0)
    rest: str
    footnote5: str


class Resnet1202(Sourced):
    """What the text says of more than 1000 layers."""

    n: int
    training_error_below: Percent
    test_error: Percent
    params: float = Field(gt=0)
    note: str


class PlainNets(Sourced):
    """What the text says of plain networks on CIFAR-10."""

    claim: str
    plain110_error_above: Percent


class Figure1(Sourced):
    """Figure 1: plain networks of 20 and 56 layers."""

    facts: str


class Figure6(Sourced):
    """Figure 6: errors on CIFAR-10 during training."""

    facts: tuple[str, ...]
    axis: str


class Figure6Digitised(Sourced):
    """Errors by depth, measured in Figure 6: the paper prints none of plain networks."""

    note: str
    plain_test_error_final: _ByDepth
    plain_test_error_mean_of_last_part: _ByDepth
    plain_train_error_median_last_5k_iters: _ByDepth
    resnet_test_error_final: _ByDepth
    resnet_train_error_median_last_5k_iters: _ByDepth
    caution: str


class Figure6ReadingsOfOthers(Sourced):
    """Test errors of plain networks by depth, as two others read them off Figure 6."""

    a_martyn: _ByDepth
    nabla0001: _ByDepth
    note: str


class Figure7(Sourced):
    """Figure 7: deviations of layer responses; the paper prints no number of it."""

    definition: str
    series: tuple[str, ...]
    claims: tuple[str, ...]


class Footnotes(Sourced):
    """Footnotes 3 and 4."""

    plain_more_iterations: str
    bottleneck_plain: str


class CifarSection(Reference):
    """Section 4.2 and its figures; Table 6 stands among the tables."""

    dataset: Stated
    architecture: CifarArchitecture
    hyperparameters: CifarTraining
    per_gpu_batch: Quoted
    epochs_equivalent: EpochsEquivalent
    resnet110_warmup: Resnet110Warmup
    resnet1202: Resnet1202
    plain_nets: PlainNets
    figure1: Figure1
    figure6: Figure6
    figure6_digitised: Figure6Digitised
    figure6_readings_of_others: Figure6ReadingsOfOthers
    figure7: Figure7
    footnote_text_claims: Footnotes
