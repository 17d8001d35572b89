"""A labelled set of decoded clips, and the fold rule that every split must keep (lesson 4)."""

from dataclasses import dataclass, replace

import numpy as np

from envnet_tutorial.errors import InputError


class SourceLeakError(InputError):
    """A split puts fragments of one source recording on both sides."""


@dataclass(frozen=True)
class ClipArray:
    """Clips of one length at one rate, decoded, with what the folds need to know of each.

    Parameters
    ----------
    samples : ndarray of int16, shape (clip, time)
        Mono waveforms; full scale is 32,768. May be memory-mapped.
    labels : ndarray of int64, shape (clip,)
        Class index of each clip, an index into ``classes``.
    folds : ndarray of int64, shape (clip,)
        Official fold of each clip.
    sources : ndarray of str, shape (clip,)
        Source that each clip is a fragment of: recording and class (`folder.ClipTable.sources`).
    names : ndarray of str, shape (clip,)
        File name of each clip.
    classes : tuple of str
        Class names.
    sample_rate : int
        Sampling rate in Hz.
    """

    samples: np.ndarray
    labels: np.ndarray
    folds: np.ndarray
    sources: np.ndarray
    names: np.ndarray
    classes: tuple[str, ...]
    sample_rate: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def select(self, keep: np.ndarray) -> "ClipArray":
        """Return the clips that a boolean mask or an index array names, with the same classes."""
        columns = {name: getattr(self, name)[keep] for name in ("samples", "labels", "folds", "sources", "names")}
        return replace(self, **columns)

    def split(self, test_fold: int) -> tuple["ClipArray", "ClipArray"]:
        """Hold one official fold out.

        Parameters
        ----------
        test_fold : int
            The fold to test on.

        Returns
        -------
        train, test : ClipArray

        Raises
        ------
        InputError
            If there is no such fold.
        SourceLeakError
            If a source recording has fragments on both sides.
        """
        if test_fold not in self.folds:
            raise InputError(f"no clip is in fold {test_fold}; the folds are {sorted(set(self.folds.tolist()))}")
        return self.split_by(self.folds == test_fold)

    def split_by(self, is_test: np.ndarray) -> tuple["ClipArray", "ClipArray"]:
        """Split by a boolean mask of shape (clip,), refusing one that leaks a source recording (see `split`)."""
        leaking = np.intersect1d(self.sources[is_test], self.sources[~is_test])
        if leaking.size:
            raise SourceLeakError(
                f"{leaking.size} source recordings have fragments in both training and test set "
                f"({', '.join(map(str, leaking[:3]))}, ...): split by fold or by source instead"
            )
        return self.select(~is_test), self.select(is_test)


def random_split(
    clips: ClipArray, test_share: float = 0.2, seed: int = 0, *, allow_leak: bool = False
) -> tuple[ClipArray, ClipArray]:
    """Draw a test set clip by clip: refused where it leaks, unless you ask to see what it pretends (lesson 4).

    Parameters
    ----------
    clips : ClipArray
        The clips to split.
    test_share : float
        Share of the clips to test on, between 0 and 1.
    seed : int
        Seed of the draw.
    allow_leak : bool
        Draw clips regardless of their source, and let fragments of one recording stand on both sides. A result on such
        a test set is no measure of what the network will do with a new recording.

    Returns
    -------
    train, test : ClipArray

    Raises
    ------
    ValueError
        If a side would be empty.
    SourceLeakError
        If the draw puts fragments of one source recording on both sides and `allow_leak` is off.
    """
    num_test = round(test_share * len(clips))
    if not 0 < num_test < len(clips):
        raise InputError(f"a test share of {test_share} of {len(clips)} clips leaves one side empty")
    is_test = np.zeros(len(clips), dtype=bool)
    is_test[np.random.default_rng(seed).permutation(len(clips))[:num_test]] = True
    if allow_leak:
        return clips.select(~is_test), clips.select(is_test)
    return clips.split_by(is_test)
