"""The recorder: probes while a network trains, and what they cost."""

import pytest
import torch
from planted import least_processor_seconds, uneven_envnet
from torch import nn

from envnet_tutorial import probing
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.settings import ENVNET_INPUT


@pytest.fixture
def network():
    return uneven_envnet()


@pytest.mark.parametrize("kind", [EnvNet, PooledNormEnvNet])
def test_recording_every_tenth_step_costs_less_than_a_tenth_of_the_steps(kind):
    network = kind(10)
    recorder = probing.ProbeRecorder(probing.probe_frequencies(96, 50, 7900))
    windows, labels = torch.randn(8, 1, ENVNET_INPUT.num_samples), torch.arange(8)

    def learn():
        nn.functional.cross_entropy(network(windows), labels).backward()

    # A step on 64 windows takes no less than one on 8, and its optimiser comes on top: the true share is smaller.
    assert least_processor_seconds(lambda: recorder.record(0, network)) < least_processor_seconds(learn)
