"""How fast can EnvNet train on this machine, or on another, at the most? The roofline, layer by layer.

    python -m benchmarks.limits --measure
    python -m benchmarks.limits --rate 8100 --bandwidth 320

A layer takes at least its operations over the machine's rate of a matrix product, and at least the bytes that it reads
and writes over the bandwidth of its memory. The sum of the larger times of all layers is a bound for every program that
runs them one after the other; see `envnet_tutorial.costs`, and the appendix on speed.
"""

import argparse
import time
from collections.abc import Callable

import pandas as pd
import torch

from envnet_tutorial import costs
from envnet_tutorial.models import EnvNet

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a processor has by then."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def shortest(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the shortest time of some work in seconds; it runs once before, to make room."""
    times = []
    for _ in range(repeats + 1):
        wait_for(device)
        started = time.perf_counter()
        work()
        wait_for(device)
        times.append(time.perf_counter() - started)
    return min(times[1:])


def matrix_rate(device: torch.device, dtype: torch.dtype, *, size: int | None = None, repeats: int = 5) -> float:
    """Measure how many multiplications and additions a second a matrix product does.

    On a GPU a float32 product is rounded as convolutions are there by default, to TF32 where there is such hardware.
    """
    size = size or (8192 if device.type == "cuda" else 2048)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        return 2 * size**3 / shortest(lambda: a @ b, device, repeats)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def copy_bandwidth(device: torch.device, *, megabytes: int = 256, repeats: int = 5) -> float:
    """Measure how many bytes a second a copy reads and writes, both counted."""
    source = torch.zeros(megabytes * 2**20, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / shortest(lambda: target.copy_(source), device, repeats)


def bounds(rate: float, bandwidth: float, *, batch: int, value_bytes: int) -> pd.DataFrame:
    """Return for each order of evaluation what a clip costs and how many clips a second are possible."""
    passes, rows = costs.training_passes(EnvNet), {}
    for name, order in costs.ORDERS.items():
        roof = costs.roofline(order(passes), rate, bandwidth, batch=batch, value_bytes=value_bytes)
        rows[name] = {
            "GFLOP a clip": roof["operations"].sum() / 1e9,
            "MB a clip": roof["bytes"].sum() / 1e6,
            "clips/s": 1 / roof["seconds"].sum(),
            "clips/s, operations alone": rate / roof["operations"].sum(),
            "clips/s, memory alone": bandwidth / roof["bytes"].sum(),
        }
    return pd.DataFrame(rows).T


def by_layer(rate: float, bandwidth: float, *, batch: int, value_bytes: int) -> pd.DataFrame:
    """Return what each layer of the plain network costs for a clip, all its passes together."""
    passes = costs.training_passes(EnvNet)
    roof = costs.roofline(passes, rate, bandwidth, batch=batch, value_bytes=value_bytes)
    sums = roof.groupby(["layer", "kind"], sort=False)[["operations", "bytes", "seconds"]].sum()
    scaled = sums / [1e6, 1e6, 1e-6]
    return scaled.set_axis(["MFLOP a clip", "MB a clip", "microseconds a clip"], axis=1)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure this machine instead of --rate and --bandwidth")
    parser.add_argument("--rate", type=float, help="GFLOP/s of a matrix product")
    parser.add_argument("--bandwidth", type=float, help="GB/s of the memory")
    parser.add_argument("--device", default="cpu", help="what --measure measures (default: cpu)")
    parser.add_argument("--precision", choices=DTYPES, default="float32", help="of the activations (default: float32)")
    parser.add_argument("--batch", type=int, default=64, help="clips in a step (default: 64)")
    options = parser.parse_args(arguments)
    if not options.measure and not (options.rate and options.bandwidth):
        parser.error("give --rate and --bandwidth, or --measure")
    return options


def main() -> None:
    """Print the roofline of each layer and the bound of each order of evaluation."""
    options = parse()
    dtype, source = DTYPES[options.precision], "given"
    if options.measure:
        device, source = torch.device(options.device), "measured"
        options.rate, options.bandwidth = matrix_rate(device, dtype) / 1e9, copy_bandwidth(device) / 1e9
    machine = {"rate": options.rate * 1e9, "bandwidth": options.bandwidth * 1e9}
    step = {"batch": options.batch, "value_bytes": dtype.itemsize}
    memory = costs.training_memory(EnvNet)
    needed = options.batch * memory["activations"] + memory.drop("activations").sum()
    print(f"{source}: {options.rate:,.0f} GFLOP/s, {options.bandwidth:,.1f} GB/s")
    print(f"{options.precision}, batch {options.batch}")
    print("\nThe plain order, layer by layer\n" + by_layer(**machine, **step).round(1).to_string())
    print("\nBounds, never measured\n" + bounds(**machine, **step).round(2).to_string())
    print(f"\nMemory of the plain order in float32, at the least: {needed / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
