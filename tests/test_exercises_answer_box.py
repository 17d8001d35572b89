"""What a page says of an answer that is typed into it is what Python says of the same answer."""

import json
import math
import random
from pathlib import Path

import pytest
from browsing import AXE, NEEDS_BROWSER, busy, open_browser
from bs4 import BeautifulSoup
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from envnet_tutorial.exercises import export, questions
from envnet_tutorial.exercises.answer_box import answer_box
from envnet_tutorial.exercises.answers import MALFORMED as MALFORMED_SENTENCES
from envnet_tutorial.exercises.inlined import style_and_script
from scripts.repository import ROOT

#: Every question by the key under which a page has it.
QUESTIONS = {
    f"{lesson.__name__.rpartition('.')[2]}.{question.name}": question
    for lesson in export.LESSONS
    for question in export.questions_of(lesson)
}
NUMBER, PAIR = "lesson_02.check_samples_left", "lesson_03.check_rows_and_steps"
WORD, TAPS = "lesson_05.check_untrained_diagonal", "lesson_02.check_smoother"

# Types each text into its box and hands it in, as the Enter key does; returns what is said, and how long that took.
TYPE = """
const [typed] = arguments, boxes = {};
document.querySelectorAll(".answer-box").forEach((root) => { boxes[JSON.parse(root.dataset.box).key] = root; });
return typed.map(([key, text]) => {
  const form = boxes[key].querySelector("form"), field = form.querySelector("input[type=text]");
  if (field) field.value = text;
  else form.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === text; });
  const start = performance.now();
  form.requestSubmit();
  return [form.querySelector("[role=status]").textContent, performance.now() - start];
});
"""


def source(key: str) -> str:
    return f"answer = ...\n\n{key}(answer)"


def page(folder, *keys, theme="light") -> Path:
    boxes = "".join(answer_box(source(key)) for key in keys or QUESTIONS)
    path = folder / f"answers-{theme}.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Answers</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f"<body><main><h1>A</h1>{boxes}{style_and_script('answer_box')}</main></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture
def opened(browser, address, tmp_path):
    """Open a page with all boxes."""
    browser.get(f"{address}/{page(tmp_path).name}")
    return browser


