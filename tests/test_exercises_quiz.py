"""A quiz, answered in a browser as a person would; and what is left of it where no script runs."""

import importlib
import json
import re
from pathlib import Path

import pytest
from browsing import AXE, NEEDS_BROWSER, open_browser, phone
from bs4 import BeautifulSoup
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from envnet_tutorial.exercises.export import LESSONS
from envnet_tutorial.exercises.quiz import Choice, Quiz, QuizQuestion
from scripts.repository import ROOT

QUIZZES = [lesson.QUIZ for lesson in LESSONS]
NUMBER = QuizQuestion(
    "How much is `1 < 2`?", (Choice("True & so", "so it is.", is_right=True), Choice("0", "no."), Choice("<b>", "no."))
)
OTHER = QuizQuestion(
    "And then?", (Choice("a", "not a."), Choice("b", "not b."), Choice("c", "c it is.", is_right=True))
)
SMALL = Quiz("lesson_99", (NUMBER, OTHER))


def page(folder, *quizzes, theme="light") -> Path:
    body = "".join(quiz._repr_html_() for quiz in quizzes)
    path = folder / f"quiz-{theme}.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Quiz</title>'
        f'<meta name="viewport" content="width=device-width"></head><body><main><h1>Q</h1>{body}</main></body></html>',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture
def opened(browser, address, tmp_path):
    """Open the small quiz."""
    browser.get(f"{address}/{page(tmp_path, SMALL).name}")
    return browser


def form(browser, question):
    return browser.find_elements("css selector", ".quiz form")[question]


def answer(browser, question, choice) -> str:
    """Choose and check with the mouse; return what is said."""
    asked = form(browser, question)
    asked.find_elements("css selector", "label")[choice].click()
    asked.find_element("css selector", "button").click()
    return asked.find_element("css selector", "[role=status]").text


def score(browser) -> str:
    return browser.find_element("css selector", ".score").text


class TestInABrowser:
    pytestmark = NEEDS_BROWSER

    def test_each_choice_has_its_reason_and_only_the_first_try_counts(self, opened):
        assert score(opened) == "Right at the first try: 0 of 0 answered, 2 in all."
        assert answer(opened, 0, 1) == "Not so: no."
        assert score(opened) == "Right at the first try: 0 of 1 answered, 2 in all."
        assert answer(opened, 0, 0) == "Right: so it is."
        assert score(opened) == "Right at the first try: 0 of 1 answered, 2 in all."
        assert answer(opened, 1, 2) == "Right: c it is."
        assert score(opened) == "Right at the first try: 1 of 2 answered, 2 in all."
        marks = [mark.text for mark in opened.find_elements("css selector", ".quiz .verdict")]
        assert marks == ["✓ right", "✗ not so", "", "", "", "✓ right"]

    def test_the_score_outlasts_the_page_until_one_starts_again(self, opened):
        answer(opened, 1, 0), answer(opened, 1, 2), answer(opened, 0, 0)
        opened.refresh()
        assert score(opened) == "Right at the first try: 1 of 2 answered, 2 in all."
        assert form(opened, 1).find_element("css selector", "[role=status]").text == "Not so: not a."
        opened.find_element("css selector", ".bottom button").click()
        assert score(opened) == "Right at the first try: 0 of 0 answered, 2 in all."
        assert opened.execute_script("return localStorage.length") == 0
        assert not opened.find_element("css selector", ".bottom button").is_displayed()
        assert opened.find_elements("css selector", "input:checked") == []

    def test_another_text_starts_a_score_of_its_own(self, opened, tmp_path):
        answer(opened, 0, 0)
        page(tmp_path, Quiz(SMALL.name, (OTHER, NUMBER)))
        opened.refresh()
        assert score(opened) == "Right at the first try: 0 of 0 answered, 2 in all."

    def test_it_works_where_nothing_may_be_kept(self, opened, tmp_path):
        path = page(tmp_path, SMALL)
        refusing = "<script>Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})</script>"
        path.write_text(path.read_text("utf-8").replace("<main>", f"{refusing}<main>"), "utf-8")
        opened.refresh()
        assert answer(opened, 0, 0) == "Right: so it is."
        assert score(opened) == "Right at the first try: 1 of 1 answered, 2 in all."

    def test_what_a_browser_kept_and_somebody_spoiled_is_no_score(self, opened):
        key = answer(opened, 0, 0) and opened.execute_script("return localStorage.key(0)")
        assert key.startswith("quiz-lesson_99-")
        for spoiled in ("{", "null", "[7, -1]", '"text"', "[1.5]"):
            opened.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, spoiled)
            opened.refresh()
            assert score(opened) == "Right at the first try: 0 of 0 answered, 2 in all."
        assert opened.get_log("browser") == []

    def test_the_keyboard_alone_suffices(self, opened):
        keys = webdriver.ActionChains(opened)
        keys.send_keys(Keys.TAB, Keys.SPACE, Keys.ARROW_DOWN, Keys.ENTER).perform()  # the second choice, and check it
        assert form(opened, 0).find_element("css selector", "[role=status]").text == "Not so: no."
        keys.send_keys(Keys.ARROW_UP).perform()
        assert form(opened, 0).find_element("css selector", "[role=status]").text == ""
        keys.send_keys(Keys.TAB, Keys.SPACE).perform()
        assert form(opened, 0).find_element("css selector", "[role=status]").text == "Right: so it is."
        assert score(opened) == "Right at the first try: 0 of 1 answered, 2 in all."

    def test_checking_nothing_counts_nothing(self, opened):
        form(opened, 1).find_element("css selector", "button").click()
        assert form(opened, 1).find_element("css selector", "[role=status]").text == "Choose an answer first."
        assert score(opened) == "Right at the first try: 0 of 0 answered, 2 in all."

    @pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.QUIZ.name)
    def test_every_choice_of_every_lesson_says_its_own_reason(self, browser, tmp_path, lesson):
        browser.get(page(tmp_path, lesson.QUIZ).as_uri())
        said = browser.execute_script(
            "return [...document.querySelectorAll('.quiz form')].map((form) =>"
            " [...form.querySelectorAll('input')].map((radio) => { radio.click(); form.requestSubmit();"
            " return [form.querySelector('[role=status]').textContent, radio.parentNode.children[1].textContent]; }))"
        )
        for question, shown in zip(lesson.QUIZ.questions, said, strict=True):
            for choice, (reason, text) in zip(question.choices, shown, strict=True):
                assert text == plain(choice.text)
                assert reason == ("Right: " if choice.is_right else "Not so: ") + plain(choice.reason)

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_page_is_accessible_asks_for_nothing_and_logs_nothing(self, browser, tmp_path, theme):
        browser.get(page(tmp_path, SMALL, *QUIZZES, theme=theme).as_uri())
        answer(browser, 0, 0), answer(browser, 1, 1)
        browser.execute_script(AXE.read_text("utf-8"))
        results = browser.execute_async_script("axe.run().then(arguments[0])")
        assert [violation["id"] for violation in results["violations"]] == []
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.get_log("browser") == []
        groups = browser.find_elements("css selector", "fieldset")
        assert [group.accessible_name for group in groups[:2]] == ["1. How much is 1 < 2?", "2. And then?"]

    def test_fits_a_phone(self, browser, tmp_path):
        with phone(browser, 360, 740):
            browser.get(page(tmp_path, *QUIZZES).as_uri())
            assert browser.execute_script("return document.documentElement.scrollWidth") == 360


