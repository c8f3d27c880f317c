"""Every network by name, with the parameter counts that the tests hold it to. No torch here."""

from resnet_models.spec import Block, Family, ModelSpec, Shortcut, Stem

Counts = dict[Shortcut, tuple[int, ...]]
"""Parameters by shortcut, the published one first, in the order of ``_SETTINGS`` or its start."""

# Stem, input channels and classes
_SETTINGS: dict[Family, tuple[tuple[Stem, int, int], ...]] = {
    "table1": (
        ("imagenet", 3, 1000), ("imagenet", 3, 10), ("cifar", 3, 10),
        ("imagenet", 1, 10), ("cifar", 1, 10),
    ),
    "table6": (("cifar", 3, 10), ("cifar", 1, 10)),
}  # fmt: skip


def _spec(
    family: Family, depth: int, block: Block, layers: tuple[int, ...], counts: Counts
) -> ModelSpec:
    parameters = {
        (shortcut, *setting): number
        for shortcut, numbers in counts.items()
        for setting, number in zip(_SETTINGS[family], numbers, strict=False)
    }
    return ModelSpec(
        family=family,
        depth=depth,
        block=block,
        layers=layers,
        shortcuts=tuple(counts),
        parameters=parameters,
    )


def _table6(depth: int, counts: Counts) -> ModelSpec:
    return _spec("table6", depth, "basic", ((depth - 2) // 6,) * 3, counts)


MODELS: dict[str, ModelSpec] = {
    "resnet18": _spec("table1", 18, "basic", (2, 2, 2, 2), {
        "B": (11_689_512, 11_181_642, 11_173_962, 11_175_370, 11_172_810),
        "A": (11_515_688, 11_007_818, 11_000_138),
        "C": (12_043_816, 11_535_946, 11_528_266),
    }),
    "resnet34": _spec("table1", 34, "basic", (3, 4, 6, 3), {
        "B": (21_797_672, 21_289_802, 21_282_122, 21_283_530, 21_280_970),
        "A": (21_623_848, 21_115_978, 21_108_298),
        "C": (22_716_840, 22_208_970, 22_201_290),
    }),
    "resnet50": _spec("table1", 50, "bottleneck", (3, 4, 6, 3), {
        "B": (25_557_032, 23_528_522, 23_520_842, 23_522_250, 23_519_690),
        "A": (22_780_456, 20_751_946, 20_744_266),
        "C": (40_128_552, 38_100_042, 38_092_362),
    }),
    "resnet101": _spec("table1", 101, "bottleneck", (3, 4, 23, 3), {
        "B": (44_549_160, 42_520_650, 42_512_970, 42_514_378, 42_511_818),
        "A": (41_772_584, 39_744_074, 39_736_394),
        "C": (76_981_288, 74_952_778, 74_945_098),
    }),
    "resnet152": _spec("table1", 152, "bottleneck", (3, 8, 36, 3), {
        "B": (60_192_808, 58_164_298, 58_156_618, 58_158_026, 58_155_466),
        "A": (57_416_232, 55_387_722, 55_380_042),
        "C": (107_335_720, 105_307_210, 105_299_530),
    }),
    "plain18": _spec("table1", 18, "basic", (2, 2, 2, 2), {
        "none": (11_515_688, 11_007_818, 11_000_138),
    }),
    "plain34": _spec("table1", 34, "basic", (3, 4, 6, 3), {
        "none": (21_623_848, 21_115_978, 21_108_298),
    }),
    "cifar_resnet20": _table6(20, {"A": (269_722, 269_434), "B": (272_474, 272_186)}),
    "cifar_resnet32": _table6(32, {"A": (464_154, 463_866), "B": (466_906, 466_618)}),
    "cifar_resnet44": _table6(44, {"A": (658_586, 658_298), "B": (661_338, 661_050)}),
    "cifar_resnet56": _table6(56, {"A": (853_018, 852_730), "B": (855_770, 855_482)}),
    "cifar_resnet110": _table6(110, {"A": (1_727_962, 1_727_674), "B": (1_730_714, 1_730_426)}),
    "cifar_resnet1202": _table6(1202, {
        "A": (19_421_274, 19_420_986),
        "B": (19_424_026, 19_423_738),
    }),
    "cifar_plain20": _table6(20, {"none": (269_722, 269_434)}),
    "cifar_plain32": _table6(32, {"none": (464_154, 463_866)}),
    "cifar_plain44": _table6(44, {"none": (658_586, 658_298)}),
    "cifar_plain56": _table6(56, {"none": (853_018, 852_730)}),
    "cifar_plain110": _table6(110, {"none": (1_727_962, 1_727_674)}),
}  # fmt: skip
