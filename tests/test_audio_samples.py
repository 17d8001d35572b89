"""Samples as 16-bit integers and as floats."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from envnet_tutorial.audio import to_int16


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
