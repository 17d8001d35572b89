"""Lesson 3's checks accept each right form and tell each wrong answer what was wrong."""

import torch
from answer_forms import number_forms, tuple_forms
from judged import judged
from torch.nn import functional

from envnet_tutorial.exercises import lesson_03
from envnet_tutorial.models import ConvBlock

CHECKS = [
    lesson_03.check_rows_and_steps,
    lesson_03.check_samples_for,
    lesson_03.check_counterexample,
    lesson_03.check_conv_weights,
    lesson_03.check_pool_first,
    lesson_03.check_seen_milliseconds,
]


def samples_for(steps, pooling, kernels):
    return steps * pooling + sum(kernel - 1 for kernel in kernels)


def normalised(block, features):
    convolution, norm, _ = block.module
    return norm(convolution(features))


def pool(x):
    return functional.max_pool2d(x, (1, 160))


def pool_by_reshape(block, features):
    return normalised(block, features).unflatten(-1, (-1, 160)).amax(dim=-1).clamp(min=0)


def pool_before_norm(block, features):
    convolution, norm, relu = block.module
    return relu(norm(pool(convolution(features))))


def cut_off_by_index(block, features):
    x = normalised(block, features)
    x[x < 0] = 0
    return pool(x)


def cut_off_by_mask(block, features):
    x = normalised(block, features)
    return pool(x * (x > 0))


def pieces(x):
    return x.split(160, dim=-1)


def cut_off_in_pieces(block, features):
    return torch.cat([pool(piece.relu()) for piece in pieces(normalised(block, features))], dim=-1)


def cut_off_in_place_in_pieces(block, features):
    x = normalised(block, features)
    for piece in pieces(x):
        torch.relu_(piece)
    return pool(x)


def cut_off_row_by_row(block, features):
    rows = normalised(block, features).unbind(dim=1)
    return torch.stack([pool(torch.clamp(input=row, min=0)) for row in rows], dim=1)


def the_whole_block_in_pieces(block, features):
    return torch.cat([pool(block(features[..., n : n + 167])) for n in range(0, 960, 160)], dim=-1)


def pool_in_pieces(block, features):
    """Right: each maximum is cut off by itself."""
    x = normalised(block, features)
    pooled = torch.empty(2, 40, 1, 6)
    for number, piece in enumerate(pieces(x)):
        for row in range(40):
            pooled[:, row, :, number] = piece[:, row].amax(dim=-1).clamp(min=0)
    return pooled


