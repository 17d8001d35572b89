"""The quiz of lesson 1, loading audio."""

from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion

QUIZ = Quiz(
    "lesson_01",
    (
        QuizQuestion(
            "A clip at 44.1 kHz is brought to 16 kHz. What is lost for good?",
            (
                Choice(
                    "Everything above 16 kHz.",
                    "the rate counts samples, and a tone needs more than two of them a period: half the rate is the "
                    "limit.",
                ),
                Choice(
                    "Everything above 8 kHz.",
                    "half the rate is the limit. With a proper filter that is all; without one, aliases also spoil "
                    "what lies below.",
                    is_right=True,
                ),
                Choice(
                    "Quiet detail: the samples become coarser.",
                    "the bits set that floor, not the rate. The samples that are left can be as fine as before.",
                ),
                Choice(
                    "Nothing: bring it back to 44.1 kHz, and it is there again.",
                    "that gives 44,100 samples a second again, but no computation knows what has been filtered out.",
                ),
            ),
        ),
        QuizQuestion(
            "You double the window of a spectrogram. What becomes better, what worse?",
            (
                Choice(
                    "Both time and frequency become sharper: there are more samples to work with.",
                    "whatever happens within one window ends up in one column, and the window is now twice as long.",
                ),
                Choice(
                    "Events in time become sharper, and tones blur.",
                    "the other way round: that is what a shorter window does.",
                ),
                Choice(
                    "Neighbouring tones come apart; events in time are smeared.",
                    "tones half as far from each other come apart, and an event is smeared over twice the time. One "
                    "is paid for with the other.",
                    is_right=True,
                ),
                Choice(
                    "Nothing changes, as long as the hop stays.",
                    "the hop says how many columns there are, not how much of the sound each of them sees.",
                ),
            ),
        ),
        QuizQuestion(
            "Two recordings have the same log-mel spectrogram. Must they sound the same?",
            (
                Choice(
                    "No: they may differ in phase, and in what a wide band has added up.",
                    "of the phase only that is left which overlapping frames say of it. They will usually sound "
                    "alike, and may differ in roughness or in fine detail.",
                    is_right=True,
                ),
                Choice(
                    "No: one may be far louder than the other.",
                    "the picture shows level: ten times the amplitude is 20 dB more in every band, above the floor.",
                ),
                Choice(
                    "Yes: the picture holds all of the sound.",
                    "phase was dropped on the way, and each band has added up what lies inside it.",
                ),
                Choice(
                    "Yes, if their rates are the same.",
                    "the rate says which frequencies the picture can hold. What it drops at any rate is phase, and "
                    "the detail within a band.",
                ),
            ),
        ),
    ),
)
