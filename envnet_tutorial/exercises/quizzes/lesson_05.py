"""The quiz of lesson 5, what the filters hear."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_05",
    (
        QuizQuestion(
            "A paper shows a sorted response matrix of a trained network with a fine diagonal. What do you ask for?",
            (
                Choice(
                    "The same matrix without sorting.",
                    "those are the same filters in another order. What tells learning from sorting is a network that "
                    "has not learned, sorted alike.",
                ),
                Choice(
                    "A network with more filters, so that the diagonal becomes clearer.",
                    "sorting gives more of anything a smoother line, learned or not.",
                ),
                Choice(
                    "The same picture of an untrained network, and of one trained on shuffled labels.",
                    "both sorted the same way, with several seeds. Without them you cannot tell learning from sorting.",
                    is_right=True,
                ),
                Choice(
                    "Its accuracy: if that is high, the diagonal has been learned.",
                    "a network may be right for other reasons, and random filters that are sorted have a diagonal too.",
                ),
            ),
        ),
        QuizQuestion(
            "Why can no training give `feature_conv` a band of 100 Hz?",
            (
                Choice(
                    "The pooling over 10 ms blurs the frequencies.",
                    "one over 10 ms would be 100 Hz. But the pool only keeps the largest of values that have been "
                    "filtered already.",
                ),
                Choice(
                    "Two layers of eight taps see 15 samples, a little under 1 ms.",
                    "a band is about as wide as one over the duration, so about 1 kHz, whatever the weights are.",
                    is_right=True,
                ),
                Choice(
                    "It has 40 filters for 8,000 Hz, so each of them has to cover 200 Hz.",
                    "that says how many bands there are, not how narrow one can be. Nothing obliges them to cover "
                    "everything.",
                ),
            ),
        ),
        QuizQuestion(
            "Why does the response of a trained network to a tone of double amplitude not double?",
            (
                Choice(
                    "ReLU is not linear.",
                    "by itself it keeps proportions: it cuts at zero, and twice an input gives twice the output.",
                ),
                Choice(
                    "The maximum of the pool is not linear.",
                    "by itself it keeps proportions: the largest of doubled values is twice the largest.",
                ),
                Choice(
                    "The network has learned that loudness grows with the logarithm.",
                    "no layer takes a logarithm. Find the one part that does not grow with the input.",
                ),
                Choice(
                    "A trained batch norm adds an offset that does not grow with the input.",
                    "the ReLU then cuts at another place. Without offsets, as before training, the response is "
                    "proportional to the amplitude.",
                    is_right=True,
                ),
            ),
        ),
    ),
)
