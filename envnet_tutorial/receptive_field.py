"""Receptive fields: which samples of the waveform one position of a layer sees (lessons 2 and 3).

A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional neural networks", Distill 2019,
doi:10.23915/distill.00021. Here the field is carried through a real forward pass, operator by operator, so that
branches and functional calls are followed too.
"""

from dataclasses import dataclass, replace
from functools import reduce

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the waveform that one position of a layer sees, in input samples (lesson 2).

    Parameters
    ----------
    size : int
        Samples from the first to the last one that a position sees.
    step : int
        Distance between what two neighbouring positions see; 0 where one position sees everything.
    start : int
        First sample that the first position sees; negative where it looks into the padding.
    length : int
        Number of positions.
    """

    size: int = 1
    step: int = 1
    start: int = 0
    length: int = 1

    def after(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "ReceptiveField":
        """Return the field behind one more convolution or pooling."""
        return ReceptiveField(
            size=self.size + dilation * (kernel - 1) * self.step,
            step=self.step * stride,
            start=self.start - padding * self.step,
            length=(self.length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1,
        )

    def pooled(self) -> "ReceptiveField":
        """Return the field of something that sees every position at once, such as a linear layer."""
        return ReceptiveField(self.size + (self.length - 1) * self.step, 0, self.start, 1)

    def joined(self, other: "ReceptiveField") -> "ReceptiveField":
        """Return the field where two branches meet: everything from the first to the last sample that either sees."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(end - start, max(self.step, other.step), start, max(self.length, other.length))


#: Operations that leave every position where it is; what is in none of the lists makes the field unknown.
_POINTWISE = {"relu", "relu_", "leaky_relu", "elu", "gelu", "sigmoid", "tanh", "clamp", "abs", "log", "exp", "sqrt"}
_ARITHMETIC = {"add", "add_", "sub", "mul", "div", "pow", "cat", "stack", "_softmax", "_log_softmax"}
_NORMS = {"native_batch_norm", "_native_batch_norm_legit_no_training"}
_VIEWS = {"view", "_unsafe_view", "transpose", "permute", "unsqueeze", "squeeze", "expand", "t", "alias", "detach"}
_IN_PLACE = _POINTWISE | _ARITHMETIC | _NORMS | _VIEWS | {"clone", "_to_copy"}
_LINEAR = {"addmm", "mm"}
_REDUCTIONS = {"mean", "sum", "amax", "_adaptive_avg_pool2d", "adaptive_max_pool2d"}
_POOLINGS = {"max_pool2d_with_indices", "avg_pool2d"}


class FieldTracker(TorchDispatchMode):
    """Carry the receptive field of every tensor through a forward pass, branches and functional calls included.

    Parameters
    ----------
    waveform : Tensor, shape (batch, ..., time)
        The input of the pass; ``fields[id(tensor)]`` is then the field behind each tensor, None where unknown.

    Notes
    -----
    The pass must run on "meta" tensors: on the CPU, PyTorch pools one axis inside a single kernel that shows the
    tracker no operator.
    """

    def __init__(self, waveform: Tensor):
        super().__init__()
        self.fields = {id(waveform): ReceptiveField(length=waveform.shape[-1])}
        self.alive = [waveform]  # so that no id is used twice

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        inputs = [leaf for leaf in tree_leaves(args) if isinstance(leaf, Tensor) and id(leaf) in self.fields]
        if inputs:
            results = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
            field = self._field_after(func.overloadpacket.__name__, args, inputs, results[0])
            for tensor in results:
                self.fields[id(tensor)] = field
                self.alive.append(tensor)
        return result

    def _field_after(self, name: str, args: tuple, inputs: list[Tensor], result: Tensor) -> ReceptiveField | None:
        fields = [self.fields[id(tensor)] for tensor in inputs]
        if None in fields:
            return None
        field = reduce(ReceptiveField.joined, fields)
        time_is_last = inputs[0].shape[-1] == field.length
        if name in _IN_PLACE or field.step == 0:
            return field
        if name == "convolution" and time_is_last and not args[6]:
            stride, padding, dilation = (values[-1] for values in args[3:6])
            return field.after(args[1].shape[-1], stride, padding, dilation)
        if name in _POOLINGS and time_is_last:
            kernel, stride, padding, dilation = _pooling_window(name, args)
            # With ceil_mode the last window may reach beyond the end: one position more than `after` counts.
            return replace(field.after(kernel, stride, padding, dilation), length=result.shape[-1])
        if name == "constant_pad_nd" and time_is_last:
            left, right = args[1][:2]
            return replace(field, start=field.start - left * field.step, length=field.length + left + right)
        if name in _LINEAR:
            return field.pooled()
        if name in _REDUCTIONS:
            return field.pooled() if time_is_last and _reduces_last_axis(name, args) else None
        return None


def _pooling_window(name: str, args: tuple) -> tuple[int, int, int, int]:
    """Kernel, stride, padding and dilation of a pooling along its last axis, from the arguments of torch's operator."""
    kernel = args[1]
    stride = args[2] if len(args) > 2 and args[2] else kernel
    padding = args[3] if len(args) > 3 else [0]
    dilation = args[4] if len(args) > 4 and name == "max_pool2d_with_indices" else [1]
    return kernel[-1], stride[-1], padding[-1], dilation[-1]


def _reduces_last_axis(name: str, args: tuple) -> bool:
    """Say whether a reduction leaves one position of the last axis."""
    if "adaptive" in name:
        return args[1][-1] == 1
    axes = args[1] if len(args) > 1 and args[1] else range(args[0].ndim)
    return args[0].ndim - 1 in [axis % args[0].ndim for axis in axes]
