"""A compact network laid out for the page, which names with it what the reader says (lesson 5, front page)."""

import base64
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from envnet_tutorial.models.compact import CompactPooledNorm, InvertedResidual, MeanAndMax
from envnet_tutorial.models.folding import fold_norm
from envnet_tutorial.models.layers import ConvBlock
from envnet_tutorial.models.pooled_norm import PooledNormFeatures
from envnet_tutorial.pretrained import TRUST, Pretrained, naming_rule


def naming_settings(pretrained: Pretrained, fold: int) -> dict:
    """Return what the page needs to name a sound: a network, its classes, and when it may say one (lesson 5).

    Parameters
    ----------
    pretrained : Pretrained
    fold : int
        Whose network, by the fold that it has not heard.

    Returns
    -------
    dict
        `layout` of the network; classes; threshold; measured and details, what its answers were worth on clips that
        it had not heard, in one sentence and in several.
    """
    rule, tests = naming_rule(pretrained.result.tables["clips"]), pretrained.tests()
    network, right = pretrained.network(fold), int(tests["correct_window"].sum())
    weights = sum(parameter.numel() for parameter in network.parameters())
    measured = f"Measured: right for {percent(right, rule.clips)} of the 1.5 s sounds that were new to it."
    details = (
        f"The network that names has {weights:,} weights and knows {len(pretrained.classes)} classes. Its measure is "
        f"the loudest 1.5 s of {rule.clips:,} clips, each heard by a network of this kind to which it was new: "
        f"{right:,} right. A name is given from {100 * rule.threshold:.0f}\N{NO-BREAK SPACE}% on, chosen so that "
        f"{100 * TRUST:.0f}\N{NO-BREAK SPACE}% of the names are right; on recordings on which it was not chosen, "
        f"{rule.named:,} clips got a name, and {percent(rule.right, rule.named)} of these were right. What it says to "
        f"sounds of no class was not measured. {pretrained.origin()}"
    )
    classes = [name.replace("_", " ") for name in pretrained.classes]
    return layout(network) | {
        "classes": classes,
        "threshold": rule.threshold,
        "measured": measured,
        "details": details,
    }


def percent(part: int, whole: int) -> str:
    """Write a share as a whole number of per cent."""
    return f"{100 * part / max(1, whole):.0f}\N{NO-BREAK SPACE}%"


def layout(network: CompactPooledNorm) -> dict:
    """Lay a compact network in eval mode out as the page reads it.

    Returns
    -------
    dict
        ``frontEnd``, as `front_end_weights`; ``layers``, in their order; ``weights`` of them, in 16 bits, which is what
        pretrained networks have; ``rest``, in float32: a scale and an offset for each channel that is normalised, and
        the offsets of the classes. All numbers are in base64.
    """
    layers, weights, rest = [], [], []
    for layer, weight, more in steps(network.classifier):
        layers.append(layer)
        weights += weight
        rest += more
    return {
        "frontEnd": pack(front_end_weights(network.feature_conv)),
        "filters": 40,
        "taps": 8,
        "hop": network.hop,
        "layers": layers,
        "weights": pack(torch.cat([weight.flatten() for weight in weights]), "<f2"),
        "rest": pack(torch.cat(rest)),
    }


def steps(module: nn.Module) -> Iterator[tuple[dict, list[Tensor], list[Tensor]]]:
    """Yield the layers of a classifier in their order: what each is, its weights, its scales and offsets.

    Raises
    ------
    TypeError
        If the page does not know a layer.
    """
    match module:
        case nn.Sequential():
            for child in module:
                yield from steps(child)
        case ConvBlock():
            yield conv_step(*module.module[:2], relu=True)
        case InvertedResidual():
            if module.add is not None:
                yield {"kind": "keep"}, [], []
            yield from steps(module.expand)
            yield from steps(module.depthwise)
            yield conv_step(module.project, module.norm, relu=False)
            if module.add is not None:
                yield {"kind": "add"}, [], []
        case nn.MaxPool2d():
            yield {"kind": "pool"}, [], []
        case MeanAndMax():
            yield {"kind": "ends"}, [], []
        case nn.Linear():
            shape = {"in": module.in_features, "out": module.out_features}
            yield {"kind": "linear", **shape}, [module.weight], [module.bias]
        case nn.Flatten() | nn.Dropout():  # nothing to compute in eval mode
            return
        case _:
            raise TypeError(f"the page cannot compute a {type(module).__name__}")


def conv_step(conv: nn.Conv2d, norm: nn.BatchNorm2d, *, relu: bool) -> tuple[dict, list[Tensor], list[Tensor]]:
    """Return a convolution with its batch norm as one step of the page."""
    layer = {
        "kind": "conv",
        "in": conv.in_channels,
        "out": conv.out_channels,
        "size": conv.kernel_size[0],
        "stride": conv.stride[0],
        "each": conv.groups > 1,  # each channel by itself
        "relu": relu,
    }
    return layer, [conv.weight], list(scale_and_shift(norm))


def scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return what a batch norm in eval mode multiplies by and adds, both float32 of shape (channel,)."""
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return scale.float(), shift.float()


def front_end_weights(features: PooledNormFeatures) -> Tensor:
    """Lay a front end in eval mode out as the page reads it.

    Returns
    -------
    Tensor of float32
        conv1 with its batch norm folded in (filter, taps), its bias (filter,), conv2 (filter, channel, taps), and the
        scale and the offset behind the pool (filter,), one after the other.
    """
    conv1, norm1, _ = features.conv1.module
    conv2, norm2, _ = features.conv2.module
    weight, bias = fold_norm(torch.empty(0), conv1, norm1)
    parts = (weight, bias, conv2.weight[:, :, 0], *scale_and_shift(norm2))
    return torch.cat([part.detach().float().flatten() for part in parts])


def pack(values: Tensor, form: str = "<f4") -> str:
    """Write numbers as base64: of little-endian float32, or in another form."""
    return base64.b64encode(values.detach().numpy().astype(np.dtype(form)).tobytes()).decode("ascii")
