"""How well a network's features keep classes apart, and a plane on which to look at them (lesson 6).

R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7(2), 1936,
doi:10.1111/j.1469-1809.1936.tb02137.x.
"""

import torch
from torch import Tensor, nn

from envnet_tutorial.models.base import WaveformNetwork
from envnet_tutorial.modes import evaluating


def features_before(model: WaveformNetwork, layer: nn.Module, waveforms: Tensor, *, batch_size: int = 32) -> Tensor:
    """Compute what reaches one layer of a network, such as its last: the features that it decides by (lesson 6).

    Parameters
    ----------
    model : WaveformNetwork
        Its modes stay as they are, and its dropout is off.
    layer : nn.Module
        A layer of the network, which each window passes once.
    waveforms : Tensor of float32, shape (window, time)
        Mono windows at the rate and of the length of the network.
    batch_size : int, default 32
        Windows at a time.

    Returns
    -------
    Tensor of float32, shape (window, feature)

    Raises
    ------
    ValueError
        If nothing passes the layer: it belongs to another network.
    """
    caught = []
    handle = layer.register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0].flatten(1)))
    try:
        with evaluating(model):
            for piece in waveforms.split(batch_size):
                model(piece.unsqueeze(1))
    finally:
        handle.remove()
    if not caught:
        raise ValueError(f"nothing of this network passes the layer {layer}")
    return torch.cat(caught)


def fisher_ratio(features: Tensor, labels: Tensor) -> float:
    """Measure how far classes lie apart, compared to how wide each of them is (lesson 6).

    Parameters
    ----------
    features : Tensor, shape (window, feature)
    labels : Tensor of int64, shape (window,)

    Returns
    -------
    float
        Trace of the between-class scatter over that of the within-class scatter: 0 where all classes have one mean,
        infinite where each is a point. Moving, turning or scaling the whole space does not change it. Even classes
        without any difference have about (classes - 1) / (windows - classes), by chance.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or labels for other than all windows.
    """
    between, within = scatters(features, labels)
    return float(between.square().sum() / within.square().sum())


def scatters(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Split the deviations from the overall mean into those of the class means and those from the class means.

    Returns
    -------
    between, within : Tensor of float64, shape (window, feature)
        For each window, its class's mean less that of all, and itself less its class's mean. A scatter matrix is
        ``between.T @ between``; what is wanted of it rarely needs the matrix.

    Raises
    ------
    ValueError
        As `fisher_ratio`.
    """
    classes, place = labels.unique(return_inverse=True)
    if len(features) != len(labels) or len(classes) < 2:
        raise ValueError(f"two classes or more are needed, and a label a window; got {len(classes)} classes")
    member = nn.functional.one_hot(place, len(classes)).double()  # (window, class)
    values = features.double()
    means = member.T @ values / member.sum(dim=0)[:, None]  # (class, feature)
    return means[place] - values.mean(dim=0), values - means[place]


def discriminant_axes(features: Tensor, labels: Tensor, count: int = 2, *, shrinkage: float = 0.1) -> Tensor:
    """Find the directions along which classes lie farthest apart for their width: Fisher's discriminants (lesson 6).

    Parameters
    ----------
    features : Tensor, shape (window, feature)
        Take other windows than those to be shown: with more features than windows there is always a plane on which
        the windows that it was fitted to fall into classes, whatever the labels are.
    labels : Tensor of int64, shape (window,)
    count : int, default 2
        How many directions, the best one first; at most one fewer than there are classes.
    shrinkage : float, default 0.1
        Share of the within-class scatter that is spread evenly over all directions that the windows reach. Without
        it, a direction in which no window happens to stray would count as perfect.

    Returns
    -------
    Tensor of float64, shape (feature, count)
        ``features @ axes`` is the projection. Along each axis the within-class scatter, shrunk as said, is 1 a window.

    Raises
    ------
    ValueError
        As `fisher_ratio`, or if there are not so many directions.
    """
    between, within = scatters(features, labels)
    if not 1 <= count < len(labels.unique()):
        raise ValueError(f"{len(labels.unique())} classes have fewer than {count} directions between them")
    reached = (between + within).T  # (feature, window)
    basis, size, _ = torch.linalg.svd(reached, full_matrices=False)
    basis = basis[:, size > 1e-9 * size[0]]  # (feature, rank)
    low, spread = between @ basis, within @ basis
    scatter = spread.T @ spread / len(labels)
    even = scatter.trace() / len(scatter) * torch.eye(len(scatter), dtype=scatter.dtype, device=scatter.device)
    whiten = torch.linalg.inv(torch.linalg.cholesky((1 - shrinkage) * scatter + shrinkage * even)).T
    _, _, directions = torch.linalg.svd(low @ whiten, full_matrices=False)  # rows, the largest first
    return basis @ whiten @ directions[:count].T