def numbers(answer) -> tuple[float, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def cases(question) -> list:
    """Return the answers that a declaration speaks of, each with how far another may lie from it."""
    if isinstance(question, questions.HelperQuestion):
        return [(case.answer, 1.0) for case in question.given] + [((10, 6), 1.0), ((100, 10), 1.0), ((10, 30), 0.5)]
    if isinstance(question, questions.ConditionQuestion):
        return [((0.25, 0.5, 0.25), 1e-3), ((0.85, 0.5, -0.35), 1e-3), ((1, 0, 0), 0.5), ((0.6, 0.4, 0.1), 0.1)]
    own = questions.Case(question.answer, question.praise, question.tolerance)
    return [(case.answer, case.tolerance) for case in (own, *question.hints, *question.also)]


def around(question) -> list[tuple[float, ...]]:
    """Return each declared answer, and answers just within, on and just outside its tolerance in every number."""
    found = []
    for answer, tolerance in cases(question):
        values = numbers(answer)
        found.append(values)
        for position in range(len(values)):
            for step in (-2, -1.0001, -1, -0.9999, 0.9999, 1, 1.0001, 2):
                moved = values[position] + step * tolerance
                found.append((*values[:position], moved, *values[position + 1 :]))
    return found


def at_random(question, source: random.Random) -> list[tuple[float, ...]]:
    wanted = len(numbers(cases(question)[0][0]))
    lengths = [wanted] * 8 + [max(1, wanted - 1), wanted + 1]
    draw = (lambda: source.randint(-3, 300), lambda: source.uniform(-2, 2), lambda: 10 ** source.uniform(-4, 6))
    return [tuple(source.choice(draw)() for _ in range(length)) for length in lengths]


def forms(values: tuple[float, ...]) -> list[str]:
    """Write numbers as a reader of Python would."""
    listed = ", ".join(map(repr, values))
    if len(values) > 1:
        return [f"({listed})", f"[{listed}]", listed]
    return [listed, f" ( {listed} ) ", f"[{listed}]", f"({listed},)"]


#: Python itself says what each of these is.
MALFORMED = [
    *("()", "[]", "(1, 2, 3, 4, 5)", "[1,234]", "'12'", '"some"', "True", "[False, 1]", "nan", "inf", "-inf", "1e999"),
    *("[nan, 1]", "[[40, 150]]", "((4, 32), (3, 3))", "[(1,), 'a']", "[inf, nan]", "(nan, '7', 3)", "...", "None", ""),
    *(" … ".strip(" …"), "(40, ...)", "[None, 150]", "'...'", "[1, '']", "[2, [3, ...]]", "(7)", "-(3)", "(((15)))"),
]
#: What Python reads as another thing, or not at all, and a page as its reader means it.
MEANT = {
    NUMBER: {
        "15,993": 15_993,
        " 15,993 samples": 15_993,
        "15 993": 15_993,
        "15'993": 15_993,
        "16,000 − 7": 15_993,
        "16,000 - (8 - 1)": 15_993,
        "(16,000) - 7": object(),  # in brackets a comma separates
        "1,234,567.5": 1_234_567.5,
        "0,5": (0, 5),
        "1,2345": (1, 2345),
        "3 x 5,331": 15_993,
        "3 × 5331": 15_993,
        "3 · 5331": 15_993,
        "31986 ÷ 2": 15_993,
        "many": object(),
        "16000 -": object(),
        "1 2": object(),
        "5)": object(),
        "{15993}": object(),
        "samples": object(),
        "1/0": math.inf,
        "0 / 0": math.nan,
        "…": ...,
        "<b>": object(),
        "constructor": object(),
        "toString(1)": object(),
    },
    PAIR: {
        "40 150": (40, 150),
        "40 x 150": (40, 150),
        "40×150": (40, 150),
        "40; 150": (40, 150),
        "40 and 150": (40, 150),
        "40, 24,014": (40, 24_014),
        "40,150": (40, 150),
        "(40, 24,014)": (40, 24, 14),
        "40": 40,
        "40 - 150": -110,
    },
    TAPS: {
        "1/4, 1/2, 1/4": (0.25, 0.5, 0.25),
        "0.25 0.5 0.25": (0.25, 0.5, 0.25),
        "1/3 1/3 1/3": (1 / 3, 1 / 3, 1 / 3),
    },
}
#: Sums that a reader may leave to the page, as to the cell.
SUMS = [
    *("2 * 44_100 * 5 + 44", "1/80", "-3 / 4", "2**10", "-2**2", "2 ** -1", "7 // 2", "-7 // 2", "7 % -3", "-7.5 % 2"),
    *(
        "1e-3",
        "1.5E3",
        ".5",
        "5.",
        "+4",
        "--4",
        "10 - 3 - 2",
        "2 * (3 + 4) * 5",
        "100 / 10 / 5",
        "(1 + 2, 3)",
        "0.1 + 0.2",
    ),
    *(
        "math.log(10)",
        "-math.log(1 / 10)",
        "math.sqrt(0.75 * 0.25 / 80) * 100",
        "20 * math.log10(2)",
        "math.pi",
        "2 ** 3 ** 2",
    ),
    *("16000 - 7", "[16000 - 7]", "6.02 * 8 + 1.76", "0.1 // 0.01", "1_000_000", "1000 * 174 / 16_000", "10 ** 22 + 1"),
]


def expected(key: str, value) -> str:
    return repr(QUESTIONS[key].judge(value))


def evaluated(text: str):
    names = {"math": math, "nan": math.nan, "inf": math.inf, "np": math}
    return eval(text, names) if text else text


class TestInABrowser:
    pytestmark = NEEDS_BROWSER

    def test_page_and_python_say_the_same_of_every_question(self, opened):
        source = random.Random(14)
        pairs = []
        for key, question in QUESTIONS.items():
            if isinstance(question, questions.ChoiceQuestion):
                pairs += [(key, word, word) for word in (*question.choices, "")]
                continue
            texts = [text for values in around(question) + at_random(question, source) for text in forms(values)]
            pairs += [(key, text, evaluated(text)) for text in texts + MALFORMED + SUMS]
            pairs += [(key, text, value) for text, value in MEANT.get(key, {}).items()]
        said = opened.execute_script(TYPE, [pair[:2] for pair in pairs])
        differing = {
            pair[:2]: (page_says, expected(pair[0], pair[2]))
            for pair, (page_says, _) in zip(pairs, said, strict=True)
            if page_says != expected(pair[0], pair[2])
        }
        assert differing == {}, differing
        assert len(pairs) > 5_000
        # A clock on the wall counts other programs too: it may call slow what is quick, never quick what is slow.
        slow = [pair[:2] for pair, (_, milliseconds) in zip(pairs, said, strict=True) if milliseconds >= 100]
        for pair in slow:
            assert busy(opened, f"(function () {{ {TYPE} }})({json.dumps([pair])});", times=1) < 100, pair
        verdicts = {(pair[0], page_says.split(":")[0]) for pair, (page_says, _) in zip(pairs, said, strict=True)}
        assert len(verdicts) == 3 * len(QUESTIONS), "some question was never answered right, wrong, or not at all"
        assert opened.get_log("browser") == []

    def test_every_sentence_that_is_declared_is_said_in_the_page(self, opened):
        for key, question in QUESTIONS.items():
            if isinstance(question, questions.TupleQuestion):
                declared = [question.praise, *(case.text for case in (*question.hints, *question.also))]
                said = opened.execute_script(TYPE, [(key, repr(answer)) for answer, _ in cases(question)])
                assert [text.partition(": ")[2] for text, _ in said] == declared

    def test_keyboard_alone_answers(self, browser, address, tmp_path):
        browser.get(f"{address}/{page(tmp_path, NUMBER, WORD).name}")
        keys = webdriver.ActionChains(browser)
        keys.send_keys(Keys.TAB, "16,000", Keys.ENTER).perform()
        first, second = browser.find_elements(By.CSS_SELECTOR, ".answer-box [role=status]")
        assert first.text == expected(NUMBER, 16_000)
        keys.send_keys("0").perform()
        assert first.text == "", "a verdict on what is no longer there"
        keys.send_keys(Keys.TAB, Keys.TAB, Keys.SPACE, Keys.ARROW_DOWN, Keys.ENTER).perform()
        assert second.text == expected(WORD, "some")

    def test_an_answer_outlasts_the_page(self, opened):
        opened.execute_script(TYPE, [(NUMBER, "15,992"), (WORD, "full"), (PAIR, "")])
        opened.refresh()

        def said(browser):
            texts = {status.text for status in browser.find_elements(By.CSS_SELECTOR, ".answer-box [role=status]")}
            return texts - {""} == {expected(NUMBER, 15_992), expected(WORD, "full")}

        WebDriverWait(opened, 10).until(said)
        assert opened.find_element(By.ID, f"answer-{NUMBER}").get_property("value") == "15,992"

    def test_it_works_where_nothing_may_be_kept(self, browser, tmp_path):
        path = page(tmp_path, NUMBER)
        refusing = "<script>Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})</script>"
        path.write_text(path.read_text("utf-8").replace("<main>", f"{refusing}<main>"), "utf-8")
        browser.get(path.as_uri())
        ((said, _),) = browser.execute_script(TYPE, [(NUMBER, "15,993")])
        assert said == expected(NUMBER, 15_993)
        assert browser.get_log("browser") == []

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_page_is_accessible_and_asks_for_nothing(self, browser, tmp_path, theme):
        browser.get(page(tmp_path, theme=theme).as_uri())
        browser.execute_script(TYPE, [(NUMBER, "15,993"), (PAIR, "7"), (WORD, "none")])
        browser.execute_script(AXE.read_text("utf-8"))
        results = browser.execute_async_script("axe.run().then(arguments[0])")
        assert [violation["id"] for violation in results["violations"]] == []
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.find_element(By.ID, f"answer-{NUMBER}").accessible_name == "Your answer: answer ="
        assert browser.find_element(By.CSS_SELECTOR, "fieldset").accessible_name == "Your answer: answer ="

    def test_fits_a_phone(self, browser, tmp_path):
        metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(page(tmp_path).as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") == 360
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_box_is_hidden_until_a_script_fills_it_and_holds_the_question_as_declared():
    box = BeautifulSoup(answer_box(source(PAIR)), "html.parser").find("div", class_="answer-box", hidden=True)
    assert box.text == ""
    data = json.loads(box["data-box"])
    assert (data["key"], data["variable"]) == (PAIR, "answer")
    assert data["question"] == json.loads(json.dumps(QUESTIONS[PAIR].to_json()))
    assert data["malformed"] == MALFORMED_SENTENCES


@pytest.mark.parametrize(
    "code",
    [
        "answer = 15_993\n\nlesson_02.check_samples_left(answer)",
        "answer = ...\n\nlesson_02.check_samples_left(other)",
        "answer = ...  # def my_convolve(signal, kernel, stride): ...\n\nlesson_02.check_convolve(answer)",
        "answer = ...\nlesson_99.check_samples_left(answer)",
        "x = 1\nanswer = ...\nlesson_02.check_samples_left(answer)",
        "lesson_02.QUIZ",
        "",
    ],
)
def test_other_cells_get_no_box(code):
    assert answer_box(code) == ""


def test_every_declared_question_that_a_lesson_asks_has_its_box_once():
    boxed, asked = [], set()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
            asked |= {key for key in QUESTIONS if f"{key}(" in code}
            if box := BeautifulSoup(answer_box(code), "html.parser").div:
                boxed.append(json.loads(box["data-box"])["key"])
    assert sorted(boxed) == sorted(asked) == sorted(QUESTIONS)
