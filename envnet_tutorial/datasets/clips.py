"""A labelled set of decoded clips, and the fold rule that every split must keep (lesson 4)."""

from dataclasses import dataclass, replace

import numpy as np


class SourceLeakError(ValueError):
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
        Source recording that each clip is a fragment of.
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
        ValueError
            If there is no such fold.
        SourceLeakError
            If a source recording has fragments on both sides.
        """
        if test_fold not in self.folds:
            raise ValueError(f"no clip is in fold {test_fold}; the folds are {sorted(set(self.folds.tolist()))}")
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
