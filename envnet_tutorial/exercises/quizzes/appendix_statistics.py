"""The quiz of the appendix on statistics."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "appendix_statistics",
    (
        QuizQuestion(
            "One recipe has 350 of 400 clips right, another 343 of the same clips. Which numbers tell whether that is"
            " luck?",
            (
                Choice(
                    "Whether the standard errors of the two accuracies overlap.",
                    "both were tested on the same clips, and those that are hard for one are hard for the other: that"
                    " luck is shared.",
                ),
                Choice(
                    "The difference alone: seven clips of 400 are nearly 2 %.",
                    "seven against none would hardly be coins; 47 against 40 would be nothing. The difference is the "
                    "same.",
                ),
                Choice(
                    "How many clips the first alone has right, and how many the second alone.",
                    "all others say nothing. If the two recipes were equally good, coins would decide these.",
                    is_right=True,
                ),
            ),
        ),
        QuizQuestion(
            "Clips come in takes of one recording. What becomes of a standard error that counts every clip as drawn "
            "by itself?",
            (
                Choice(
                    "It is too small.",
                    "takes are right or wrong together, so they say less than as many recordings would. Add up "
                    "recordings instead of clips.",
                    is_right=True,
                ),
                Choice(
                    "It is too large.",
                    "it would be if takes of one recording disagreed more than others do. They agree more.",
                ),
                Choice(
                    "It stays right, because the accuracy stays the same.",
                    "the accuracy does. How far it may be off depends on how many lots were drawn, and takes are no "
                    "new lots.",
                ),
            ),
        ),
        QuizQuestion(
            "Of twenty comparisons one has p = 0.03. What do you conclude?",
            (
                Choice(
                    "That recipe works: 0.03 is below 0.05.",
                    "so is one of twenty by chance, where none of the recipes does anything.",
                ),
                Choice(
                    "With a probability of 3 % that recipe is no better than the other.",
                    "p supposes that they are equal, and says how often chance alone would look as uneven. It is no "
                    "probability that they are.",
                ),
                Choice(
                    "No recipe of the twenty differs from the other.",
                    "not told apart is not equal. There may be differences that so few clips cannot show.",
                ),
                Choice(
                    "Nothing yet, but it may be worth a test of its own.",
                    "one of twenty falls below 0.05 by chance, and 0.03 is far from 0.05 / 20 = 0.0025. New seeds and"
                    " new clips can decide.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
