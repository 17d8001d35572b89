"""The quiz of lesson 2, convolution arithmetic."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_02",
    (
        QuizQuestion(
            "A `Conv1d` with eight taps and stride 8 reads 100 samples. How many does it never see?",
            (
                Choice(
                    "None.",
                    "windows side by side cover everything only where they come out even: 100 / 8 does not.",
                ),
                Choice(
                    "Seven.",
                    "so many an eight-tap filter takes off the length at stride 1, where it sees them all.",
                ),
                Choice(
                    "Twelve.",
                    "so many outputs there are, and each of them sees eight samples.",
                ),
                Choice(
                    "Four.",
                    "floor((100 - 8)/8) + 1 = 12 outputs touch 96 samples, and the last four lie behind the last "
                    "whole step.",
                    is_right=True,
                ),
            ),
        ),
        QuizQuestion(
            "A layer has the weight `(64, 3, 7, 7)`. What is it?",
            (
                Choice(
                    "A `Conv3d`: its filters have three axes.",
                    "one of the three is the channels, which a filter covers all at once: it slides along the other "
                    "two. The weight of a `Conv3d` has five axes.",
                ),
                Choice(
                    "A `Conv2d` with three input channels and 64 filters.",
                    "each filter covers all three channels at once and slides along height and width only.",
                    is_right=True,
                ),
                Choice(
                    "A `Conv2d` with 64 input channels and three filters.",
                    "the other way round: PyTorch puts the filters first, `(out_channels, in_channels, height, "
                    "width)`.",
                ),
                Choice(
                    "A `Conv1d` with 64 filters of 147 taps.",
                    "a filter does have 3 x 7 x 7 = 147 weights, but it slides along two axes. The weight of a "
                    "`Conv1d` has three.",
                ),
            ),
        ),
        QuizQuestion(
            "Why does a layer of 40 filters not learn 40 times the same filter?",
            (
                Choice(
                    "They start from different random weights.",
                    "so their gradients differ from the first step on. Started equal, they stay equal, as the "
                    "experiment above shows.",
                    is_right=True,
                ),
                Choice(
                    "Each is shown another part of the sound.",
                    "every filter slides along the whole sound, so all of them see the same.",
                ),
                Choice(
                    "The loss punishes filters that are alike.",
                    "the loss compares what comes out with what is wanted. Nothing in it compares filters.",
                ),
                Choice(
                    "The optimiser changes them one after another.",
                    "a step changes all of them at once, each by its own gradient. Where filters start equal, so are "
                    "their gradients.",
                ),
            ),
        ),
    ),
)
