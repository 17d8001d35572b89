"""Hear yourself, driven in a browser as a person would, and held against PyTorch."""

import json
import re

import numpy as np
import pytest
import soundfile
import torch
from browsing import AXE, NEEDS_BROWSER, open_browser, page
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from envnet_tutorial.audio import load_audio, resample
from envnet_tutorial.audio.levels import compress_levels, level
from envnet_tutorial.audio.spectrograms import log_mel
from envnet_tutorial.datasets.synthetic import example
from envnet_tutorial.explorers.hearing import SAMPLES, HearingExplorer, hear_yourself, sample_sounds
from envnet_tutorial.models.envnet import EnvNet
from envnet_tutorial.models.pooled_norm import PooledNormEnvNet
from envnet_tutorial.probing import composite_kernels, frequency_response
from envnet_tutorial.settings import ENVNET_INPUT

RATE, LENGTH = ENVNET_INPUT.sample_rate, ENVNET_INPUT.num_samples
#: The compression ratio of the fast recipe.
RATIO = 2.5
#: The sample that it opens with.
FIRST = next(iter(SAMPLES))
LOCAL = ("file:", "data:", "blob:", "about:")
PATIENCE = 60  # seconds

# What the page has computed, once it has caught up with what was asked of it.
READ = """
const page = document.querySelector(".hearing-explorer").explorer, result = page.root.result;
if (!page.window || !result || result.run !== page.run) return null;
return {learned: Array.from(result.learned), mel: Array.from(result.mel), window: Array.from(page.window),
  samples: Array.from(page.sound.samples), start: page.start, gain: page.gain, name: page.sound.name,
  status: page.status.textContent, label: page.left.canvas.getAttribute("aria-label")};
"""

# The newest column that was drawn while the microphone listens, and what was heard until its end.
LIVE = """
const page = document.querySelector(".hearing-explorer").explorer, frame = page.live.frame - 1, end = 160 * frame + 174;
if (frame < 160) return null;
return {heard: Array.from(page.live.x.slice(0, end)),
  column: Array.from({length: 40}, (_, f) => page.learned[150 * f + frame % 150])};
"""

# Web Audio that keeps what it is given, and has no clock.
SILENT_AUDIO = """
window.heard = [];
window.AudioContext = class {
  constructor() { this.currentTime = 1; this.destination = {}; }
  createBuffer(channels, length, rate) {
    const data = new Float32Array(length);
    return {rate, data, getChannelData: () => data};
  }
  createGain() { return {connect() {}, gain: {setValueAtTime() {}, linearRampToValueAtTime() {}}}; }
  createBufferSource() { return {connect() {}, stop() {}, start(when, offset) {
    window.heard.push({rate: this.buffer.rate, samples: Array.from(this.buffer.data), loop: this.loop, offset}); }}; }
  resume() {}
};
"""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Write what the microphone hears: 1 kHz, in a file that begins again at its end."""
    path = tmp_path_factory.mktemp("microphone") / "tone.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000), 48_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def browser(spoken):
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with open_browser(*fake, f"--use-file-for-fake-audio-capture={spoken}") as driver:
        yield driver


@pytest.fixture(scope="module")
def explorer():
    return hear_yourself()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def address(folder, explorer):
    return page(folder, explorer._repr_html_())


def computed(driver):
    """Wait for the page to have drawn what it shows."""
    return WebDriverWait(driver, PATIENCE).until(lambda d: d.execute_script(READ))


def open_page(driver, address):
    driver.get("about:blank")
    driver.get_log("browser"), driver.get_log("performance")
    driver.get(address)
    return computed(driver)


def assert_silent_and_alone(driver):
    """No request has left the page, and nothing was written to the console."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url[:80] for url in asked if not url.startswith(LOCAL)] == []
    assert asked, "the log of requests is empty, so it proves nothing"
    assert driver.get_log("browser") == []


@pytest.fixture
def opened(browser, address):
    open_page(browser, address)
    yield browser
    assert_silent_and_alone(browser)


def choose(driver, path):
    driver.find_element(By.NAME, "file").send_keys(str(path))


def press(driver, text):
    buttons = driver.find_elements(By.CSS_SELECTOR, ".hearing-explorer button")
    next(button for button in buttons if button.text == text).click()


def status(driver):
    return driver.find_element(By.CSS_SELECTOR, "[role=status]").text


def wait_for_status(driver, pattern):
    WebDriverWait(driver, PATIENCE).until(lambda d: re.search(pattern, status(d)))


