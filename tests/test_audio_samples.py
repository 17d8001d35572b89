"""Samples as 16-bit integers and as floats."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from envnet_tutorial.audio import to_int16
from envnet_tutorial.audio.samples import as_int16
from envnet_tutorial.errors import InputError


@settings(max_examples=100, deadline=None)
@given(npst.arrays(np.float32, st.integers(1, 200), elements=st.floats(-4, 4, width=32)))
def test_int16_rounds_to_the_nearest_and_never_wraps(samples):
    found = to_int16(samples)
    assert found.dtype == np.int16 and found.shape == samples.shape
    exact = samples.astype(np.float64) * 32_768
    inside = np.abs(samples) < 1
    assert np.abs(found[inside] - exact[inside].clip(-32_768, 32_767)).max(initial=0) <= 0.5
    assert (np.sign(found[~inside]) == np.sign(samples[~inside])).all()
    assert set(found[~inside].tolist()) <= {-32_768, 32_767}


def test_sixteen_bits_stay_and_floats_are_rounded():
    samples = np.array([-32_768, 5, 32_767], dtype=np.int16)
    assert as_int16(samples) is samples
    assert as_int16(torch.tensor([-1.0, 0.5])).tolist() == [-32_768, 16_384]


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (np.array([1000, -1000]), "not torch.int64"),
        (torch.tensor([1, 2], dtype=torch.int32), "not torch.int32"),
        (np.array([0.0, np.nan]), "not numbers"),
        (np.array([0.0, -np.inf]), "not numbers"),
    ],
)
def test_what_would_be_misread_is_refused(samples, complaint):
    with pytest.raises(InputError, match=complaint):
        as_int16(samples)
