"""The networks of the book, one file each, as their papers draw them.

A new network is a file here and one line below: importing it enters it in `NETWORKS` under its own name.
"""

from envnet_tutorial.models.base import NETWORKS as NETWORKS
from envnet_tutorial.models.base import WaveformNetwork as WaveformNetwork
from envnet_tutorial.models.compact import CompactEnvNet as CompactEnvNet
from envnet_tutorial.models.compact import CompactPooledNorm as CompactPooledNorm
from envnet_tutorial.models.compact_mel import CompactMel as CompactMel
from envnet_tutorial.models.deep_raw import M3 as M3
from envnet_tutorial.models.deep_raw import M5 as M5
from envnet_tutorial.models.deep_raw import M11 as M11
from envnet_tutorial.models.deep_raw import M18 as M18
from envnet_tutorial.models.deep_raw import M34Res as M34Res
from envnet_tutorial.models.envnet import EnvNet as EnvNet
from envnet_tutorial.models.envnet_v2 import EnvNetV2 as EnvNetV2
from envnet_tutorial.models.layers import ConvBlock as ConvBlock
from envnet_tutorial.models.layers import LinearBlock as LinearBlock
from envnet_tutorial.models.layers import Transpose as Transpose
from envnet_tutorial.models.mel_cnn import MelCNN as MelCNN
from envnet_tutorial.models.mel_cnn import MelFixedFilters as MelFixedFilters
from envnet_tutorial.models.mel_cnn import MelStart as MelStart
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet as PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet as ReorderedEnvNet
from envnet_tutorial.models.wavemsnet import WaveMsNet as WaveMsNet