def expected(network, window):
    """Compute both maps of a window (time,) with the package."""
    loud = compress_levels(torch.tensor(window, dtype=torch.float32)[None], RATIO)
    with torch.inference_mode():
        return network.frontend(loud[None])[0].numpy(), log_mel(loud[0], RATE).numpy()


def assert_maps_agree(network, shown):
    learned, mel = expected(network, shown["window"])
    np.testing.assert_allclose(np.reshape(shown["learned"], learned.shape), learned, atol=1e-4 * np.ptp(learned))
    found = np.reshape(shown["mel"], mel.shape)
    np.testing.assert_allclose(found, mel, atol=1e-4 * 100)  # of the range from a full-scale sine to the floor


def assert_live_column_agrees(network, live):
    """Hold a column against PyTorch; its gain is that of the second and a half which end with it."""
    heard = compress_levels(torch.tensor(live["heard"], dtype=torch.float32)[None, -LENGTH:], RATIO)
    with torch.inference_mode():
        column = network.frontend(heard[None, :, -174:])[0, :, 0].numpy()
    np.testing.assert_allclose(live["column"], column, atol=1e-4 * column.max())


def random_network():
    """Make one whose batch norms have statistics and weights of their own, negative scales among them."""
    generator = torch.Generator().manual_seed(3)
    network = PooledNormEnvNet(2)
    for block in (network.feature_conv.conv1, network.feature_conv.conv2):
        norm = block.module[1]
        for values in (norm.weight, norm.bias, norm.running_mean):
            values.data.copy_(torch.randn(values.shape, generator=generator))
        norm.running_var.uniform_(0.05, 2, generator=generator)
    return network.eval()


