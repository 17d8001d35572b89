"""The compact network behind a mel spectrogram: its fair opponent, as the mel CNN is EnvNet's (lesson 7)."""

from envnet_tutorial.models.compact import CompactEnvNet
from envnet_tutorial.models.layers import ConvBlock
from envnet_tutorial.models.mel_cnn import HOP, WINDOW, mel_picture


class CompactMel(CompactEnvNet, name="compact-mel"):
    """`CompactEnvNet` with the log-mel spectrogram of `MelCNN` in place of what it learns (lesson 7).

    Parameters
    ----------
    num_classes : int
        Number of classes, 50 for ESC-50.
    dropout : float, default 0.2
        Dropout before the linear layer.

    Notes
    -----
    All else is the compact network's, and a seed starts its ``classifier`` with the same weights: 126,906 parameters
    for 50 classes, 13,280 fewer, and a tenth of the operations, most of which the learned front end needs.
    """

    title = "Compact mel CNN"
    receptive_field = WINDOW
    padding = (120, 120)  # zeros around a window, for 150 frames
    min_samples = HOP  # with the zeros, one frame

    def __init__(self, num_classes: int, dropout: float = 0.2):
        super().__init__(num_classes, dropout)
        self.feature_conv = mel_picture()

    def linear_stages(self) -> list[ConvBlock]:
        """Return none: no chain of `ConvBlock` makes the feature map."""
        return []
