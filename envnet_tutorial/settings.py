"""The rates and window lengths that the lessons speak of, in one place."""

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

#: EnvNet-v2 (Tokozume, Ushiku and Harada 2018): 260 frames of 256 samples at 44.1 kHz, and the 90 samples by which its
#: first two filters, 94 samples together and 4 from one place to the next, reach beyond (lesson 7).
ENVNET_V2_INPUT = InputFormat(sample_rate=44_100, num_samples=66_650)

#: WaveMsNet (Zhu and others 2018): 441 frames of 150 samples, 1.5 s at 44.1 kHz (lesson 7).
WAVEMSNET_INPUT = InputFormat(sample_rate=44_100, num_samples=66_150)

#: M3 to M34-res (Dai and others 2017): 2,000 frames of 16 samples, 4 s at 8 kHz (lesson 7).
DEEP_RAW_INPUT = InputFormat(sample_rate=8_000, num_samples=32_000)

#: Length of an ESC-50 clip in seconds, and the rate at which it is published, in Hz.
CLIP_SECONDS = 5
CLIP_RATE = 44_100
