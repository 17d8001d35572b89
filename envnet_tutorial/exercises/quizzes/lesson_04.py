"""The quiz of lesson 4, training EnvNet."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_04",
    (
        QuizQuestion(
            "A program reports the best epoch on the test fold. What is wrong with that number?",
            (
                Choice(
                    "Nothing, as long as the weights are those of that epoch.",
                    "the weights are real, but they were picked for what these very clips say, and their luck was "
                    "picked with them.",
                ),
                Choice(
                    "The test fold has chosen the epoch, so it is no longer unseen.",
                    "with hundreds of epochs and 80 clips the best of them lies well above the typical one by luck "
                    "alone.",
                    is_right=True,
                ),
                Choice(
                    "It would be right if the learning rate had not been chosen there too.",
                    "every choice that looks at the test fold counts, and an epoch is one choice among hundreds.",
                ),
                Choice(
                    "It is too low: other folds would have had a better epoch.",
                    "whatever fold is used, the best of many is too high, not too low.",
                ),
            ),
        ),
        QuizQuestion(
            "A program leaves out test windows that are nearly silent. Why does its accuracy rise?",
            (
                Choice(
                    "Clips with only quiet windows drop out, and those are hard clips.",
                    "they disappear from the denominator. Every clip has to get a prediction, silent or not.",
                    is_right=True,
                ),
                Choice(
                    "A silent window votes wrongly, and without its vote the other nine are right.",
                    "some clips may gain so, and that would be fair if each clip still got a prediction. Those with "
                    "only quiet windows get none.",
                ),
                Choice(
                    "A mean of fewer windows has less noise.",
                    "the other way round: fewer votes make a mean noisier.",
                ),
            ),
        ),
        QuizQuestion(
            "Why does the loss start near 2.3 nats with ten classes, whatever the sounds are?",
            (
                Choice(
                    "Nine of ten predictions are wrong.",
                    "that is the accuracy. The loss asks how probable the true class was, not whether it came first.",
                ),
                Choice(
                    "The loss is a mean over the batch, which evens out the sounds.",
                    "a mean is steadier than one clip, but that does not say around which number.",
                ),
                Choice(
                    "The sounds have been brought to one range.",
                    "the same loss comes out for any range that leaves the ten classes about equally likely.",
                ),
                Choice(
                    "Random weights give every class about the same probability.",
                    "-ln(1/10) = 2.303. A first loss far from this points at the labels, the loss or the "
                    "initialisation.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
