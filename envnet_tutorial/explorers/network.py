"""EnvNet to rebuild: window, rate, filters and pools can be changed, and every layer says what follows (lesson 3)."""

from dataclasses import dataclass, field

import torch
from torch import nn

from envnet_tutorial.explorers.inline import inline
from envnet_tutorial.models import EnvNet
from envnet_tutorial.settings import InputFormat

#: The scripts with which sounds flow, each after those that it needs itself.
PARTS = ("inflate", "network_flow")


@dataclass(frozen=True)
class NetworkExplorer:
    """EnvNet as a list of layers whose numbers can be changed, from the window to the classes (lesson 3).

    The last line of a cell shows it. For each layer it draws the shape of the output and gives its parameters, what one
    position of it sees, and its operations. Where a layer no longer fits, it says so at that layer.

    Parameters
    ----------
    input_format : InputFormat, optional
        Window and rate to open with; EnvNet's own if there is none.
    num_classes : int, default 50
    flow : dict, optional
        `flow.flow_settings` of a trained EnvNet: sounds, and what its layers answer to them. They are shown as long as
        no number is changed.

    Raises
    ------
    ValueError
        If ``num_classes`` is below 1, or sounds flow through a network of another window or other classes.
    """

    input_format: InputFormat = EnvNet.input_format
    num_classes: int = 50
    flow: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        if self.flow and (self.input_format, self.num_classes) != (EnvNet.input_format, len(self.flow["classes"])):
            raise ValueError(f"the sounds flow through EnvNet with {len(self.flow['classes'])} classes and no other")
        if self.num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, got {self.num_classes}")

    def __repr__(self) -> str:
        return f"NetworkExplorer({self.input_format.num_samples:,} samples, {self.num_classes} classes)"

    def _repr_html_(self) -> str:
        window = {"samples": self.input_format.num_samples, "rate": self.input_format.sample_rate}
        settings = {**window, "layers": layer_settings(), "classes": self.num_classes}
        if not self.flow:
            return inline("network", settings)
        flow = {key: value for key, value in self.flow.items() if key != "still"}
        return inline("network", {**settings, "flow": flow}, parts=PARTS, still=self.flow["still"])


def layer_settings() -> list[dict]:
    """Read what can be changed off EnvNet itself, so that the page opens with the network that trains.

    Returns
    -------
    list of dict
        For each layer its ``name`` and ``kind``: "conv" and "pool" with ``size`` (height, width), "conv" and "linear"
        also with the number of ``outputs``, "transpose" and "flatten" with nothing to change.
    """
    with torch.device("meta"):
        network = EnvNet(1)
    layers = []
    for name, block in (*network.feature_conv.named_children(), *network.classifier.named_children()):
        layer = next((part for part in block.modules() if isinstance(part, (nn.Conv2d, nn.Linear))), block)
        if isinstance(layer, nn.Conv2d):
            layers.append({"name": name, "kind": "conv", "outputs": layer.out_channels, "size": layer.kernel_size})
        elif isinstance(layer, nn.MaxPool2d):
            layers.append({"name": name, "kind": "pool", "size": nn.modules.utils._pair(layer.kernel_size)})
        elif isinstance(layer, nn.Linear):
            layers.append({"name": name, "kind": "linear", "outputs": layer.out_features})
        else:
            layers.append({"name": name, "kind": type(layer).__name__.lower()})
    return layers
