"""What the rest of a network listens to: which time steps of its front end's feature map speak for a class (lesson 5).

Two methods. One takes frames away and looks what is lost; the other follows the gradient, which is the first term of a
Taylor series of that loss. Where they agree the network is nearly linear over the gap, where they differ it is not: the
agreement tests that, and not whether either is right.

The quantity is the class's log odds, ``log(p / (1 - p))``, with p the softmax of the class's logit. A logit alone may
fall because all logits fall, as in a quieter window, and nothing is decided by that. The log probability levels off at
0: where a network is certain its gradient vanishes, and all steps would look unimportant. The log odds do neither.
"""

import torch
from torch import Tensor

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.modes import evaluating


def occlusion_importance(
    model: WaveformNetwork, waveform: Tensor, target: int, *, width: int = 5, batch_size: int = 32
) -> Tensor:
    """Measure how much a class's log odds fall when neighbouring steps of the feature map are taken away (lesson 5).

    Parameters
    ----------
    model : WaveformNetwork
        Its modes, statistics, gradients and random numbers stay as they are.
    waveform : Tensor, shape (1, time)
        One mono window of the network's length and rate.
    target : int
        Number of the class.
    width : int, default 5
        Steps that are taken away together; 5 steps of EnvNet are 50 ms.
    batch_size : int, default 32
        Changed feature maps at a time.

    Returns
    -------
    Tensor of float32, shape (frame,)
        Fall of the log odds, on the processor. The value of a step is the mean over all places of the gap that cover
        it; positive where the step speaks for the class, negative where it speaks against.

    Raises
    ------
    ValueError
        If the window, the class or the width does not suit the network.

    Notes
    -----
    The steps are replaced by each row's mean over the window. Zeros would not be silence: batch norm's offset gives
    each row a level of its own even in silence, so a gap of zeros has edges that no sound makes, and the network would
    answer to these. The mean takes away what the steps differ in, and nothing else.

    After M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014,
    doi:10.1007/978-3-319-10590-1_53.
    """
    with evaluating(model):
        features = window_features(model, waveform)  # (1, filter, frame)
        covered = occlusion_masks(features.shape[-1], width).to(features.device)  # (gap, frame)
        after = []
        for piece in covered.split(batch_size):
            changed = torch.where(piece[:, None], features.mean(dim=-1, keepdim=True), features)  # (gap, filter, frame)
            after.append(log_odds(model, changed, target))
        falls = log_odds(model, features, target) - torch.cat(after)  # (gap,)
    cover = covered.to(falls)
    return (falls @ cover / cover.sum(dim=0)).float().cpu()


def gradient_importance(model: WaveformNetwork, waveform: Tensor, target: int) -> Tensor:
    """Measure by the gradient how much each step of the feature map adds to a class's log odds (lesson 5).

    Parameters
    ----------
    model, waveform, target
        As for `occlusion_importance`.

    Returns
    -------
    Tensor of float32, shape (frame,)
        Gradient of the log odds by the features, times the features' distance from each row's mean over the window,
        summed over the filters; on the processor. For a linear read-out these add up to the log odds of the features
        minus those of the row means.

    Raises
    ------
    ValueError
        If the window or the class does not suit the network.

    Notes
    -----
    The gradient is that of K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", ICLR workshop
    2014, arXiv:1312.6034. Times the distance from the row means it is the first-order estimate of what replacing a
    frame by these means would take away, which `occlusion_importance` measures. It asks about small changes only: a
    frame that saturates a unit gets nothing, though to lose it may cost much.
    """
    with evaluating(model):
        features = window_features(model, waveform)
        distance = features - features.mean(dim=-1, keepdim=True)
        with torch.enable_grad():
            leaf = features.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(log_odds(model, leaf, target).sum(), leaf)  # (1, filter, frame)
    return (gradient * distance).sum(dim=(0, 1)).float().cpu()


def window_features(model: WaveformNetwork, waveform: Tensor) -> Tensor:
    """Compute a window's features (1, filter, frame), on the network's device.

    Raises
    ------
    ValueError
        If the waveform is not one mono window of the network's length.
    """
    num_samples = model.input_format.num_samples
    if tuple(waveform.shape) != (1, num_samples):
        raise ValueError(
            f"{type(model).__name__} listens to one window of shape (1, {num_samples}); got {tuple(waveform.shape)}"
        )
    return model.window_features(waveform.to(next(model.parameters()))[None])


def log_odds(model: WaveformNetwork, features: Tensor, target: int) -> Tensor:
    """Compute a class's log odds (batch,) from features (batch, filter, frame).

    Raises
    ------
    ValueError
        If there is no such class, or no other class that it could be told from.
    """
    logits = model.classify(features)  # (batch, class)
    num_classes = logits.shape[1]
    if num_classes < 2 or not 0 <= target < num_classes:
        raise ValueError(f"target must be one of at least 2 classes, 0 to {num_classes - 1}; got {target}")
    others = torch.arange(num_classes, device=logits.device) != target
    return logits[:, target] - logits[:, others].logsumexp(dim=1)


def occlusion_masks(frames: int, width: int) -> Tensor:
    """Mark which steps each place of a gap covers: bool, shape (frames - width + 1, frames).

    Raises
    ------
    ValueError
        If the gap is empty, or would take away the whole feature map.
    """
    if not 1 <= width < frames:
        raise ValueError(f"width must be 1 to {frames - 1} steps of the feature map's {frames}; got {width}")
    offset = torch.arange(frames) - torch.arange(frames - width + 1)[:, None]
    return (offset >= 0) & (offset < width)
