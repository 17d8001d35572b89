"""The loss and the loop: the divergence by hand, seeds, callbacks, devices, numbers that are none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import PREPARATION, RATE, RECIPE, TinyNet, tones, train_tiny, weights_of
from torch.nn import functional

from envnet_tutorial import training
from envnet_tutorial.errors import InputError
from envnet_tutorial.training import loop
from envnet_tutorial.training.device import on_device

pytestmark = pytest.mark.usefixtures("one_thread")


def kl_by_hand(scores, targets):
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    terms = np.where(targets > 0, targets * np.log(np.maximum(targets, 1e-30) / probabilities), 0)
    return terms.sum(1).mean()


@pytest.fixture
def scores_and_targets():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(5, 4, generator=generator)
    ratio = torch.tensor([1.0, 0.7, 0.5, 0.2, 0.0])[:, None]
    targets = ratio * functional.one_hot(torch.tensor([0, 1, 2, 3, 0]), 4)
    return scores, targets + (1 - ratio) * functional.one_hot(torch.tensor([1, 2, 3, 0, 2]), 4)


def test_the_loss_is_the_divergence_per_example(scores_and_targets):
    scores, targets = scores_and_targets
    truth = kl_by_hand(scores.numpy(), targets.numpy())
    assert training.kl_loss(scores, targets).item() == pytest.approx(truth, rel=1e-5)
    log_probabilities = functional.log_softmax(scores, dim=1)
    told_logs = functional.kl_div(log_probabilities, targets, reduction="batchmean", log_target=True)
    given_probabilities = functional.kl_div(log_probabilities.exp(), targets, reduction="batchmean")
    per_element = functional.kl_div(log_probabilities, targets, reduction="sum") / targets.numel()
    for buggy in (told_logs, given_probabilities, per_element):
        assert buggy.item() != pytest.approx(truth, rel=0.05)


def test_the_loss_of_a_certain_label_is_the_cross_entropy():
    scores, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    loss = training.kl_loss(scores, functional.one_hot(labels, 4).float())
    torch.testing.assert_close(loss, functional.cross_entropy(scores, labels))


def test_the_network_learns_and_the_history_says_so():
    model, history = train_tiny()
    table = history.epochs
    assert table.epoch.tolist() == [1, 2, 3, 4, 5, 6]
    assert table.loss.iloc[-1] < 0.5 * table.loss.iloc[0]
    assert training.evaluate(model, tones(seed=1), PREPARATION).accuracy > 0.9


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, mix="bc", max_scale=1.25, max_gain_db=6.0, epochs=2)])
def test_the_same_seed_gives_the_same_curve_whatever_was_drawn_before(recipe):
    first, history = train_tiny(recipe, seed=3)
    torch.rand(7)
    second, again = train_tiny(recipe, seed=3)
    other = train_tiny(recipe, seed=4)[0]
    assert torch.equal(weights_of(first), weights_of(second))
    assert history.epochs.loss.tolist() == again.epochs.loss.tolist()
    assert not torch.equal(weights_of(first), weights_of(other))


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_tiny(replace(RECIPE, epochs=1))
    assert torch.equal(torch.rand(3), expected)


class Traveller(TinyNet):
    """Writes down where it is sent; a device without memory would lose its weights, so it goes nowhere."""

    def to(self, device, **options):
        self.journey = [*getattr(self, "journey", []), torch.device(device).type]
        return super().to("cpu", **options)


def test_a_network_comes_home_from_the_device_it_was_on_device(monkeypatch):
    """On a machine with a GPU, what a reader does with a network before a training works after it too."""
    network = Traveller(3)
    with on_device(network, torch.device("cuda")):
        assert network.journey == ["cuda"]
    with pytest.raises(RuntimeError), on_device(network, torch.device("cuda")):
        raise RuntimeError
    training.fit(network, tones(), replace(RECIPE, epochs=1), progress=False)
    training.evaluate(network, tones(), PREPARATION)
    assert network.journey == ["cuda", "cpu"] * 2 + ["cpu", "cpu"] * 2


def test_callbacks_see_every_step_after_it():
    steps, weights = [], []

    def watch(step, model):
        steps.append(step)
        weights.append(model.head[1].weight.detach().clone())

    model = train_tiny(replace(RECIPE, epochs=2), callbacks=[watch])[0]
    assert steps == list(range(1, 11))
    assert torch.equal(weights[-1], model.head[1].weight)
    assert not torch.equal(weights[0], weights[1])


def test_bfloat16_learns_too():
    _, history = train_tiny(replace(RECIPE, precision="bfloat16"))
    assert history.epochs.loss.iloc[-1] < 0.6 * history.epochs.loss.iloc[0]


def test_progress_can_be_shown_and_silenced(capsys):
    train_tiny(replace(RECIPE, epochs=1))
    assert capsys.readouterr() == ("", "")
    training.fit(TinyNet(3), tones(), replace(RECIPE, epochs=2), progress=True)
    printed = "".join(capsys.readouterr())
    assert "epoch    2  loss" in printed and "rate" in printed and "10/10" in printed


def test_after_the_first_epoch_a_long_training_says_how_long_it_will_be(monkeypatch, capsys):
    """Each epoch is made to last 45 s: three more are 2.25 minutes, and after the second nothing is said."""
    epoch = loop.train_epoch
    monkeypatch.setattr(loop, "train_epoch", lambda *given: epoch(*given) | {"seconds": 45.0})
    monkeypatch.setattr(loop, "peak_memory", lambda device: 2.5 * 2**30)
    training.fit(TinyNet(3), tones(), replace(RECIPE, epochs=4), device="cpu", progress=True)
    printed = "".join(capsys.readouterr())
    assert printed.count("about") == 1
    assert "about 2 minutes more for 3 epochs on cpu; 2.5 GiB in use" in printed
    assert printed.index("epoch    1 ") < printed.index("about") < printed.index("epoch    2 ")
    training.fit(TinyNet(3), tones(), replace(RECIPE, epochs=2), device="cpu", progress=True)
    assert "about" not in "".join(capsys.readouterr())  # 45 s more is no long training


def test_a_loss_that_is_no_number_stops_with_a_sentence():
    with pytest.raises(training.TrainingStopped, match="smaller learning rate"):
        train_tiny(replace(RECIPE, learning_rate=1e30))


def test_clips_at_another_rate_and_empty_sets_are_refused():
    clips = tones()
    with pytest.raises(InputError, match="8,000 Hz"):
        train_tiny(clips=replace(clips, sample_rate=RATE + 1))
    with pytest.raises(InputError, match="no clips"):
        training.evaluate(TinyNet(3), clips.select(np.zeros(40, dtype=bool)), PREPARATION)
