"""Training and testing against independent truths, and against the bugs that public ports of EnvNet have."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import RATE, RECIPE, TinyNet, tones, weights_of
from torch import nn
from torch.nn import functional

from envnet_tutorial import augment, training
from envnet_tutorial.datasets.clips import ClipArray
from envnet_tutorial.errors import InputError
from envnet_tutorial.settings import InputFormat
from envnet_tutorial.training import batches
from envnet_tutorial.training.recipe import FAST, PAPER, SHORT
from envnet_tutorial.training.runtime import lent_to


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute on one core: a network this small is done before it is shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train_tiny(recipe=RECIPE, seed=0, clips=None, **options):
    model = training.build_model(TinyNet, 3, seed=seed)
    history = training.fit(model, tones() if clips is None else clips, recipe, seed=seed, progress=False, **options)
    return model, history


# ---------------------------------------------------------------------------------------------- recipes and schedules


def test_the_paper_recipe_is_the_papers():
    assert (PAPER.epochs, PAPER.between_class().epochs, PAPER.batch_size) == (600, 1_200, 64)
    assert (PAPER.learning_rate, PAPER.momentum, PAPER.weight_decay) == (0.01, 0.9, 5e-4)
    rates = [PAPER.learning_rate_at(epoch / 600) for epoch in (0, 299, 300, 449, 450, 599)]
    np.testing.assert_allclose(rates, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4])
    assert (PAPER.strong().max_scale, PAPER.strong().max_gain_db) == (1.25, 6)


@pytest.mark.parametrize("recipe", [SHORT, FAST], ids=lambda recipe: recipe.name)
def test_one_cycle_agrees_with_torchs(recipe):
    steps = 2_000
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=recipe.warmup, cycle_momentum=False
    )
    ours, theirs = [], []
    for step in range(steps):
        ours.append(recipe.learning_rate_at(step / steps))
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    np.testing.assert_allclose(ours, theirs, atol=0.015 * recipe.learning_rate)  # they count to steps - 1


def test_a_wrong_recipe_is_refused():
    for field, value in {
        "schedule": "cosine",
        "mix": "mixup",
        "precision": "half",
        "epochs": 0,
        "label_smoothing": 1,
        "compression_ratio": 0.5,
    }.items():
        with pytest.raises(ValueError, match=field):
            replace(FAST, **{field: value})


def rates_of(history):
    return history.epochs["learning_rate"].to_numpy()


def test_the_scheduler_is_stepped(monkeypatch):
    recipe = replace(RECIPE, schedule="steps", epochs=4, learning_rate=0.01, warmup=0.0)
    assert_falls = lambda history: np.testing.assert_allclose(rates_of(history), [1e-2, 1e-2, 1e-3, 1e-4])  # noqa: E731
    assert_falls(train_tiny(recipe)[1])

    class NeverStepped(torch.optim.lr_scheduler.LambdaLR):  # the bug
        def step(self, epoch=None):
            if self.last_epoch < 0:
                super().step(epoch)

    monkeypatch.setattr(torch.optim.lr_scheduler, "LambdaLR", NeverStepped)
    with pytest.raises(AssertionError):
        assert_falls(train_tiny(recipe)[1])


def test_the_optimizer_is_nesterovs():
    """Two steps on a parabola, against the update written out."""
    parameter = nn.Parameter(torch.tensor([2.0]))
    recipe = replace(RECIPE, schedule="steps", milestones=(), learning_rate=0.1, weight_decay=0.01, warmup=0.0)
    module = nn.Module()
    module.register_parameter("weight", parameter)
    optimizer, scheduler = training.make_optimizer(module, recipe, 10)
    value, velocity = 2.0, 0.0
    for _ in range(2):
        optimizer.zero_grad()
        parameter.square().sum().backward()
        optimizer.step()
        scheduler.step()
        gradient = 2 * value + 0.01 * value
        velocity = 0.9 * velocity + gradient
        value -= 0.1 * (gradient + 0.9 * velocity)
        assert parameter.item() == pytest.approx(value, rel=1e-6)


# --------------------------------------------------------------------------------------------------------- the loss


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


# ------------------------------------------------------------------------------------------------------- the batches


def device_clips(clips):
    return batches.DeviceClips.load(clips, torch.device("cpu"))


def test_an_epoch_shows_every_clip_once():
    clips = device_clips(tones(num_clips=21))
    rows = list(batches.epoch_rows(clips, RECIPE, torch.Generator().manual_seed(0)))
    assert [len(batch[0]) for batch in rows] == [8, 8, 5]
    assert sorted(torch.cat([batch[0] for batch in rows]).tolist()) == list(range(21))


class Mixture:
    """Records what `augment.mix` was given while a batch is drawn."""

    def __init__(self):
        self.lengths = []

    def __call__(self, first, second, ratio, sample_rate):
        self.lengths.append(first.shape[1])
        self.ratio = ratio
        return augment_mix(first, second, ratio, sample_rate)


augment_mix = augment.mix


def test_clips_are_cropped_before_they_are_mixed_and_labels_follow_the_ratio(monkeypatch):
    clips, recipe = device_clips(tones()), replace(RECIPE, mix="bc", max_scale=1.25, max_gain_db=6)
    monkeypatch.setattr(augment, "mix", mixture := Mixture())
    generator = torch.Generator().manual_seed(0)
    for first, second in batches.epoch_rows(clips, recipe, generator):
        waveforms, targets = batches.draw_batch(clips, (first, second), recipe, TinyNet.input_format, generator)
        assert waveforms.shape == (8, 1, 2_400)
        expected = torch.zeros(8, 3)
        expected[torch.arange(8), clips.labels[first]] = mixture.ratio
        expected[torch.arange(8), clips.labels[second]] = 1 - mixture.ratio
        torch.testing.assert_close(targets, expected)
    assert mixture.lengths == [2_400] * 5  # mixing before cropping would see 8,000


@pytest.mark.parametrize("mix", ["none", "bc"])
def test_compression_is_the_last_that_happens_to_a_batch(mix):
    clips, recipe = device_clips(tones()), replace(RECIPE, mix=mix, max_gain_db=6, compression_ratio=np.inf)
    generator = torch.Generator().manual_seed(0)
    rows = next(iter(batches.epoch_rows(clips, recipe, generator)))
    waveforms, _ = batches.draw_batch(clips, rows, recipe, TinyNet.input_format, generator)
    levels = 20 * waveforms.square().mean(dim=2).sqrt().log10()
    torch.testing.assert_close(levels, torch.full_like(levels, -20), rtol=0, atol=1e-3)


def test_polarity_changes_the_sign_of_some_of_a_batch_and_nothing_else():
    clips, rows = device_clips(tones()), (torch.arange(8),)
    plain, turned = (
        batches.draw_batch(
            clips,
            rows,
            replace(RECIPE, random_polarity=polarity),
            TinyNet.input_format,
            torch.Generator().manual_seed(0),
        )[0]
        for polarity in (False, True)
    )
    same, opposite = (plain == turned).all(dim=2), (plain == -turned).all(dim=2)
    assert bool((same | opposite).all()) and bool(same.any()) and bool(opposite.any())


def test_smoothed_labels_give_torchs_smoothed_cross_entropy_up_to_their_own_entropy():
    clips, recipe = device_clips(tones()), replace(RECIPE, label_smoothing=0.1)
    rows, generator = torch.arange(8), torch.Generator().manual_seed(0)
    targets = batches.draw_batch(clips, (rows,), recipe, TinyNet.input_format, generator)[1]
    scores = torch.randn(8, 3, generator=generator)
    entropy = torch.special.entr(targets).sum(dim=1).mean()
    truth = torch.nn.functional.cross_entropy(scores, clips.labels[rows], label_smoothing=0.1)
    torch.testing.assert_close(training.kl_loss(scores, targets) + entropy, truth)


# -------------------------------------------------------------------------------------------------------- the loop


def test_the_network_learns_and_the_history_says_so():
    model, history = train_tiny()
    table = history.epochs
    assert table.epoch.tolist() == [1, 2, 3, 4, 5, 6]
    assert table.loss.iloc[-1] < 0.5 * table.loss.iloc[0]
    assert training.evaluate(model, tones(seed=1)).accuracy > 0.9


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


def test_a_network_comes_home_from_the_device_it_was_lent_to(monkeypatch):
    """On a machine with a GPU, what a reader does with a network before a training works after it too."""
    network = Traveller(3)
    with lent_to(network, torch.device("cuda")):
        assert network.journey == ["cuda"]
    with pytest.raises(RuntimeError), lent_to(network, torch.device("cuda")):
        raise RuntimeError
    training.fit(network, tones(), replace(RECIPE, epochs=1), progress=False)
    training.evaluate(network, tones())
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


def test_a_loss_that_is_no_number_stops_with_a_sentence():
    with pytest.raises(training.TrainingStopped, match="smaller learning rate"):
        train_tiny(replace(RECIPE, learning_rate=1e30))


def test_clips_at_another_rate_and_empty_sets_are_refused():
    clips = tones()
    with pytest.raises(InputError, match="8,000 Hz"):
        train_tiny(clips=replace(clips, sample_rate=RATE + 1))
    with pytest.raises(InputError, match="no clips"):
        training.evaluate(TinyNet(3), clips.select(np.zeros(40, dtype=bool)))


# ------------------------------------------------------------------------------------------------------- evaluation


class Listener(nn.Module):
    """Scores that say how loud each window is, in a network without weights."""

    input_format = InputFormat(sample_rate=RATE, num_samples=600)

    def forward(self, waveform):
        loud = waveform.square().mean(dim=(1, 2)) * 8
        return torch.stack([loud, 1.0 - loud, 0.2 * torch.ones_like(loud)], dim=1)


def loud_and_silent(length=2_000):
    """Two clips with sound in one place, one loud throughout, one silent."""
    samples = np.zeros((4, length), dtype=np.int16)
    random = np.random.default_rng(0)
    samples[0, 500:900] = random.integers(-30_000, 30_000, 400)
    samples[1, 1_000:1_100] = random.integers(-9_000, 9_000, 100)
    samples[2] = random.integers(-30_000, 30_000, length)
    names = np.array(list("abcd"))
    return ClipArray(samples, np.array([0, 1, 0, 1]), np.ones(4, int), names, names, ("x", "y", "z"), RATE)


def slow_scores(samples, trim, ratio=1.0):
    """Ten windows, one clip at a time."""
    clips = []
    for clip in samples.astype(np.float64) / 32_768:
        sounding = np.flatnonzero(clip)
        if trim and sounding.size:
            clip = clip[sounding[0] : sounding[-1] + 1]
        padded = np.pad(clip, 300)
        stride = (len(padded) - 600) // 9
        windows = np.stack([padded[i * stride : i * stride + 600] for i in range(10)])
        level = 10 * np.log10(np.maximum((windows**2).mean(1), 1e-6))
        windows = windows * 10 ** ((-20 + (level + 20) / ratio - level) / 20)[:, None]
        loud = (windows**2).mean(1) * 8
        clips.append(np.stack([loud, 1 - loud, 0.2 * np.ones(10)], axis=1))
    return np.stack(clips)  # (clip, window, class)


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


@pytest.mark.parametrize("trim", [True, False])
def test_evaluation_agrees_with_a_slow_one_and_not_with_its_buggy_versions(trim):
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips, preparation=training.Preparation(trim), batch_size=3)
    scores = slow_scores(clips.samples, trim)
    np.testing.assert_allclose(found.probabilities, softmax(scores).mean(1), atol=1e-5)
    logits_averaged = softmax(scores.mean(1))
    loud_enough = (scores[..., 0] > 1e-3)[..., None]
    quiet_dropped = (softmax(scores) * loud_enough).sum(1) / np.maximum(loud_enough.sum(1), 1)
    for buggy in (logits_averaged, quiet_dropped):
        assert np.abs(found.probabilities - buggy).max() > 0.01


@pytest.mark.parametrize("ratio", [1.5, 2.5, np.inf])
def test_evaluation_compresses_levels_as_training_did(ratio):
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips, preparation=training.Preparation(compression_ratio=ratio))
    expected = softmax(slow_scores(clips.samples, True, ratio)).mean(1)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert np.abs(training.evaluate(Listener(), clips).probabilities - expected).max() > 0.01


def test_a_silent_clip_stays_in_the_denominator():
    clips = loud_and_silent()
    found = training.evaluate(Listener(), clips)
    assert found.probabilities.shape == (4, 3)
    assert found.confusion.sum() == 4
    np.testing.assert_allclose(found.probabilities[3], softmax(np.array([0, 1, 0.2])), atol=1e-6)
    assert found.accuracy == (found.predictions == clips.labels).sum() / 4


def test_rows_of_the_confusion_matrix_are_the_truth():
    labels, predictions = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2])
    truth = [[1, 2, 0], [0, 1, 0], [1, 0, 1]]
    found = training.confusion_matrix(labels, predictions, 3)
    assert found.tolist() == truth
    assert found.sum(axis=1).tolist() == np.bincount(labels).tolist()
    transposed = training.confusion_matrix(predictions, labels, 3)  # the bug
    assert transposed.tolist() != truth


def test_evaluation_leaves_the_network_in_its_mode_and_unchanged():
    model = training.build_model(TinyNet, 3, seed=0).train()
    before = weights_of(model)
    first = training.evaluate(model, tones()).probabilities
    assert model.training and torch.equal(weights_of(model), before)
    np.testing.assert_array_equal(first, training.evaluate(model, tones()).probabilities)


# ------------------------------------------------------------------------------------------------------------ folds


def test_a_network_that_was_tested_can_be_trained():
    clips, model = tones(), TinyNet(3)
    training.evaluate(model, clips)
    history = training.fit(model, clips, replace(RECIPE, epochs=1), progress=False)
    assert np.isfinite(history.epochs.loss[0])


def test_the_last_epoch_is_reported_and_the_test_fold_is_seen_once(monkeypatch):
    clips, recipe = tones(), replace(RECIPE, epochs=4)
    tested = []
    evaluate = training.folds.evaluate
    monkeypatch.setattr(
        training.folds, "evaluate", lambda model, test, **o: tested.append(test) or evaluate(model, test, **o)
    )
    trained_on = []
    fit = training.folds.fit
    monkeypatch.setattr(
        training.folds, "fit", lambda model, train, *a, **o: trained_on.append(train) or fit(model, train, *a, **o)
    )
    results = list(training.k_fold(TinyNet, clips, recipe, seed=2, progress=False))
    assert [result.fold for result in results] == [1, 2]
    for result, train, test in zip(results, trained_on, tested, strict=True):
        assert set(test.folds) == {result.fold} and result.fold not in train.folds
        last = training.evaluate(result.model, test)
        np.testing.assert_array_equal(result.evaluation.probabilities, last.probabilities)
    assert len(tested) == 2  # choosing the best epoch needs a test after each


def test_the_accuracy_of_the_best_epoch_on_the_test_fold_is_not_what_is_reported():
    """On labels that mean nothing, the best epoch promises more than the last, which is what `k_fold` reports."""
    best, last = [], []
    for seed in (0, 1):
        clips = replace(tones(num_clips=90), labels=np.random.default_rng(seed).integers(0, 3, 90))
        recipe = replace(RECIPE, epochs=8, schedule="steps", milestones=(), learning_rate=0.1)
        for fold in (1, 2):
            curve, test = [], clips.split(fold)[1]
            note = lambda step, model: step % 6 == 0 and curve.append(training.evaluate(model, test))  # noqa: B023, E731
            (result,) = training.k_fold(TinyNet, clips, recipe, folds=[fold], progress=False, callbacks=[note])
            np.testing.assert_array_equal(result.evaluation.probabilities, curve[-1].probabilities)
            best.append(max(evaluation.accuracy for evaluation in curve))
            last.append(result.evaluation.accuracy)
    assert np.mean(best) > np.mean(last)


def test_a_first_network_follows_from_its_seed():
    first, again, other = (weights_of(training.build_model(TinyNet, 3, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
