"""What the rest of a network listens to: which time steps of its front end's picture speak for a class (lesson 5).

Two methods that share nothing but the quantity they explain. One takes steps away and looks what is lost, the other
follows the gradient. Where they agree, the picture is not an artefact of either.

The quantity is the class's log odds, ``log(p / (1 - p))``, with p the softmax of the class's score. A score alone may
fall because all scores fall, as in a quieter window, and nothing is decided by that. The log probability levels off at
0: where a network is certain its gradient vanishes, and all steps would look unimportant. The log odds do neither.
"""

import torch
from torch import Tensor, nn

from envnet_tutorial.probing.responses import undisturbed


def occlusion_importance(
    model: nn.Module, waveform: Tensor, target: int, *, width: int = 5, batch_size: int = 32
) -> Tensor:
    """Measure how much a class's log odds fall when neighbouring steps of the picture are taken away (lesson 5).

    Parameters
    ----------
    model : nn.Module
        A network with ``frontend``, ``classifier`` and ``input_format``, such as `EnvNet`. Its modes, statistics,
        gradients and random numbers stay as they are.
    waveform : Tensor, shape (1, time)
        One mono window of the network's length and rate.
    target : int
        Number of the class.
    width : int, default 5
        Steps that are taken away together; 5 steps of EnvNet are 50 ms.
    batch_size : int, default 32
        Changed pictures at a time.

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
    with undisturbed(model):
        picture = picture_of(model, waveform)  # (1, filter, frame)
        covered = gaps(picture.shape[-1], width).to(picture.device)  # (gap, frame)
        after = []
        for piece in covered.split(batch_size):
            changed = torch.where(piece[:, None], picture.mean(dim=-1, keepdim=True), picture)  # (gap, filter, frame)
            after.append(log_odds(model, changed, target))
        falls = log_odds(model, picture, target) - torch.cat(after)  # (gap,)
    cover = covered.to(falls)
    return (falls @ cover / cover.sum(dim=0)).float().cpu()


def gradient_importance(model: nn.Module, waveform: Tensor, target: int) -> Tensor:
    """Measure by the gradient how much each step of the picture adds to a class's log odds (lesson 5).

    Parameters
    ----------
    model, waveform, target
        As for `occlusion_importance`.

    Returns
    -------
    Tensor of float32, shape (frame,)
        Gradient of the log odds by the picture, times the picture's distance from each row's mean over the window,
        summed over the filters; on the processor. For a linear read-out these add up to the log odds of the picture
        minus those of the row means.

    Raises
    ------
    ValueError
        If the window or the class does not suit the network.

    Notes
    -----
    The gradient is that of K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", ICLR workshop
    2014, arXiv:1312.6034; its product with the distance from a reference that of A. Shrikumar, P. Greenside,
    A. Kundaje, "Learning important features through propagating activation differences", ICML 2017, arXiv:1704.02685.
    It asks about small changes only: a step that saturates a unit gets nothing, though to lose it may cost much.
    """
    with undisturbed(model):
        picture = picture_of(model, waveform)
        distance = picture - picture.mean(dim=-1, keepdim=True)
        with torch.enable_grad():
            leaf = picture.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(log_odds(model, leaf, target).sum(), leaf)  # (1, filter, frame)
    return (gradient * distance).sum(dim=(0, 1)).float().cpu()


def picture_of(model: nn.Module, waveform: Tensor) -> Tensor:
    """Compute a window's picture (1, filter, frame), on the network's device.

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
    return model.frontend(waveform.to(next(model.parameters()))[None])


def log_odds(model: nn.Module, pictures: Tensor, target: int) -> Tensor:
    """Compute a class's log odds (batch,) from pictures (batch, filter, frame).

    Raises
    ------
    ValueError
        If there is no such class, or no other class that it could be told from.
    """
    scores = model.classifier(pictures.unsqueeze(1))  # (batch, class)
    num_classes = scores.shape[1]
    if num_classes < 2 or not 0 <= target < num_classes:
        raise ValueError(f"target must be one of at least 2 classes, 0 to {num_classes - 1}; got {target}")
    others = torch.arange(num_classes, device=scores.device) != target
    return scores[:, target] - scores[:, others].logsumexp(dim=1)


def gaps(frames: int, width: int) -> Tensor:
    """Mark which steps each place of a gap covers: bool, shape (frames - width + 1, frames).

    Raises
    ------
    ValueError
        If the gap is empty, or would take away the whole picture.
    """
    if not 1 <= width < frames:
        raise ValueError(f"width must be 1 to {frames - 1} steps of the picture's {frames}; got {width}")
    offset = torch.arange(frames) - torch.arange(frames - width + 1)[:, None]
    return (offset >= 0) & (offset < width)
