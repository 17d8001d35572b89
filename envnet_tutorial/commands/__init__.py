"""The verbs of ``python -m envnet_tutorial``, one module each, for those who prefer a terminal.

Each module has ``add_parser(subparsers)``, which names its arguments and sets ``run``, a function of them. Only the
module of the verb that was typed is imported: torch takes seconds to load, and help should not.
"""

#: What ``--help`` says of each verb.
VERBS = {
    "train": "train a network on all folds but one, and test it on that one",
    "evaluate": "test a trained network on ten windows of each clip",
    "probe": "play pure tones to a network and draw what its filters answer",
    "predict": "name the sound in files of your own",
    "compare": "train networks under one protocol, and put them side by side in one table",
    "synthesize": "write the synthetic clips as a folder in ESC-50's layout",
    "data": "fetch, check and locate the data sets",
    "info": "print versions, device and folders",
}
