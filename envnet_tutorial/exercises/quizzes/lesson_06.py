"""The quiz of lesson 6, between-class learning."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_06",
    (
        QuizQuestion(
            "Two sounds are mixed with half of the amplitude each, and the label says one half and one half. When is "
            "the label true?",
            (
                Choice(
                    "Always: half of every sample is of each.",
                    "half of the samples' values is, but one of the sounds may be so quiet that nobody hears it.",
                ),
                Choice(
                    "When both are equally loud to the ear.",
                    "otherwise the louder one takes more of what is heard, and the shares of the amplitude have to be "
                    "corrected by the difference of the weighted levels.",
                    is_right=True,
                ),
                Choice(
                    "When both have the same largest sample.",
                    "a peak says little of loudness: two tones of 100 and 1,000 Hz with the same peak lie 19 dB apart.",
                ),
                Choice(
                    "When the mixture is divided by the root of the squares.",
                    "that keeps the power of the whole. It changes nothing in the ratio of its parts.",
                ),
            ),
        ),
        QuizQuestion(
            "A program calls `kl_div` with `log_target=True` and mixed labels. Nothing fails, and the loss falls. What "
            "is wrong?",
            (
                Choice(
                    "Nothing: a loss that falls is a loss that works.",
                    "any function of the weights can be made to fall. What matters is where its lowest point lies.",
                ),
                Choice(
                    "The prediction would have to be a probability, not a logarithm.",
                    "`kl_div` does want logarithms of the prediction. The slip is in what it is told of the labels.",
                ),
                Choice(
                    "It is the cross-entropy, which is not zero at the best prediction.",
                    "the entropy of the label is not what is left over here: the labels themselves are misread.",
                ),
                Choice(
                    "The labels are read as logarithms.",
                    "a share of 0 then counts as the probability 1, in every class: what falls is another loss, and "
                    "its lowest point is not the label.",
                    is_right=True,
                ),
            ),
        ),
        QuizQuestion(
            "Trained on mixtures, a network is right as often as another that was trained on single sounds for half "
            "as many epochs. What does that say of mixing?",
            (
                Choice(
                    "Mixing is useless.",
                    "with as many epochs it might have been behind, or ahead with more: the two changed together.",
                ),
                Choice(
                    "Little: mixing and time changed together.",
                    "neither can be blamed or praised. Train both for as many epochs, with several seeds, and compare "
                    "them on the same clips.",
                    is_right=True,
                ),
                Choice(
                    "Mixing costs twice the time and gives the same.",
                    "it may be that the time gave nothing, or that mixing cost what the time gave. One run of each "
                    "cannot tell.",
                ),
            ),
        ),
    ),
)