RIGHT = [
    *((lesson_03.check_rows_and_steps, form) for form in tuple_forms((40, 149))),
    *((lesson_03.check_counterexample, form) for form in tuple_forms((10, 6))),
    *((lesson_03.check_counterexample, pair) for pair in [(23, 12), (100, 31), (50, 27), (100.0, 29.0)]),
    *((lesson_03.check_conv_weights, form) for form in number_forms(20_608)),
    *((lesson_03.check_seen_milliseconds, form) for form in number_forms(11.875)),
    *((lesson_03.check_seen_milliseconds, form) for form in number_forms(11.9)),
    (lesson_03.check_samples_for, samples_for),
    (lesson_03.check_samples_for, lambda *call: torch.tensor(samples_for(*call))),
    (lesson_03.check_samples_for, lambda *call: float(samples_for(*call))),
    (lesson_03.check_pool_first, lambda block, features: block.module[2](pool(normalised(block, features)))),
    (lesson_03.check_pool_first, lambda block, features: functional.relu(pool(normalised(block, features)))),
    (lesson_03.check_pool_first, lambda block, features: pool(normalised(block, features)).relu_().numpy()),
    (lesson_03.check_pool_first, lambda block, features: pool(block.module[:2](features)).clamp(min=0).double()),
    (lesson_03.check_pool_first, pool_by_reshape),
    (lesson_03.check_pool_first, pool_in_pieces),
]
EARLY = "ReLU still worked on all 960 steps"
WRONG = [
    (lesson_03.check_rows_and_steps, (149, 40), "other way round"),
    (lesson_03.check_rows_and_steps, (150, 40), "filters are rows"),
    (lesson_03.check_rows_and_steps, (40, 23_986), "reach the pooling"),
    (lesson_03.check_rows_and_steps, (40, 24_000), "go in"),
    (lesson_03.check_rows_and_steps, (40, 150), "still whole"),
    (lesson_03.check_rows_and_steps, (40, 148), "how many whole"),
    (lesson_03.check_rows_and_steps, (80, 149), "does not add"),
    (lesson_03.check_rows_and_steps, (1_600, 149), "adds up"),
    (lesson_03.check_rows_and_steps, (1, 149), "a row of its own"),
    (lesson_03.check_rows_and_steps, (8, 149), "rows are filters"),
    (lesson_03.check_rows_and_steps, 40, "numbers wanted: 2; numbers given: 1"),
    (lesson_03.check_counterexample, (100, 30), "the page's own"),
    (lesson_03.check_counterexample, torch.tensor([50.0, 26.0]), "the page's own"),
    (lesson_03.check_counterexample, (16_000, 8), "there the helper is right"),
    (lesson_03.check_counterexample, (100, 10), "there the helper is right"),
    (lesson_03.check_counterexample, (10, 30), "no more than the signal"),
    (lesson_03.check_counterexample, (10, 0), "at least one"),
    (lesson_03.check_counterexample, (-10, -6), "at least one"),
    (lesson_03.check_counterexample, (100.5, 30), "two whole numbers"),
    (lesson_03.check_counterexample, 30, "numbers given: 1"),
    (lesson_03.check_conv_weights, 12_880, "as it is"),
    (lesson_03.check_conv_weights, 20_480, "those are the taps"),
    (lesson_03.check_conv_weights, 20_544, "two numbers a channel"),
    (lesson_03.check_conv_weights, 20_560, "not 40"),
    (lesson_03.check_conv_weights, 20_672, "no bias"),
    (lesson_03.check_conv_weights, 20_736, "not learned"),
    (lesson_03.check_conv_weights, 32_896, "conv1 keeps"),
    (lesson_03.check_conv_weights, 640, "conv1 with 64"),
    (lesson_03.check_conv_weights, 20_609, "has no bias"),
    (lesson_03.check_seen_milliseconds, 10, "reach beyond"),
    (lesson_03.check_seen_milliseconds, 10.875, "eight taps"),
    (lesson_03.check_seen_milliseconds, 190, "those are samples"),
    (lesson_03.check_seen_milliseconds, 0.011875, "not in seconds"),
    (lesson_03.check_seen_milliseconds, 175 / 16, "two layers"),
    (lesson_03.check_seen_milliseconds, 191 / 16, "one sample too many"),
    (lesson_03.check_seen_milliseconds, 192 / 16, "not 16"),
    (lesson_03.check_seen_milliseconds, 31 / 16, "what the two layers see"),
    (lesson_03.check_seen_milliseconds, 13, "160 positions"),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling, "take samples away"),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling + sum(kernels), "not taps"),
    (lesson_03.check_samples_for, lambda steps, pooling, kernels: steps * pooling + 14, "two layers of eight"),
    (lesson_03.check_samples_for, lambda s, p, kernels: s * p - sum(k - 1 for k in kernels), "going back, add"),
    (lesson_03.check_samples_for, lambda *call: samples_for(*call) + 1, "gave 24015: go backwards"),
    (lesson_03.check_samples_for, lambda *call: samples_for(*call) + 0.5, "go backwards"),
    (lesson_03.check_samples_for, lambda s, p, kernels: s * p + len(kernels) * (kernels[1] - 1), "IndexError"),
    (lesson_03.check_pool_first, lambda block, features: pool(block(features)), EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(functional.relu(normalised(block, features))), EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(torch.relu(normalised(block, features))), EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(normalised(block, features).relu_()), EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(normalised(block, features).clamp(min=0)), EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(normalised(block, features).clamp(min=0)).relu(), EARLY),
    (lesson_03.check_pool_first, cut_off_by_index, EARLY),
    (lesson_03.check_pool_first, cut_off_by_mask, EARLY),
    (lesson_03.check_pool_first, cut_off_in_pieces, EARLY),
    (lesson_03.check_pool_first, cut_off_in_place_in_pieces, EARLY),
    (lesson_03.check_pool_first, cut_off_row_by_row, EARLY),
    (lesson_03.check_pool_first, the_whole_block_in_pieces, EARLY),
    (lesson_03.check_pool_first, lambda block, features: pool(normalised(block, features)), "ReLU is missing"),
    (lesson_03.check_pool_first, pool_before_norm, "wait for the normalisation"),
    (
        lesson_03.check_pool_first,
        lambda block, features: functional.avg_pool2d(normalised(block, features), (1, 160)).relu(),
        "not the mean",
    ),
    (lesson_03.check_pool_first, lambda block, features: block(features), "nothing was pooled"),
    (lesson_03.check_pool_first, lambda block, features: features, "gave the shape (2, 40, 1, 967)"),
    (lesson_03.check_pool_first, lambda block, features: pool(block.conv(features)), "(line "),
    (lesson_03.check_pool_first, lambda block: block, "stopped with TypeError"),
    (lesson_03.check_pool_first, ConvBlock(40, 40, (1, 8)), "stopped with TypeError"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


def test_the_wanted_samples_are_those_that_layers_leave_whole():
    """The reference of `check_samples_for` against PyTorch's own layers."""
    for steps, pooling, kernels in [(150, 160, (8, 8)), (260, 64, (64, 16)), (20, 100, (30, 5, 2))]:
        x = torch.zeros(1, 1, samples_for(steps, pooling, kernels))
        for kernel in kernels:
            x = functional.conv1d(x, torch.zeros(1, 1, kernel))
        assert x.shape[-1] == steps * pooling


def test_the_parameters_are_those_of_the_block():
    assert lesson_03.check_conv_weights(sum(p.numel() for p in ConvBlock(40, 64, (1, 8)).parameters()))


def test_the_predicted_picture_is_that_of_torchs_layers():
    x = torch.zeros(1, 1, 24_000)
    for weight in (torch.zeros(40, 1, 8), torch.zeros(40, 40, 8)):
        x = functional.conv1d(x, weight)
    assert lesson_03.check_rows_and_steps(tuple(functional.max_pool1d(x, 160).shape[1:]))


def test_a_check_leaves_the_readers_random_numbers_alone():
    torch.manual_seed(0)
    lesson_03.check_pool_first(pool_by_reshape)
    drawn = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(3))
