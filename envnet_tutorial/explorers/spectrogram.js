/* A spectrogram to move: the sound comes with the page, the transform runs in it. Builds on sound.js. A classic script, for file:// too. */
(function () {
  "use strict";
  var fft = soundNumbers.fft, decode = soundNumbers.decode, DECIBELS = 10 / Math.LN10;

  function windowOf(shape, length) {
    var values = new Float64Array(length), sum = 0;
    for (var i = 0; i < length; i++) {
      values[i] = shape === "hann" ? 0.5 - 0.5 * Math.cos(2 * Math.PI * i / length) : 1;
      sum += values[i];
    }
    return { values: values, sum: sum };
  }

  // Levels in dB re a full-scale sine, frame after frame; frames lie wholly inside the sound.
  function analyse(samples, length, hop, shape) {
    var bins = length / 2 + 1, frames = Math.floor((samples.length - length) / hop) + 1;
    var win = windowOf(shape, length), levels = new Float64Array(frames * bins);
    var re = new Float64Array(length), im = new Float64Array(length), scale = 1 / (win.sum * win.sum);
    function level(one, other) { return DECIBELS * Math.log(Math.max((one * one + other * other) * scale, 1e-20)); }
    // Two frames at a time, one as the real and one as the imaginary part: symmetry tells their spectra apart.
    for (var f = 0; f < frames; f += 2) {
      for (var i = 0; i < length; i++) {
        re[i] = samples[f * hop + i] * win.values[i];
        im[i] = f + 1 < frames ? samples[(f + 1) * hop + i] * win.values[i] : 0;
      }
      fft(re, im);
      for (var b = 0; b < bins; b++) {
        var mirror = (length - b) % length;
        levels[f * bins + b] = level(re[b] + re[mirror], im[b] - im[mirror]);
        if (f + 1 < frames) levels[(f + 1) * bins + b] = level(im[b] + im[mirror], re[b] - re[mirror]);
      }
    }
    return { levels: levels, bins: bins, frames: frames };
  }

  /* A colour as the four bytes of a pixel. */
  function pixel(hex) {
    var bytes = [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); });
    return new Uint32Array(new Uint8Array(bytes.concat(255)).buffer)[0];
  }
  function signed(value) { return String(value).replace("-", "\u2212"); }

  function node(name, attributes, parent, text) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function Explorer(root) {
    var given = JSON.parse(root.getAttribute("data-settings"));
    this.root = root;
    this.given = given;
    this.colours = given.colours.map(pixel);
    this.sounds = given.sounds.map(function (sound) { return { name: sound.name, samples: decode(sound.samples) }; });
    root.setAttribute("data-ready", "yes");
    root.textContent = "";
    this.build();
    this.draw();
  }

  Explorer.prototype.choice = function (parent, name, text, options, selected) {
    var label = node("label", {}, parent, text + " "), select = node("select", { name: name }, label);
    options.forEach(function (option) {
      var made = node("option", { value: option[0] }, select, option[1]);
      if (option[0] === selected) made.selected = true;
    });
    select.addEventListener("change", this.draw.bind(this));
    return select;
  };

  Explorer.prototype.range = function (parent, name, text, limits, value) {
    var label = node("label", {}, parent, text + " "), shown = node("output", {}, label);
    var input = node("input", { type: "range", name: name, min: limits[0], max: limits[1], step: limits[2] }, label);
    input.value = value;
    input.addEventListener("input", this.draw.bind(this));
    return { input: input, output: shown };
  };

  Explorer.prototype.build = function () {
    var root = this.root, given = this.given, start = given.start;
    var set = node("fieldset", {}, root);
    node("legend", {}, set, "Spectrogram to move");
    this.sound = this.choice(set, "sound", "sound", this.sounds.map(function (s, i) { return [i, s.name]; }), 0);
    this.shape = this.choice(set, "shape", "window shape", [["hann", "Hann"], ["rectangular", "rectangular"]], start.shape);
    this.window = this.range(set, "window", "window", [0, given.windows.length - 1, 1], given.windows.indexOf(start.window));
    this.overlap = this.range(set, "overlap", "overlap", [0, given.overlaps.length - 1, 1], given.overlaps.indexOf(start.overlap));
    this.floor = this.range(set, "floor", "floor", [-120, -20, 10], start.floor);
    var buttons = node("div", { class: "buttons" }, root);
    node("button", { type: "button" }, buttons, "Play the sound").addEventListener("click", this.play.bind(this));
    var plot = node("div", { class: "plot" }, root);
    this.ticksY = node("div", { class: "y", "aria-hidden": "true" }, plot);
    this.canvas = node("canvas", { width: 720, height: 300, role: "img" }, plot);
    this.ticksX = node("div", { class: "x", "aria-hidden": "true" }, plot);
    this.scale = node("div", { class: "scale", "aria-hidden": "true" }, root);
    this.facts = node("p", { class: "facts", "aria-live": "polite" }, root);
  };

  Explorer.prototype.settings = function () {
    var length = this.given.windows[+this.window.input.value], overlap = this.given.overlaps[+this.overlap.input.value];
    return {
      sound: this.sounds[+this.sound.value], length: length, overlap: overlap, hop: Math.round(length * (1 - overlap)),
      shape: this.shape.value, floor: +this.floor.input.value,
    };
  };

  Explorer.prototype.draw = function () {
    var s = this.settings(), rate = this.given.rate, ms = function (n) { return +(1000 * n / rate).toFixed(2); };
    var asked = [this.sound.value, s.length, s.hop, s.shape].join();
    if (asked !== this.asked) this.result = analyse(s.sound.samples, s.length, s.hop, s.shape);
    this.asked = asked;
    this.root.result = this.result;
    this.say(this.window, s.length + " samples, " + ms(s.length) + " ms");
    this.say(this.overlap, 100 * s.overlap + "\u00a0%");
    this.say(this.floor, signed(s.floor) + " dB");
    this.paint(s);
    this.label(s);
    this.facts.textContent = "Bins are " + +(rate / s.length).toFixed(1) + " Hz apart, frames " + ms(s.hop) + " ms: " +
      this.result.bins + " bins \u00d7 " + this.result.frames + " frames = " +
      (this.result.bins * this.result.frames).toLocaleString("en") + " levels from " +
      s.sound.samples.length.toLocaleString("en") + " samples.";
    this.canvas.setAttribute("aria-label", "Spectrogram of " + s.sound.name + ". " + this.facts.textContent);
  };

  Explorer.prototype.say = function (control, text) {
    control.output.textContent = text;
    control.input.setAttribute("aria-valuetext", text);
  };

  Explorer.prototype.paint = function (s) {
    var r = this.result, last = this.colours.length - 1, small = document.createElement("canvas");
    small.width = r.frames; small.height = r.bins;
    var pixels = small.getContext("2d").createImageData(r.frames, r.bins), drawn = new Uint32Array(pixels.data.buffer);
    for (var f = 0; f < r.frames; f++) for (var b = 0; b < r.bins; b++) {
      var share = Math.min(Math.max(1 - r.levels[f * r.bins + b] / s.floor, 0), 1);
      drawn[(r.bins - 1 - b) * r.frames + f] = this.colours[Math.round(share * last)];
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    var canvas = this.canvas, context = canvas.getContext("2d"), perSample = canvas.width / s.sound.samples.length;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    // A frame stands for the middle of its window; the first and last bin lie on the edges, so half of each is cut off.
    var left = (s.length / 2 - s.hop / 2) * perSample, row = canvas.height / (r.bins - 1);
    context.drawImage(small, left, -row / 2, r.frames * s.hop * perSample, r.bins * row);
  };

  function ticks(parent, values, highest, unit, side) {
    parent.textContent = "";
    values.forEach(function (value, i) {
      var text = value + (i === values.length - 1 ? " " + unit : "");
      node("span", { style: side + ":" + 100 * value / highest + "%" }, parent, text);
    });
  }

  Explorer.prototype.label = function (s) {
    var rate = this.given.rate, length = 1000 * s.sound.samples.length / rate, step = length > 400 ? 200 : 100, times = [];
    for (var t = 0; t <= length; t += step) times.push(t);
    ticks(this.ticksX, times, length, "ms", "left");
    ticks(this.ticksY, [0, 1, 2, 3, 4].map(function (i) { return i * rate / 8000; }), rate / 2000, "kHz", "bottom");
    this.scale.textContent = "";
    node("span", {}, this.scale, signed(s.floor) + " dB");
    node("i", { style: "background:linear-gradient(to right," + this.given.colours.join(",") + ")" }, this.scale);
    node("span", {}, this.scale, "0 dB (full-scale sine)");
  };

  Explorer.prototype.play = function () {
    var Context = window.AudioContext || window.webkitAudioContext, samples = this.settings().sound.samples;
    if (!Context) return;
    this.audio = this.audio || new Context();
    if (this.source) this.source.stop();
    var buffer = this.audio.createBuffer(1, samples.length, this.given.rate);
    buffer.getChannelData(0).set(samples);
    this.source = this.audio.createBufferSource();
    this.source.buffer = buffer;
    this.source.connect(this.audio.destination);
    this.audio.resume();
    this.source.start();
  };

  function begin() {
    document.querySelectorAll(".spectrogram-explorer:not([data-ready])").forEach(function (root) { new Explorer(root); });
  }
  begin();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
})();
