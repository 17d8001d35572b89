"""The forms in which a reader may hand in the same numbers."""

from decimal import Decimal

import numpy as np
import torch


def number_forms(value: float) -> list:
    """Return one number as Python, numpy and torch have it, alone and as the only entry of a list."""
    forms = [float(value), np.float64(value), np.array(value), np.array([value]), torch.tensor(float(value))]
    forms += [torch.tensor(value, dtype=torch.float64), torch.tensor([value], requires_grad=value != int(value))]
    forms += [np.float32(value), [value], (value,), [np.float32(value)], [torch.tensor(value)], Decimal(float(value))]
    return forms + ([int(value), np.int64(value), torch.tensor(int(value))] if value == int(value) else [])


def tuple_forms(values: tuple[float, ...]) -> list:
    """Return a few numbers as a tuple, list, array and tensor, in both precisions, and entry by entry."""
    forms = [tuple(values), list(values), np.array(values), torch.tensor(values), tuple(map(float, values))]
    forms += [np.array(values, dtype=np.float32), torch.tensor(values, dtype=torch.float64), iter(values)]
    forms += [[np.float64(value) for value in values], tuple(torch.tensor(value) for value in values)]
    return forms + ([torch.Size(values)] if all(isinstance(value, int) for value in values) else [])
