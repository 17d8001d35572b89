"""Lesson 1's checks accept each right form and tell each wrong answer what was wrong."""

import math

import numpy as np
import pytest
import torch
from answer_forms import number_forms, tuple_forms
from judged import judged

from envnet_tutorial.audio import write_audio
from envnet_tutorial.audio.spectrograms import log_mel
from envnet_tutorial.exercises import lesson_01

CHECKS = [
    lesson_01.check_file_size,
    lesson_01.check_picture_shape,
    lesson_01.check_quantisation,
    lesson_01.check_decibels,
    lesson_01.check_mel,
    lesson_01.check_bits,
    lesson_01.check_alias_of,
]


def slaney(f):
    return 3 * f / 200 if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)


def heard_as(frequency, rate):
    rest = frequency % rate
    return min(rest, rate - rest)


RIGHT = [
    *((lesson_01.check_file_size, form, "the header takes 44 more") for form in number_forms(441_044)),
    *((lesson_01.check_file_size, form, "441,044") for form in number_forms(441_000)),
    *((lesson_01.check_picture_shape, form, "150 frames") for form in tuple_forms((40, 150))),
    *((lesson_01.check_picture_shape, form, "fit whole") for form in tuple_forms((40, 148))),
    *((lesson_01.check_quantisation, form, "49.9 dB") for form in number_forms(49.92)),
    (lesson_01.check_quantisation, 6.02 * 8 + 1.76, "49.9 dB"),
    (lesson_01.check_quantisation, 50, "49.9 dB"),
    (lesson_01.check_decibels, lambda ratio: 20 * math.log10(ratio), "20 dB"),
    (lesson_01.check_decibels, lambda ratio: 20 * np.log10(np.float32(ratio)), "20 dB"),
    (lesson_01.check_decibels, lambda ratio: 20 * torch.log10(torch.tensor(ratio)), "20 dB"),
    (lesson_01.check_decibels, lambda ratio: [10 * math.log10(ratio**2)], "20 dB"),
    (lesson_01.check_mel, lambda f: 2595 * math.log10(1 + f / 700), "1,000 mel"),
    (lesson_01.check_mel, lambda f: 1127 * math.log(1 + f / 700), "1,000 mel"),  # the same in natural logarithms
    (lesson_01.check_mel, lambda f: 2595 * torch.log10(torch.tensor([1 + f / 700])), "1,000 mel"),
    *((lesson_01.check_bits, form, "92.1 dB") for form in number_forms(15)),
    (lesson_01.check_alias_of, heard_as, "mirror"),
    (lesson_01.check_alias_of, lambda *call: torch.tensor(float(heard_as(*call))), "mirror"),
    (lesson_01.check_alias_of, lambda *call: [np.float32(heard_as(*call))], "mirror"),
    (lesson_01.check_alias_of, lambda f, rate: abs(f - rate * round(f / rate)), "mirror"),
    (lesson_01.check_alias_of, lambda f, rate: rate / np.pi * math.asin(abs(math.sin(math.pi * f / rate))), "mirror"),
]
WRONG = [
    (lesson_01.check_file_size, 220_500, "number of samples"),
    (lesson_01.check_file_size, 220_544, "number of samples"),
    (lesson_01.check_file_size, 882_000, "twice too much"),
    (lesson_01.check_file_size, 882_044, "twice too much"),
    (lesson_01.check_file_size, 88_200, "one second"),
    (lesson_01.check_file_size, 3_528_000, "bits"),
    (lesson_01.check_file_size, 441, "thousands"),
    *((lesson_01.check_file_size, near, "near") for near in (441_099, 441_100, 441_001, 441_043, 441_045, 440_999)),
    (lesson_01.check_file_size, 500_000, "how many samples"),
    (lesson_01.check_file_size, -441_044, "how many samples"),
    (lesson_01.check_file_size, "441044", "without quotes"),
    (lesson_01.check_picture_shape, (150, 40), "other way round"),
    (lesson_01.check_picture_shape, [148, 40], "other way round"),
    (lesson_01.check_picture_shape, (40, 151), "centres"),
    (lesson_01.check_picture_shape, (40, 149), "one less"),
    (lesson_01.check_picture_shape, (40, 147), "512"),
    (lesson_01.check_picture_shape, (40, 24_000), "160"),
    (lesson_01.check_picture_shape, (40, 15), "not 100"),
    (lesson_01.check_picture_shape, (40, 1_500), "not one"),
    (lesson_01.check_picture_shape, (128, 150), "one row for each band"),
    (lesson_01.check_picture_shape, 40, "numbers wanted: 2; numbers given: 1"),
    (lesson_01.check_picture_shape, (1, 40, 150), "numbers given: 3"),
    (lesson_01.check_picture_shape, torch.zeros(40, 150), "a list within a list"),  # the picture, not its shape
    (lesson_01.check_quantisation, 48.16, "1.76 dB"),
    (lesson_01.check_quantisation, 98.08, "16 bits"),
    (lesson_01.check_quantisation, 43.9, "7 bits"),
    (lesson_01.check_quantisation, 46.4, "not taken away"),
    (lesson_01.check_quantisation, 51, "each bit"),
    (lesson_01.check_quantisation, float("nan"), "NaN"),
    (lesson_01.check_decibels, lambda ratio: 10 * math.log10(ratio), "for powers"),
    (lesson_01.check_decibels, lambda ratio: 20 * math.log(ratio), "not the natural one"),
    (lesson_01.check_decibels, lambda ratio: 20 * math.log2(ratio), "not to base 2"),
    (lesson_01.check_decibels, lambda ratio: -20 * math.log10(ratio), "sign"),
    (lesson_01.check_decibels, lambda ratio: abs(20 * math.log10(ratio)), "given 0.5, your function gave 6.0206"),
    (lesson_01.check_decibels, lambda ratio: 20 * torch.log10(ratio), "TypeError: log10(): argument 'input'"),
    (lesson_01.check_decibels, 20, "a function is wanted"),
    (lesson_01.check_mel, lambda f: f, "check it at 1,000 Hz"),
    (lesson_01.check_mel, lambda f: 2595 * math.log(1 + f / 700), "not the natural one"),
    (lesson_01.check_mel, lambda f: 1127 * math.log10(1 + f / 700), "1127 goes with"),
    (lesson_01.check_mel, slaney, "Slaney"),
    (lesson_01.check_mel, lambda mel: 700 * (10 ** (mel / 2595) - 1), "way back"),
    (lesson_01.check_mel, lambda f: 2595 * torch.log10(1 + f / 700), "(position 1) must be Tensor, not float"),
    (lesson_01.check_mel, lambda f: 2595 * math.log10(f / 700), "ValueError"),  # 0 Hz has no logarithm
    (lesson_01.check_bits, (90 - 1.76) / 6.02, "bits are whole"),
    (lesson_01.check_bits, 90 / 6.02, "1.76 dB of its own"),
    (lesson_01.check_bits, 14, "not yet 90"),
    (lesson_01.check_bits, 16, "one less"),
    (lesson_01.check_bits, 24, "far fewer"),
    (lesson_01.check_bits, 8, "solve for b"),
    (lesson_01.check_alias_of, lambda f, rate: rate - f, "stays where it is"),
    (lesson_01.check_alias_of, lambda f, rate: abs(rate - f), "stays where it is"),
    (lesson_01.check_alias_of, lambda f, rate: f % rate, "an image below"),
    (lesson_01.check_alias_of, lambda f, rate: min(f, rate / 2), "reflected there"),
    (lesson_01.check_alias_of, lambda f, rate: min(f, rate - f), "right up to the rate"),
    (lesson_01.check_alias_of, lambda f, rate: min(f, abs(rate - f)), "41,000 Hz"),
    (lesson_01.check_alias_of, lambda f, rate: f % (rate / 2), "a mirror"),
    (lesson_01.check_alias_of, lambda f, rate: -heard_as(f, rate), "given 9000, 16000, your function gave -7000"),
    (lesson_01.check_alias_of, lambda f: f, "stopped with TypeError"),
    (lesson_01.check_alias_of, 7000, "a function is wanted"),
]


