"""The quiz of lesson 3, feature_conv shape by shape."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_03",
    (
        QuizQuestion(
            "Someone feeds EnvNet with sounds at 44.1 kHz, 24,014 samples each. No error appears. What is wrong?",
            (
                Choice(
                    "Nothing: the shapes are right.",
                    "shapes count samples and do not know the rate, so they cannot complain of it.",
                ),
                Choice(
                    "The picture has more steps than the later layers expect.",
                    "24,014 samples give 150 steps at any rate. That is why nothing complains.",
                ),
                Choice(
                    "A sample lasts less time, so windows, steps and frequencies are others.",
                    "a window is then 0.54 s long, a step 3.6 ms, and every filter answers to frequencies 2.76 times "
                    "as high.",
                    is_right=True,
                ),
                Choice(
                    "The network cannot hear what lies above 8 kHz.",
                    "that is the limit at 16 kHz. Here 22.05 kHz come in, but every filter answers to other "
                    "frequencies.",
                ),
            ),
        ),
        QuizQuestion(
            "Both conv1 and conv2 have 40 filters of eight taps. Why has conv2 32 times as many parameters?",
            (
                Choice(
                    "Each of its filters covers 40 channels instead of one.",
                    "so there are 12,800 taps instead of 320: 40 times as many. Batch normalisation adds 80 to each, "
                    "which gives 12,880 against 400, a factor of 32.",
                    is_right=True,
                ),
                Choice(
                    "It slides over more positions.",
                    "all positions share the same taps: they cost operations, not parameters. And conv2 has seven "
                    "positions fewer.",
                ),
                Choice(
                    "Its batch normalisation has more to learn.",
                    "both normalise 40 channels, with two numbers each.",
                ),
                Choice(
                    "Its filters are longer: they see 15 samples.",
                    "15 samples are what both layers see together. In time, each filter has eight taps.",
                ),
            ),
        ),
        QuizQuestion(
            "Could the mean take the place of the maximum in pool2, with ReLU moved behind it?",
            (
                Choice(
                    "No: it would stop with an error.",
                    "the shapes are the same, so it runs, and nobody would be told.",
                ),
                Choice(
                    "Yes, with the same result: averaging and cutting off may change places.",
                    "take -1 and 3: their mean is 1. Cut off at zero first, they have a mean of 1.5.",
                ),
                Choice(
                    "It would run, and be another network.",
                    "a mean of values that are first cut off at zero differs from a mean that is cut off afterwards. "
                    "Only the maximum commutes with ReLU.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
