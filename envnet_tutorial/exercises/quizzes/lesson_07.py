"""The quiz of lesson 7, what learning buys."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_07",
    (
        QuizQuestion(
            "A paper puts its learned front end, at 44.1 kHz before a deep network, beside a mel spectrogram at 16 kHz "
            "before a shallow one, and wins by eight points. What has it shown?",
            (
                Choice(
                    "That learned features are worth eight points.",
                    "rate and depth changed with the front end, so the eight points belong to none of the three.",
                ),
                Choice(
                    "That one system is better than another.",
                    "three things changed at once. To ask what learning is worth, change nothing but the learning.",
                    is_right=True,
                ),
                Choice(
                    "Nothing: systems must have equally many weights to be compared.",
                    "as systems they may be compared, at their prices. It is the cause that stays unknown.",
                ),
            ),
        ),
        QuizQuestion(
            "EnvNet has about 350 times the weights of the compact EnvNet. Why is it not 350 times as slow?",
            (
                Choice(
                    "Nearly all of its weights are in linear layers, which use each of them once a window.",
                    "the time goes into the first two convolutions, whose few taps are used at 24,000 places; these "
                    "the two networks share.",
                    is_right=True,
                ),
                Choice(
                    "Most of its weights are zero after training.",
                    "weight decay makes them small, not zero, and a product with a small number takes as long.",
                ),
                Choice(
                    "Dropout leaves half of them out.",
                    "only in training: a network that is tested uses them all.",
                ),
            ),
        ),
        QuizQuestion(
            "Two networks are both right on 75 % of the clips. What can their averaged probabilities have right?",
            (
                Choice(
                    "At least 75 %: averaging cannot hurt.",
                    "for the loss there is such a law, not for the accuracy: the mean follows the surer one.",
                ),
                Choice(
                    "75 %, since both have as much.",
                    "only if they are right on the same clips. What they do not share is what can be gained, or lost.",
                ),
                Choice(
                    "More or less than 75 %, as their mistakes fall.",
                    "few mistakes in common and the right one surer: much more. The wrong one always surer: less.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
