"""What every test starts from: matplotlib's own settings and no open figure."""

import os
import re
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")

#: Windows neither forks nor limits processes, so what these modules do to their processes cannot be done there.
FORKS = re.compile(r"^\s*(?:import|from) (?:forked|resource|tiny_sets)\b", re.MULTILINE)
if not hasattr(os, "fork"):
    collect_ignore = [
        path.name for path in Path(__file__).parent.glob("test_*.py") if FORKS.search(path.read_text("utf-8"))
    ]


@pytest.fixture
def address(tmp_path):
    """Give an address for pages in the test's folder, where nothing is kept from before."""
    from browsing import served

    with served(tmp_path) as address:
        yield address


@pytest.fixture(autouse=True)
def own_figures():
    """Undo what a test does to matplotlib's settings, so that no other test sees it."""
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def one_thread():
    """Compute on one core: a network as small as the tests' is done before it is shared out."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def torchaudio():
    """Give what the package's own resampling and mel bank are held against; there is none beside the newest torch."""
    return pytest.importorskip("torchaudio")
