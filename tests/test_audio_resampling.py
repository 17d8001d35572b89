"""The rate of a sound changed, held against torchaudio and against tones."""

import math

import pytest
import torch
from tiny_sets import wav_bytes

from envnet_tutorial.audio import level, load_audio, resample
from envnet_tutorial.audio import resampling as resampling_module
from envnet_tutorial.errors import InputError

RATES = (8_000, 11_024, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("source_rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_rate_conversion_is_bit_by_bit_torchaudios(source_rate, rate, torchaudio):
    content = wav_bytes(5, 0.2, source_rate, channels=2)
    waveform, found = load_audio(content, sample_rate=rate)
    assert found == rate
    expected = torchaudio.functional.resample(load_audio(content)[0], source_rate, rate)
    assert torch.equal(waveform, expected.clamp(-1, 1))


@pytest.mark.parametrize("shape", [(400,), (2, 3, 400), (1, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_shape_and_precision_are_bit_by_bit_torchaudios(shape, dtype, torchaudio):
    signal = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(2))
    for rates in [(44_100, 16_000), (16_000, 44_100), (3, 1)]:
        assert torch.equal(resample(signal, *rates), torchaudio.functional.resample(signal, *rates))


@pytest.mark.parametrize("rates", [(441, 160), (160, 441), (7, 5), (1000, 689), (3, 1)])
def test_pointwise_filter_agrees_with_the_table(rates):
    signal = torch.randn(2, 4_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    table = resample(signal, *rates)
    pointwise = resampling_module._resample_pointwise(signal, *rates)
    assert pointwise.shape == table.shape
    torch.testing.assert_close(pointwise, table, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("source_rate", "rate"), [(11_024, 16_000), (11_024, 44_100), (192_000, 44_100)])
def test_odd_rates_keep_a_tone_where_it_is(source_rate, rate):
    tone = torch.sin(2 * math.pi * 1_000 * torch.arange(source_rate) / source_rate)[None]
    expected = torch.sin(2 * math.pi * 1_000 * torch.arange(rate) / rate)
    torch.testing.assert_close(resample(tone, source_rate, rate)[0, 500:-500], expected[500:-500], rtol=0, atol=4e-3)


def test_rates_without_a_common_factor_cost_little_memory():
    tone = torch.sin(2 * math.pi * 440 * torch.arange(44_099) / 44_099)[None]
    converted = resample(tone, 44_099, 16_000)
    assert converted.shape == (1, 16_000)
    expected = torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000)
    torch.testing.assert_close(converted[0, 100:-100], expected[100:-100], rtol=0, atol=2e-3)
    with pytest.raises(InputError, match="too many to convert"):
        resample(tone, 1, 2_000_000_000)
    with pytest.raises(InputError, match="at least 1 Hz"):
        resample(tone, 44_100, 0)


def test_five_seconds_at_any_usual_rate_become_exactly_five_seconds():
    for rate in RATES:
        assert resample(torch.zeros(1, 5 * rate), rate, 16_000).shape == (1, 80_000)


def test_what_is_beyond_the_new_nyquist_frequency_is_gone():
    high = torch.sin(2 * math.pi * 12_000 * torch.arange(44_100) / 44_100)[None]
    low = torch.sin(2 * math.pi * 1_000 * torch.arange(44_100) / 44_100)[None]
    assert level(resample(high, 44_100, 16_000)[:, 100:-100]) < -40
    assert level(resample(low, 44_100, 16_000)[:, 100:-100]) == pytest.approx(level(low), abs=0.05)
