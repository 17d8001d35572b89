"""The quiz of the appendix on speed."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "appendix_speed",
    (
        QuizQuestion(
            "Would the trick help if the second layer pooled with a mean instead of a maximum?",
            (
                Choice(
                    "Yes: there is still one value left of 160.",
                    "one value is left, but all 160 have made it, and each of them gets a share of its gradient.",
                ),
                Choice(
                    "No: every position would have a gradient.",
                    "a mean depends on all 160 values, each has a gradient of 1/160, and the backward pass is dense "
                    "again.",
                    is_right=True,
                ),
                Choice(
                    "Yes, and more so: no winner has to be looked for.",
                    "what is saved is the way back through those that have lost, and in a mean nobody loses.",
                ),
            ),
        ),
        QuizQuestion(
            "Why does the variant still run conv2 at every position on the way forward?",
            (
                Choice(
                    "Nobody knows the winner before the race.",
                    "only afterwards can 159 of 160 positions be forgotten.",
                    is_right=True,
                ),
                Choice(
                    "Its batch norm needs the mean and variance of all of them.",
                    "so it does in the paper's order. In the variant the pool comes first, and the norm sees the "
                    "winners alone.",
                ),
                Choice(
                    "The backward pass needs their values.",
                    "it needs the places of the winners and the windows there, and computes what else it wants again.",
                ),
            ),
        ),
        QuizQuestion(
            "The folded batch norm works for conv1. Why not for conv2?",
            (
                Choice(
                    "conv2 is not linear in its input.",
                    "it is: what is not linear, the ReLU, comes before or after it, so the formula would hold.",
                ),
                Choice(
                    "Its windows overlap, so their covariance is unknown.",
                    "those of conv1 overlap too. A covariance can be counted all the same.",
                ),
                Choice(
                    "The formula would hold, but it would not pay.",
                    "its windows have 320 numbers, so the covariance has 320 by 320, and filling it costs about as "
                    "much as running conv2, or more.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