class TestInBrowser:
    pytestmark = NEEDS_BROWSER

    @pytest.mark.parametrize("kind", ["noise", "a synthetic rooster"])
    def test_both_maps_are_those_of_pytorch(self, opened, explorer, tmp_path, kind):
        noise = 0.2 * torch.randn(LENGTH, generator=torch.Generator().manual_seed(1)).clamp(-3, 3)
        clip = noise if kind == "noise" else resample(*example("rooster"), RATE)[0, 30_000 : 30_000 + LENGTH]
        soundfile.write(tmp_path / "clip.wav", clip.numpy(), RATE, subtype="FLOAT")
        choose(opened, tmp_path / "clip.wav")
        wait_for_status(opened, "clip.wav")
        shown = computed(opened)
        np.testing.assert_array_equal(shown["window"], clip.numpy())
        assert_maps_agree(explorer.network, shown)

    def test_so_are_those_of_another_network(self, browser, folder, tmp_path):
        network = random_network()
        address = page(tmp_path, HearingExplorer(network, sample_sounds(), "random", RATIO)._repr_html_())
        assert_maps_agree(network, open_page(browser, address))

    def test_a_sample_is_shown_from_its_loudest_window(self, opened, explorer):
        press(opened, "a dog")
        wait_for_status(opened, "a dog")
        shown, samples = computed(opened), sample_sounds()["a dog"][0].numpy()
        assert_maps_agree(explorer.network, shown)
        energy = [np.square(samples[start : start + LENGTH]).sum() for start in range(0, 40_000 - LENGTH, 160)]
        assert abs(shown["start"] - 160 * int(np.argmax(energy))) <= 160 * 10  # MP3 shifts and smears it a little
        pressed = opened.find_elements(By.CSS_SELECTOR, ".sample[aria-pressed=true]")
        assert [button.text for button in pressed] == ["a dog"]
        assert "Learned feature map of a dog" in shown["label"]

    def test_the_window_moves_by_keyboard(self, opened, explorer):
        before = computed(opened)
        opened.find_element(By.NAME, "where").send_keys(Keys.ARROW_RIGHT * 3)
        after = computed(opened)
        assert after["start"] == before["start"] + 3 * 160
        assert opened.find_element(By.NAME, "where").get_attribute("aria-valuetext") == f"{after['start'] / RATE:.2f} s"
        assert after["window"] == after["samples"][after["start"] :][:LENGTH]
        assert_maps_agree(explorer.network, after)

    def test_a_stereo_file_at_another_rate_is_mixed_and_converted(self, opened, explorer, tmp_path):
        seconds = np.arange(3 * 44_100) / 44_100
        stereo = np.stack([0.4 * np.sin(2 * np.pi * 1000 * seconds), 0.2 * np.sin(2 * np.pi * 3000 * seconds)], axis=1)
        soundfile.write(tmp_path / "stereo.flac", stereo, 44_100)
        choose(opened, tmp_path / "stereo.flac")
        wait_for_status(opened, "stereo.flac")
        shown = computed(opened)
        wanted = resample(load_audio(tmp_path / "stereo.flac")[0].mean(dim=0), 44_100, RATE).numpy()
        assert abs(len(shown["samples"]) - len(wanted)) <= 1
        middle = slice(1000, 40_000)
        np.testing.assert_allclose(np.array(shown["samples"])[middle], wanted[middle], atol=0.01)
        assert_maps_agree(explorer.network, shown)

    def test_a_short_file_is_filled_up_with_zeros(self, opened, explorer, tmp_path):
        soundfile.write(tmp_path / "click.wav", np.r_[0.5, np.zeros(99)], RATE, subtype="FLOAT")
        choose(opened, tmp_path / "click.wav")
        wait_for_status(opened, "click.wav")
        shown = computed(opened)
        assert shown["window"] == [0.5] + [0] * (LENGTH - 1)
        assert not opened.find_element(By.NAME, "where").is_displayed()
        assert_maps_agree(explorer.network, shown)

    def test_what_is_no_sound_gets_a_sentence_and_leaves_the_last_one(self, opened, tmp_path):
        before = computed(opened)
        (tmp_path / "empty.wav").write_bytes(b"")
        (tmp_path / "letter.mp3").write_text("Dear reader, this is not a sound. " * 100, encoding="utf-8")
        soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
        soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
        soundfile.write(tmp_path / "broken.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
        soundfile.write(tmp_path / "hour.wav", np.zeros(61 * 60 * 8_000, np.int16), 8_000, subtype="PCM_U8")
        for name, sentence in {
            "empty.wav": r"“empty\.wav” is empty\.$",
            "letter.mp3": r"cannot read “letter\.mp3” as a sound\. WAV, MP3, Ogg and FLAC files usually work\.$",
            "none.wav": r"“none\.wav” (as a sound|holds no sound)",
            "silent.wav": r"“silent\.wav” is silent: there is nothing to show\.$",
            "broken.wav": r"“broken\.wav” (holds values that are not numbers|is silent)",
            "hour.wav": r"“hour\.wav” lasts 61 minutes, and this page takes 10: cut out what you want to hear\.$",
        }.items():
            choose(opened, tmp_path / name)
            wait_for_status(opened, sentence)
        after = computed(opened)
        assert after["name"] == before["name"]
        assert after["learned"] == before["learned"]

    def test_a_filter_is_picked_by_keyboard_and_on_the_map(self, opened, explorer):
        slider, canvas = (
            opened.find_element(By.CSS_SELECTOR, f".hearing-explorer {place}")
            for place in ("[name=filter]", "[data-map=learned]")
        )
        order = opened.execute_script("return document.querySelector('.hearing-explorer').explorer.given.order")
        kernels = composite_kernels(explorer.network)
        response = frequency_response(kernels, torch.linspace(0, RATE / 2, 129), RATE)
        slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT * 4)
        words = slider.get_attribute("aria-valuetext")
        assert words.startswith(f"row 5 from the bottom, filter {order[4] + 1}, answers ")
        for row in (4, 29):
            if row == 29:
                opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
                upward = round(canvas.size["height"] * (0.5 - 29.5 / 40))
                ActionChains(opened).move_to_element_with_offset(canvas, 40, upward).click().perform()
            paths = [
                opened.find_element(By.CSS_SELECTOR, f"[data-chart={chart}] .weights").get_attribute("d")
                for chart in ("taps", "spectrum")
            ]
            assert int(slider.get_property("value")) == row + 1
            for path, values in zip(paths, (kernels[order[row]], response[order[row]]), strict=True):
                heights = -np.array(re.findall(r"[ML][\d.]+ ([\d.]+)", path), dtype=float)
                assert len(heights) == len(values)
                assert np.corrcoef(heights, values)[0, 1] > 0.999  # drawn to a tenth of a pixel

    def test_rows_are_sorted_or_not(self, opened):
        read = """const shown = document.querySelector("[data-map=learned]"), copy = document.createElement("canvas");
        [copy.width, copy.height] = [shown.width, shown.height];
        copy.getContext("2d").drawImage(shown, 0, 0);
        return Array.from(copy.getContext("2d").getImageData(0, 0, copy.width, copy.height).data)"""
        order = opened.execute_script("return document.querySelector('.hearing-explorer').explorer.given.order")
        shape = (40, 150, 4)
        is_sorted = np.reshape(opened.execute_script(read), shape)[::-1]
        picked = opened.execute_script("return document.querySelector('.hearing-explorer').explorer.filter")
        opened.find_element(By.NAME, "sort").send_keys(Keys.SPACE)
        is_own = np.reshape(opened.execute_script(read), shape)[::-1]
        np.testing.assert_array_equal(is_sorted, is_own[order])
        assert sorted(order) == list(range(40)) != order
        assert int(opened.find_element(By.NAME, "filter").get_property("value")) == picked + 1

    def test_one_hears_what_the_filter_lets_through_at_a_safe_level(self, opened, explorer):
        opened.execute_script(SILENT_AUDIO)
        window = np.array(computed(opened)["window"])
        kernels = composite_kernels(explorer.network).numpy()
        filters = []
        press(opened, "Play the sound")
        opened.find_element(By.NAME, "repeat").send_keys(Keys.SPACE)
        press(opened, "Play through this filter")
        for keys in (Keys.HOME, Keys.END, Keys.ARROW_LEFT * 7):  # it goes on through the next one
            filters.append(opened.execute_script("return document.querySelector('.hearing-explorer').explorer.filter"))
            opened.find_element(By.NAME, "filter").send_keys(keys)
        plain, *heard = opened.execute_script("return window.heard")
        assert (plain["rate"], plain["loop"], [sound["loop"] for sound in heard]) == (RATE, False, [True] * len(heard))
        assert np.corrcoef(plain["samples"], window)[0, 1] > 0.999999
        words = opened.find_elements(By.CSS_SELECTOR, ".hearing-explorer p[aria-live]")[0].text
        last = opened.execute_script("return document.querySelector('.hearing-explorer').explorer.filter")
        left = np.correlate(window, kernels[last], mode="valid") / np.abs(np.fft.rfft(kernels[last], 256)).max()
        weaker = 10 * np.log10(np.mean(window**2) / np.mean(left**2))
        assert words.startswith(f"Its 15 merged taps leave this sound {weaker:.0f} dB weaker")
        for sound, row in zip(heard[:3], filters, strict=True):
            through = np.correlate(window, kernels[row], mode="valid")
            assert np.corrcoef(sound["samples"], through)[0, 1] > 0.999999
        for sound in (plain, *heard):
            assert np.abs(sound["samples"]).max() <= 0.5 + 1e-6
            assert level(np.array(sound["samples"])) <= -23 + 1e-3
        press(opened, "Stop")
        assert not opened.find_elements(By.XPATH, "//button[text()='Stop']")

    def test_the_microphone_is_heard_drawn_live_and_shown(self, opened, explorer):
        press(opened, "Record")
        live = WebDriverWait(opened, PATIENCE).until(lambda d: d.execute_script(LIVE))
        assert_live_column_agrees(explorer.network, live)
        assert status(opened) == "Listening, for 10 s at most. Press Stop when you are done."
        press(opened, "Stop")
        wait_for_status(opened, "^Shown: your recording")
        shown = computed(opened)
        assert len(shown["samples"]) > 1.6 * RATE
        spectrum = np.abs(np.fft.rfft(np.array(shown["window"][:16_000])))
        assert abs(int(spectrum.argmax()) - 1000) <= 1
        assert abs(level(np.array(shown["window"])) - 20 * np.log10(0.3 / np.sqrt(2))) < 1.5
        assert_maps_agree(explorer.network, shown)
        assert (
            opened.execute_script("return document.querySelector('.hearing-explorer').explorer.live.microphone") is None
        )

    def test_a_browser_without_worklets_records_too(self, browser, address):
        open_page(browser, address)
        browser.execute_script("AudioWorklet.prototype.addModule = () => Promise.reject(new Error('none'))")
        press(browser, "Record")
        WebDriverWait(browser, PATIENCE).until(lambda d: d.execute_script(LIVE))
        press(browser, "Stop")
        wait_for_status(browser, "^Shown: your recording")
        assert abs(int(np.abs(np.fft.rfft(computed(browser)["window"][:16_000])).argmax()) - 1000) <= 1
        browser.get_log("browser")  # Chromium calls the older way deprecated

    def test_another_choice_ends_a_recording(self, opened):
        press(opened, "Record")
        wait_for_status(opened, "^Listening")
        assert not opened.find_element(By.NAME, "where").is_enabled()
        press(opened, "a clock")
        wait_for_status(opened, "^Shown: a clock")
        assert opened.find_element(By.NAME, "where").is_enabled()
        assert [b.text for b in opened.find_elements(By.CSS_SELECTOR, "button.record")] == ["Record"]

    def test_no_microphone_and_a_refused_one_get_a_sentence(self, address):
        flags = {
            "No microphone was found": (),
            "The microphone was refused": ("--use-fake-device-for-media-stream", "--deny-permission-prompts"),
        }
        for sentence, flag in flags.items():
            with open_browser(*flag) as driver:
                open_page(driver, address)
                press(driver, "Record")
                wait_for_status(driver, sentence + r"\. .*[Cc]hoose a file, or take a sample\.$")
                assert computed(driver)["name"] == FIRST
                assert len(driver.find_elements(By.CSS_SELECTOR, ".sample[aria-pressed=true]")) == 1
                assert_silent_and_alone(driver)

    def test_the_rate_is_converted_as_by_the_package(self, opened):
        sound = torch.randn(3_000, generator=torch.Generator().manual_seed(2))
        for rate in (48_000, 44_100, 22_050, 16_000, 8_000):
            found = opened.execute_script(
                "const [x, rate, to] = arguments, r = new hearingSignal.Resampler(rate, to);"
                "return Array.from(r.run(Float32Array.from(x), x.length, 0, r.length(x.length)))",
                *(sound.tolist(), rate, RATE),
            )
            np.testing.assert_allclose(found, resample(sound, rate, RATE).numpy(), atol=1e-4)

    def test_it_is_quick(self, opened):
        """Processor time, because other programs may share the machine's cores; of both maps, without the naming."""
        opened.execute_script("document.querySelector('.hearing-explorer').explorer.naming = null")
        opened.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        first, whole = [], []
        for _ in range(3):
            times = [thread_time(opened)]
            opened.execute_script(
                "const p = document.querySelector('.hearing-explorer').explorer; p.take(p.start); p.run++"
            )
            times.append(thread_time(opened))
            opened.execute_script("const p = document.querySelector('.hearing-explorer').explorer; p.take(p.start)")
            computed(opened)
            times.append(thread_time(opened))
            first.append(times[1] - times[0])
            whole.append(times[2] - times[1])
        opened.execute_cdp_cmd("Performance.disable", {})
        assert min(first) < 0.1
        assert min(whole) < 0.5

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_is_accessible_and_fits_a_small_phone(self, browser, explorer, folder, theme):
        for width in (360, 1280):
            metrics = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": width == 360}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            open_page(browser, page(folder, explorer._repr_html_(), theme))
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            browser.execute_script(AXE.read_text(encoding="utf-8"))
            found = browser.execute_async_script(
                "axe.run(document, {preload: false}).then((r) => arguments[0](r.violations.map((v) => [v.id, v.help])))"
            )
            assert found == []
            assert_silent_and_alone(browser)
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def test_nothing_runs_along_for_those_who_asked_for_less_motion(self, opened):
        opened.execute_script(SILENT_AUDIO)
        visible = "return [...document.querySelectorAll('.now')].map(line => !line.hidden)"
        for preference, shown in (("no-preference", True), ("reduce", False)):
            features = [{"name": "prefers-reduced-motion", "value": preference}]
            opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            press(opened, "Play the sound")
            assert opened.execute_script(visible) == [shown, shown]
            press(opened, "Stop")
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def thread_time(driver) -> float:
    """Return the seconds that the page's own thread has computed for."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")


def test_it_is_light_names_its_origin_and_shows_a_picture_without_javascript(explorer):
    whole = explorer._repr_html_()
    assert len(whole) < 700_000  # with the weights of the network that names
    assert "CC BY-NC 3.0" in whole and "fold 1 held out" in whole
    static = whole[whole.index("<figure>") : whole.index("<script>")]
    assert re.findall(r'alt="([^"]*)"', static) == [
        f"Learned feature map of {FIRST}, 40 rows by 150 steps",
        f"Log-mel spectrogram of {FIRST}, 40 rows by 150 steps",
    ]
    assert f"<figcaption>{FIRST.capitalize()}: " in static and "needs JavaScript" in static
    assert not re.search(r"(?:src|href)=\"(?!data:)|https?://(?!www\.w3\.org/2000/svg)", whole)


def test_its_text_never_changes(explorer):
    assert repr(explorer) == f"HearingExplorer({', '.join(SAMPLES)})"
    assert explorer._repr_html_() == hear_yourself()._repr_html_()


def test_what_the_page_cannot_run_is_refused(explorer):
    with pytest.raises(TypeError, match="not of EnvNet"):
        HearingExplorer(EnvNet(2), sample_sounds(), "", RATIO)
    for sounds in ({}, {"short": torch.zeros(1, 100)}):
        with pytest.raises(ValueError, match="give one or more sounds"):
            HearingExplorer(explorer.network, sounds, "", RATIO)
