"""The rates and window lengths that the lessons share; networks of other formats declare their own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputFormat:
    """What one network hears at a time.

    Parameters
    ----------
    sample_rate : int
        Sampling rate in Hz.
    num_samples : int
        Length of one input window in samples.
    """

    sample_rate: int
    num_samples: int

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return self.num_samples / self.sample_rate


#: EnvNet (Tokozume and Harada 2017): 1.5 s at 16 kHz and the 14 samples that two 8-tap filters remove (lesson 3).
ENVNET_INPUT = InputFormat(sample_rate=16_000, num_samples=24_014)

#: Length of an ESC-50 clip in seconds, and the rate at which it is published, in Hz.
CLIP_SECONDS = 5
CLIP_RATE = 44_100