def plain(text: str) -> str:
    return text.replace("`", "")


def test_without_a_script_the_answers_are_folds():
    still = BeautifulSoup(SMALL._repr_html_(), "html.parser").find("div", class_="quiz")
    assert [p.text for p in still.find_all("p")] == ["1. How much is 1 < 2?", "2. And then?"]
    assert [li.text for li in still.select(".quiz-question > ol > li")] == ["True & so", "0", "<b>", "a", "b", "c"]
    assert [li.text for li in still.select("details li")][:2] == ["Right: so it is.", "Not so: no."]
    assert still.find(["input", "button"]) is None
    assert still.find("code").text == "1 < 2"


def test_the_text_is_the_same_each_time_and_holds_every_reason():
    assert repr(SMALL).splitlines()[:3] == ["1. How much is `1 < 2`?", "   a) True & so", "   b) 0"]
    assert "2c) Right: c it is." in repr(SMALL)
    assert SMALL._repr_html_() == Quiz(SMALL.name, SMALL.questions)._repr_html_()
    assert "http" not in SMALL._repr_html_()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.QUIZ.name)
def test_every_lesson_asks_three_questions_and_hides_the_answer_in_no_pattern(lesson):
    quiz = lesson.QUIZ
    assert lesson.__name__.endswith(f".{quiz.name}")
    assert len(quiz.questions) == 3
    places = [[choice.is_right for choice in question.choices].index(True) for question in quiz.questions]
    assert len(set(places)) > 1, "the right choice stands always in the same place"


def test_what_the_notebooks_store_is_the_quiz_as_it_is_declared():
    """Another text, script or style asks for another output: execute the lesson again."""
    stored = []
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if asked := re.fullmatch(r"(\w+)\.QUIZ", "".join(cell["source"])):
                quiz = importlib.import_module(f"envnet_tutorial.exercises.{asked[1]}").QUIZ
                data = cell["outputs"][0]["data"]
                assert "".join(data["text/html"]) == quiz._repr_html_(), path.name
                assert "".join(data["text/plain"]) == repr(quiz), path.name
                stored.append(quiz.name)
    assert len(stored) == len(set(stored)) >= 4


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ((Choice("a", "x", is_right=True), Choice("b", "x")), "three or four"),
        (tuple(Choice(letter, "x") for letter in "abc"), "exactly one"),
        (tuple(Choice(letter, "x", is_right=True) for letter in "abc"), "exactly one"),
        ((Choice("a", "x", is_right=True), Choice("b", "x"), Choice("b", "y")), "twice"),
        ((Choice("a", "x", is_right=True), Choice("b", "x"), Choice("c", " ")), "lacks a text"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(choices, complaint):
    with pytest.raises(ValueError, match=complaint):
        QuizQuestion("?", choices)
