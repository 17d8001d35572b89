"""What a sound does inside a trained EnvNet, packed for the drawing of the network (lesson 3)."""

import base64
import functools
import zlib

import numpy as np

from envnet_tutorial.audio import player
from envnet_tutorial.explorers import stills
from envnet_tutorial.explorers.hearing import sample_sounds
from envnet_tutorial.explorers.network import NetworkExplorer
from envnet_tutorial.plotting.pictures import palette
from envnet_tutorial.results import Result, load_result
from envnet_tutorial.settings import ENVNET_INPUT

#: What is stored of each sound, in the order in which it travels. The page makes the other layers of these: a pool of
#: what stands before it, transpose and flatten by naming the axes anew.
STORED = ("input", "conv1", "conv1_near", "conv2", "conv2_near", "conv3", "conv4", "fc5", "fc6")
#: How many of the likeliest classes are named.
NAMED = 5


@functools.cache
def envnet_with_sounds() -> NetworkExplorer:
    """Return EnvNet to rebuild, with the sounds that flow through the trained one (lesson 3)."""
    return NetworkExplorer(flow=flow_settings(load_result("esc50-activations")))


def flow_settings(result: Result) -> dict:
    """Return what the page needs to show a sound inside every layer (lesson 3).

    Parameters
    ----------
    result : Result
        Of the kind "activations", of the sounds of `hearing.sample_sounds`.

    Returns
    -------
    dict
        sounds; stored, name and shape of what each brings, in the order of its bytes; finest, the whole number that
        stands for a layer's largest value; classes, colours, origin; still, HTML for a reader without JavaScript.
    """
    settings, shapes = result.settings, {name: result.arrays[name].shape[1:] for name in STORED}
    classes = [name.replace("_", " ") for name in settings["classes"]]
    sounds = [sound_settings(result, index) for index in range(len(result.tables["sounds"]))]
    origin = (
        f"Weights: this book's EnvNet, trained on {settings['data']} for {settings['recipe']['epochs']} epochs, fold "
        f"{settings['folds'][0]} held out, seed {settings['seeds'][0]}, with the batch norm of conv2 behind the pool. "
        "Its scales are all positive, so that EnvNet with these weights, which is drawn, computes the same. The clips "
        "of ESC-50: K. J. Piczak (2015), doi:10.1145/2733373.2806390, CC BY-NC 3.0. The sounds are made, not recorded; "
        "the network hears them with their level brought nearer to that of the others, as in training."
    )
    return {
        "sounds": sounds,
        "stored": [[name, list(shape)] for name, shape in shapes.items()],
        "finest": 255,
        "named": NAMED,
        "classes": classes,
        "colours": palette(),
        "origin": origin,
        "still": still_of(result, classes),
    }


def sound_settings(result: Result, index: int) -> dict:
    """Return one sound of a result: its name, its window to be played, what each layer answers, the logits."""
    place = result.tables["sounds"].iloc[index]
    rows = result.tables["layers"].query("sound == @place.sound")
    layers = {
        row.layer: {
            "range": [float(f"{value:.4g}") for value in (row.lowest, row.largest)],
            "values": row.values_count,
            "zeros": round(row.zeros, 4),
            "silent": row.silent,
        }
        for row in rows.rename(columns={"values": "values_count"}).itertuples()
    }
    window = sample_sounds()[place.sound][:, place.start : place.start + ENVNET_INPUT.num_samples]
    heard = player(window, ENVNET_INPUT.sample_rate)
    levels = b"".join(result.arrays[name][index].tobytes() for name in STORED)
    logits = result.arrays["logits"][index].astype(np.float64)
    return {
        "name": place.sound,
        "step": int(place.step),
        "layers": layers,
        "levels": base64.b64encode(zlib.compress(levels, 9)).decode("ascii"),
        "logits": logits.round(3).tolist(),
        "probabilities": probabilities(logits).round(5).tolist(),
        "address": f"data:{heard.mime};base64,{base64.b64encode(heard.content).decode('ascii')}",
    }


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of logits (class,)."""
    grown = np.exp(logits - logits.max())
    return grown / grown.sum()


def still_of(result: Result, classes: list[str]) -> str:
    """Return what a reader without JavaScript sees: the first sound in three layers, and what it is taken for."""
    name = result.tables["sounds"]["sound"].iloc[0]
    first = {layer: result.arrays[layer][0] / 255 for layer in ("conv1", "conv2", "conv3")}
    shown = {
        "conv1, 40 filters, the maximum of each 10 ms": first["conv1"][:, 0],
        "pool2, the learned map, 40 rows by 150 steps": first["conv2"][:, 0],
        "conv3, the strongest of 50 feature maps": first["conv3"][first["conv3"].max(axis=(1, 2)).argmax()],
    }
    images = "".join(
        stills.image(np.sqrt(values), f"{name.capitalize()} in {layer}") for layer, values in shown.items()
    )
    shares = probabilities(result.arrays["logits"][0].astype(np.float64))
    best = ", ".join(f"{classes[i]} {shares[i]:.0%}" for i in shares.argsort()[::-1][:NAMED])
    caption = f"{name.capitalize()} on its way through a trained EnvNet: {'; '.join(shown)}. Likeliest classes: {best}."
    return stills.figure(images, caption)
