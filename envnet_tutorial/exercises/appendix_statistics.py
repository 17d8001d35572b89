"""Checks for the exercises of the appendix on statistics."""

from envnet_tutorial.exercises.feedback import Feedback
from envnet_tutorial.exercises.questions import Case, ChoiceQuestion, NumberQuestion
from envnet_tutorial.exercises.quizzes.appendix_statistics import QUIZ as QUIZ

LEVEL, TESTS = 0.05, 20

THRESHOLD = NumberQuestion(
    name="check_threshold",
    task="replace the dots with a probability between 0 and 1.",
    answer=LEVEL / TESTS,
    tolerance=2e-5,
    praise="0.05 / 20 = 0.0025: then even all twenty together raise a false alarm at most once in twenty times.",
    hints=(
        Case(0.05, "with twenty tests one of them falls below that by chance: share it out among them.", 1e-4),
        Case(1.0, "so many false alarms are to be expected at 0.05: below what must one test fall?", 1e-4),
        Case(0.25, "that is in percent: the probability is a hundredth of it.", 1e-3),
        Case(1 - 0.95**20, "so likely is at least one false alarm at 0.05: below what must one test fall?", 5e-3),
    ),
    also=(
        Case(
            1 - (1 - LEVEL) ** (1 / TESTS),
            "that is Šidák's threshold, exact for independent tests; 0.05 / 20 = 0.0025 is a little below it, and "
            "holds whether they are independent or not.",
            1e-5,
        ),
    ),
    hint="the twenty may raise a false alarm once in twenty times together: what is left for each?",
)

ALIKE = ChoiceQuestion(
    name="check_alike",
    task='replace the dots with "yes" or "no".',
    choices=("yes", "no"),
    answer="yes",
    praise="each of the five chooses `fast` without mixing, by clips that it does not report.",
    hints=(Case("no", "look at the column `chosen` below: does any fold choose otherwise?"),),
    hint="the column `chosen` below tells.",
)


def check_alike(answer: str) -> Feedback:
    """Check a prediction of whether all folds choose the same recipe (appendix on statistics): they do."""
    return ALIKE.judge(answer)


def check_threshold(answer: float) -> Feedback:
    """Check what a test has to fall below if it is one of twenty (appendix on statistics): 0.05 / 20."""
    return THRESHOLD.judge(answer)
