/* "Hear yourself": a sound, the map that EnvNet learned beside the mel spectrogram, and what each filter lets through. */
(function () {
  "use strict";
  var S = hearingSignal, F = filterSignal, C = hearingCharts, node = C.node, MINUS = "\u2212", SLICE = 12;  // ms of work before the page may draw
  var TICKS = [250, 500, 1000, 2000, 4000];  // Hz

  function rgb(hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); }); }
  function whole(decibels) { return String(Math.round(decibels)).replace(/^-0$/, "0").replace("-", MINUS) + " dB"; }
  function seconds(count, rate) { return (count / rate).toFixed(2) + " s"; }
  function button(parent, text, pressed, name) {
    return on(node("button", { type: "button", "class": name || "" }, parent, text), "click", pressed);
  }
  function on(element, event, run) { element.addEventListener(event, run); return element; }

  function Explorer(root) {
    var given = JSON.parse(root.getAttribute("data-settings"));
    this.root = root; this.given = given;
    this.colours = given.colours.map(rgb);
    this.frames = Math.floor((given.samples - 2 * (given.taps - 1)) / given.hop);
    this.frontEnd = new S.FrontEnd(given);
    this.logMel = new S.LogMel(given);
    this.kernels = F.floats(given.kernels);
    this.sorted = true; this.run = 0;
    this.filter = given.order[Math.floor(0.8 * given.filters) - 1];
    this.learned = new Float64Array(given.filters * this.frames);  // (filter, frame), the network's own order
    this.mel = new Float64Array(given.mel.bands * this.frames);
    root.setAttribute("data-ready", "yes");
    root.textContent = "";
    this.build();
    this.player = new hearingPlayer.Player(this);
    this.live = new hearingLive.Live(this);
    this.axes();
    this.pick(this.filter);
    this.sample(0);
  }

  Explorer.prototype.build = function () {
    var self = this, root = this.root, given = this.given;
    node("p", { "class": "title" }, root, "Hear yourself");
    node("p", { "class": "quiet" }, root, "What 40 learned filters make of a sound, computed in this page: no sound leaves it.");
    var bar = node("div", { "class": "bar", role: "group", "aria-label": "Choose a sound, and play it" }, root);
    this.recordButton = button(bar, "Record", function () { self.live.press(); }, "record");
    var label = node("label", { "class": "file" }, bar, "Choose a file");
    this.file = on(node("input", { type: "file", accept: "audio/*,video/*", name: "file" }, label), "change", function () { self.open(); });
    this.samples = given.sounds.map(function (sound, i) { return button(bar, sound.name, function () { self.sample(i); }, "sample"); });
    this.playSound = button(bar, "Play the sound", function () { self.player.press("sound"); }, "play");
    this.status = node("p", { "class": "status", role: "status" }, root);
    this.whole = node("div", { "class": "whole" }, root);
    this.wave = C.waveform(this.whole);
    this.part = node("div", { "class": "part", "aria-hidden": "true" }, this.whole);
    this.whereLabel = node("label", { "class": "wide" }, root, "The 1.5 s that are shown begin at ");
    this.whereText = node("output", {}, this.whereLabel);
    this.where = on(node("input", { type: "range", name: "where", min: 0, step: given.hop }, this.whereLabel), "input", function () { self.take(+self.where.value); });
    var maps = node("div", { "class": "maps" }, root);
    this.left = this.map(maps, "learned", given.filters);
    this.right = this.map(maps, "mel", given.mel.bands);
    this.left.canvas.setAttribute("class", "pick");
    this.marks = [this.left.now, this.right.now];
    this.mark = node("div", { "class": "row-mark", "aria-hidden": "true" }, this.left.picture);
    on(this.left.canvas, "click", function (event) {
      var box = self.left.canvas.getBoundingClientRect(), share = 1 - (event.clientY - box.top) / box.height;
      self.pick(self.rows()[Math.min(given.filters - 1, Math.max(0, Math.floor(given.filters * share)))]);
    });
    this.naming = given.naming.layers ? new hearingNaming.Panel(this, root) : null;
    this.buildFilter();
    this.levelText = node("p", { "class": "origin" }, root);
    [given.origin, given.naming.details || ""].forEach(function (text) { node("p", { "class": "origin" }, root, text); });
  };

  Explorer.prototype.map = function (parent, name, rows) {
    var box = node("div", { "class": "map" }, parent), title = node("p", {}, box);
    var y = node("div", { "class": "y", "aria-hidden": "true" }, box), picture = node("div", { "class": "picture" }, box);
    var canvas = node("canvas", { width: this.frames, height: rows, role: "img", "aria-label": "A map that is being computed", "data-map": name }, picture);
    var now = node("div", { "class": "now", "aria-hidden": "true", hidden: "" }, picture);
    var x = node("div", { "class": "x", "aria-hidden": "true" }, box), context = canvas.getContext("2d");
    [0, 0.5, 1, 1.5].forEach(function (t) { node("span", { style: "left:" + 100 * t / 1.5 + "%" }, x, t ? t + " s" : t); });
    return { title: title, y: y, picture: picture, canvas: canvas, context: context, now: now, column: context.createImageData(1, rows) };
  };

  Explorer.prototype.buildFilter = function () {
    var self = this, given = this.given;
    var label = node("label", { "class": "wide" }, this.root, "Filter: ");
    this.picked = node("output", {}, label);
    this.picker = on(node("input", { type: "range", name: "filter", min: 1, max: given.filters, step: 1 }, label), "input", function () {
      self.pick(self.rows()[self.picker.value - 1]);
    });
    var bar = node("div", { "class": "bar", role: "group", "aria-label": "Listen" }, this.root);
    this.playFilter = button(bar, "Play through this filter", function () { self.player.press("filter"); }, "play");
    this.repeat = this.tick(bar, "repeat", "again and again", false, function () { self.player.repeat(self.repeat.checked); });
    this.sort = this.tick(bar, "sort", "sort rows by tone", true, function () { self.sorted = self.sort.checked; self.axes(); self.pick(self.filter); self.repaint(); });
    this.share = node("p", { "class": "quiet", "aria-live": "polite" }, this.root);
    var charts = node("div", { "class": "charts" }, this.root);
    this.taps = C.chart(charts, "taps");
    this.spectrum = C.chart(charts, "spectrum");
  };

  Explorer.prototype.tick = function (parent, name, text, checked, changed) {
    var label = node("label", { "class": "tick" }, parent), box = on(node("input", { type: "checkbox", name: name }, label), "change", changed);
    box.checked = checked;
    node("span", {}, label, text);
    return box;
  };

  Explorer.prototype.say = function (text, wrong) {
    this.status.textContent = text;
    this.status.classList.toggle("wrong", Boolean(wrong));
  };

  /* The filters' numbers from the bottom of the picture to its top. */
  Explorer.prototype.rows = function () {
    return this.sorted ? this.given.order : this.given.order.slice().sort(function (a, b) { return a - b; });
  };

  Explorer.prototype.axes = function () {
    var given = this.given, count = given.filters, top = S.toMel(given.rate / 2), left = this.left, right = this.right;
    left.title.textContent = this.sorted ? "Learned: 40 filters, sorted (kHz)" : "Learned: 40 filters, unsorted (number)";
    right.title.textContent = "Designed: log-mel, 40 bands (kHz)";
    left.y.textContent = ""; right.y.textContent = "";
    function label(map, share, text) {  // unless it would cover the one below
      if (map.y.lastChild && 100 * share - parseFloat(map.y.lastChild.style.bottom) < 9) return;
      node("span", { style: "bottom:" + 100 * share + "%" }, map.y, text);
    }
    TICKS.forEach(function (hz) {
      label(right, (S.toMel(hz) / top * (given.mel.bands + 1) - 0.5) / given.mel.bands, hz / 1000);
    });
    if (!this.sorted) [1, 10, 20, 30, 40].forEach(function (n) { label(left, (n - 0.5) / count, n); });
    else TICKS.forEach(function (hz) {
      label(left, given.order.filter(function (f) { return given.centres[f] !== null && given.centres[f] < hz; }).length / count, hz / 1000);
    });
  };

  Explorer.prototype.sample = function (index) {
    var self = this, sound = this.given.sounds[index];
    return this.load(hearingSources.readSample(sound, this.given), this.samples[index]).catch(function () {
      self.say("This browser cannot play the sample sounds. Choose a file, or record.", true);
    });
  };

  Explorer.prototype.open = function () {
    var self = this, file = this.file.files[0];
    this.file.value = "";  // so that the same file can be chosen again
    if (file) this.load(hearingSources.readFile(file, this.given)).catch(function (error) { self.say(error.message, true); });
  };

  /* Show a sound once it is read, unless the reader has asked for another one meanwhile. */
  Explorer.prototype.load = function (reading, pressed) {
    var self = this, asked = this.asked = {};
    this.live.cancel();
    return reading.then(function (sound) { if (self.asked === asked) self.show(sound, pressed); });
  };

  Explorer.prototype.show = function (sound, pressed) {
    var given = this.given, spare = sound.samples.length - given.samples;
    this.sound = sound; this.pressed = pressed;
    this.where.max = Math.max(0, spare);
    this.whereLabel.hidden = spare < given.hop;
    this.drawWhole();
    this.say("Shown: " + sound.name + ", " + seconds(sound.samples.length, given.rate) + (spare < given.hop ? "." : ", from its loudest 1.5 s."));
    this.take(spare < given.hop ? 0 : S.loudest(sound.samples, given.samples, given.hop));
  };

  /* The sound that was shown before a recording which came to nothing. */
  Explorer.prototype.restore = function () { this.drawWhole(); this.take(this.start); };

  /* Show 1.5 s from `start`: the mel spectrogram at once, the learned map a few columns at a time. */
  Explorer.prototype.take = function (start) {
    var given = this.given, samples = this.sound.samples, square, f;
    this.start = start;
    this.window = new Float32Array(given.samples);
    this.window.set(samples.subarray(start, start + given.samples));
    square = F.meanSquare(this.window, 0, given.samples);
    this.gain = S.gainOf(square, given.levels);
    this.where.value = start;
    this.whereText.textContent = seconds(start, given.rate);
    this.where.setAttribute("aria-valuetext", seconds(start, given.rate));
    this.part.style.left = 100 * start / samples.length + "%";
    this.part.style.width = 100 * Math.min(1, given.samples / samples.length) + "%";
    this.levelText.textContent = "The network learned from windows brought nearer to " + whole(given.levels.common) + " by one gain each. This one has " +
      (square > 0 ? whole(F.decibels(square)) : "no level") + " and gets " + whole(F.decibels(this.gain * this.gain)) + ", for both pictures. Black is 0 and the brightest colour " +
      given.brightest + " or more on the left, by the square root; " + given.mel.range.map(whole).join(" and ") + " on the right.";
    for (f = 0; f < this.frames; f++) this.melColumn(f, this.window, f * given.hop, this.gain);
    this.player.update();
    this.describeShare();
    if (this.naming) this.naming.wait();
    this.compute(++this.run);
  };

  Explorer.prototype.compute = function (run) {
    var self = this, frame = 0, began = performance.now(), busy = 0, channel = new MessageChannel();
    channel.port1.onmessage = function () {
      if (run !== self.run) { channel.port1.close(); return; }
      var slice = performance.now();
      while (frame < self.frames && performance.now() - slice < SLICE) {
        self.learnedColumn(frame, self.window, frame * self.given.hop, self.gain);
        frame++;
      }
      busy += performance.now() - slice;
      if (frame < self.frames) { channel.port2.postMessage(0); return; }
      channel.port1.close();
      self.describe();
      self.root.result = { learned: self.learned, mel: self.mel, busy: busy, wall: performance.now() - began, run: run };
      if (self.naming) self.naming.begin(run);
    };
    channel.port2.postMessage(0);
  };

  Explorer.prototype.learnedColumn = function (at, x, start, gain) {
    var column = this.frontEnd.frame(x, start, gain);
    for (var f = 0; f < column.length; f++) this.learned[f * this.frames + at] = column[f];
    this.paint(this.left, at);
  };

  Explorer.prototype.melColumn = function (at, x, start, gain) {
    var column = this.logMel.frame(x, start, gain);
    for (var b = 0; b < column.length; b++) this.mel[b * this.frames + at] = column[b];
    this.paint(this.right, at);
  };

  Explorer.prototype.paint = function (map, at) {
    var learned = map === this.left, rows = learned ? this.rows() : null, count = map.canvas.height, pixels = map.column.data;
    var range = this.given.mel.range, last = this.colours.length - 1;
    for (var row = 0; row < count; row++) {
      var value = learned ? this.learned[rows[row] * this.frames + at] : this.mel[row * this.frames + at];
      var share = learned ? Math.sqrt(value / this.given.brightest) : (value - range[0]) / (range[1] - range[0]);
      var colour = this.colours[Math.round(Math.min(Math.max(share, 0), 1) * last)], p = 4 * (count - 1 - row);
      pixels[p] = colour[0]; pixels[p + 1] = colour[1]; pixels[p + 2] = colour[2]; pixels[p + 3] = 255;
    }
    map.context.putImageData(map.column, at, 0);
  };

  Explorer.prototype.repaint = function () {
    for (var at = 0; at < this.frames; at++) this.paint(this.left, at);
    this.describe();
  };

  /* While the microphone listens, only what still makes sense can be used. */
  Explorer.prototype.listening = function (yes) {
    this.where.disabled = this.playSound.disabled = this.playFilter.disabled = yes;
    this.part.hidden = yes;
    if (yes && this.naming) this.naming.wait();
    if (yes) this.samples.forEach(function (b) { b.setAttribute("aria-pressed", "false"); });
  };

  Explorer.prototype.tone = function (filter) {
    var centre = this.given.centres[filter];
    return centre === null ? "answers all tones alike" : "answers " + centre.toLocaleString("en") + " Hz most";
  };

  Explorer.prototype.describe = function () {
    for (var i = 0, best = 0; i < this.learned.length; i++) if (this.learned[i] > this.learned[best]) best = i;
    var filter = Math.floor(best / this.frames), time = seconds((best % this.frames) * this.given.hop, this.given.rate), name = this.sound ? this.sound.name : "";
    this.left.canvas.setAttribute("aria-label", "Learned feature map of " + name + ", 40 filters by " + this.frames + " steps of 10 ms. Its largest value, " +
      this.learned[best].toFixed(1) + ", stands in the row of filter " + (filter + 1) + ", which " + this.tone(filter) + ", at " + time + ".");
    this.right.canvas.setAttribute("aria-label", "Log-mel spectrogram of " + name + ", 40 bands from 0 to 8 kHz by " + this.frames + " steps of 10 ms.");
  };

  Explorer.prototype.drawWhole = function () {
    var pressed = this.pressed;
    this.samples.forEach(function (b) { b.setAttribute("aria-pressed", String(b === pressed)); });
    C.drawWaveform(this.wave, this.sound.samples);
    this.wave.setAttribute("aria-label", "Waveform of " + this.sound.name + ", " + seconds(this.sound.samples.length, this.given.rate));
  };

  Explorer.prototype.kernel = function () {
    var taps = 2 * this.given.taps - 1;
    return this.kernels.subarray(this.filter * taps, (this.filter + 1) * taps);
  };

  Explorer.prototype.pick = function (filter) {
    var row = this.rows().indexOf(filter) + 1;
    this.filter = filter;
    this.picker.value = row;
    this.picked.textContent = "row " + row + " from the bottom, filter " + (filter + 1) + ", " + this.tone(filter);
    this.picker.setAttribute("aria-valuetext", this.picked.textContent);
    this.mark.style.bottom = 100 * (row - 0.5) / this.given.filters + "%";
    C.drawTaps(this.taps, filter, Array.from(this.kernel()), this.given.rate);
    C.drawSpectrum(this.spectrum, filter, F.spectrum(this.kernel(), 129), this.given.rate);
    this.player.update();
    this.describeShare();
  };

  /* What the play button will let one hear, in words. */
  Explorer.prototype.describeShare = function () {
    if (!this.window) return;
    var heard = this.player.behind(), centre = this.given.centres[this.filter], sizes = F.spectrum(this.kernel(), 129);
    var best = sizes.indexOf(Math.max.apply(null, sizes)) * this.given.rate / 2 / (sizes.length - 1);
    this.share.textContent = "Its 15 merged taps leave " + (heard.share > -80 ?
      "this sound " + whole(-heard.share) + " weaker (their best tone would pass unchanged)" : "next to nothing of this sound") +
      (heard.lift > 0.5 ? "; you hear the rest raised by " + whole(heard.lift) + "." : ".") +
      (Math.abs(best - centre) > 0.2 * Math.max(best, 500) ? " The taps alone prefer " + Math.round(best).toLocaleString("en") +
        " Hz: a ReLU between the two layers bends this filter, and what you hear leaves it out." : "");
  };

  function begin() {
    document.querySelectorAll(".hearing-explorer:not([data-ready])").forEach(function (root) { root.explorer = new Explorer(root); });
  }
  begin();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
})();