test_right_answers, test_wrong_answers, test_open_answers = judged(RIGHT, WRONG, CHECKS)


def test_the_file_size_is_that_of_a_file(tmp_path):
    write_audio(tmp_path / "clip.wav", torch.zeros(1, 5 * 44_100), 44_100)
    assert lesson_01.check_file_size((tmp_path / "clip.wav").stat().st_size)


def test_the_picture_shapes_are_those_of_the_feature_and_of_the_frames_on_the_page():
    sound = torch.zeros(24_000)
    assert lesson_01.check_picture_shape(log_mel(sound, 16_000).shape)
    assert lesson_01.check_picture_shape((40, len(sound.unfold(0, 400, 160))))


@pytest.mark.parametrize(("frequency", "rate"), [(9000, 16_000), (17_000, 16_000), (41_000, 16_000), (25_000, 44_100)])
def test_a_tone_has_the_samples_of_its_alias(frequency, rate):
    """The reference of `check_alias_of` against where the Fourier transform of a second of samples has its peak."""
    spectrum = np.abs(np.fft.rfft(np.cos(2 * np.pi * frequency * np.arange(rate) / rate)))
    assert spectrum.argmax() == heard_as(frequency, rate)


def test_fifteen_bits_are_the_first_to_lie_90_db_below():
    """Against the rounding of a sine that no step of the file clips."""
    sine = np.sin(2 * np.pi * 997 * np.arange(44_100) / 44_100)
    noise = {bits: (sine * 2 ** (bits - 1)).round() / 2 ** (bits - 1) - sine for bits in (14, 15)}
    ratios = {bits: 10 * math.log10((sine**2).mean() / (error**2).mean()) for bits, error in noise.items()}
    assert ratios[14] < 90 < ratios[15]
