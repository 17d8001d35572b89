/* A bank of triangular filters to move, and a sound in so many bands. Builds on controls.js and sound.js; for file:// too. */
(function () {
  "use strict";
  var ui = explorerControls, node = ui.node, shape = ui.shape;
  var LEFT = 8, RIGHT = 8, TOP = 16, BOTTOM = 70, HEIGHT = 104;
  var SCALES = {
    mel: [function (hz) { return 2595 * Math.log10(1 + hz / 700); }, function (mel) { return 700 * (Math.pow(10, mel / 2595) - 1); }],
    hertz: [function (hz) { return hz; }, function (hz) { return hz; }],
  };

  /* Squared magnitudes, frame after frame, zeros before the beginning and after the end: bins of each frame in a row.
     A transform takes two frames, one as real and one as imaginary part, and symmetry tells them apart again. */
  function powers(samples, given) {
    var n = given.fourier, frames = Math.floor(samples.length / given.hop), bins = n / 2 + 1, early = (n - given.hop) / 2;
    var bell = new Float64Array(n), sum = 0, out = new Float64Array(frames * bins);
    for (var i = 0; i < given.window; i++) {
      sum += bell[i + Math.floor((n - given.window) / 2)] = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / given.window);
    }
    function sample(at) { return at >= 0 && at < samples.length ? samples[at] : 0; }
    for (var frame = 0, re = new Float64Array(n), im = new Float64Array(n); frame < frames; frame += 2) {
      for (i = 0; i < n; i++) {
        re[i] = sample(frame * given.hop - early + i) * bell[i];
        im[i] = sample((frame + 1) * given.hop - early + i) * bell[i];
      }
      soundNumbers.fft(re, im);
      for (var b = 0; b < bins; b++) {
        var mirror = (n - b) % n, at = frame * bins + b;
        out[at] = (Math.pow(re[b] + re[mirror], 2) + Math.pow(im[b] - im[mirror], 2)) / (sum * sum);
        if (frame + 1 < frames) out[at + bins] = (Math.pow(im[b] + im[mirror], 2) + Math.pow(re[mirror] - re[b], 2)) / (sum * sum);
      }
    }
    return { values: out, frames: frames, bins: bins };
  }

  /* Corners evenly spaced on the scale; each band rises from one to the next and falls to the one after. */
  function bank(s, bins, rate) {
    var to = SCALES[s.spacing][0], back = SCALES[s.spacing][1], low = to(s.lowest), high = to(s.highest), corners = [], bands = [];
    for (var i = 0; i < s.bands + 2; i++) corners.push(back(low + (high - low) * i / (s.bands + 1)));
    for (i = 0; i < s.bands; i++) {
      var from = corners[i], tip = corners[i + 1], end = corners[i + 2], first = null, weights = [];
      for (var bin = 0; bin < bins; bin++) {
        var hz = bin * rate / 2 / (bins - 1), weight = Math.min((hz - from) / (tip - from), (end - hz) / (end - tip));
        if (weight <= 0) continue;
        if (first === null) first = bin;
        weights.push(weight);
      }
      bands.push({ from: from, tip: tip, end: end, first: first, weights: weights });
    }
    return bands;
  }

  /* Levels in dB re a full-scale sine, band after band. */
  function levels(bands, power, floor) {
    var out = new Float64Array(bands.length * power.frames), least = Math.pow(10, floor / 10);
    bands.forEach(function (band, row) {
      for (var frame = 0; frame < power.frames; frame++) {
        var sum = 0, at = frame * power.bins + band.first;
        for (var k = 0; k < band.weights.length; k++) sum += band.weights[k] * power.values[at + k];
        out[row * power.frames + frame] = 10 * Math.log10(Math.max(sum, least));
      }
    });
    return out;
  }

  function Explorer(root, given) {
    this.root = root;
    this.given = given;
    this.colours = given.colours.map(function (hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); }).concat(255); });
    this.power = powers(soundNumbers.decode(given.samples), given);
    this.build();
    this.change();
    ui.atEachWidth(this.stage, this.drawBank.bind(this));
  }

  Explorer.prototype.build = function () {
    var given = this.given, half = given.rate / 2, self = this, set = node("fieldset", {}, this.root);
    function change(event) { self.change(event); }
    node("legend", {}, set, "A bank of filters to move");
    this.bands = ui.range(set, "bands", "bands", [1, given.maxBands, 1], given.start.bands, change);
    this.spacing = ui.choice(set, "spacing", "evenly spaced in", [["mel", "mel"], ["hertz", "Hz"]], change);
    this.spacing.value = given.start.spacing;
    this.lowest = ui.range(set, "lowest", "from", [0, half - given.apart, 50], given.start.lowest, change);
    this.highest = ui.range(set, "highest", "to", [given.apart, half, 50], given.start.highest, change);
    this.stage = node("div", { "class": "bank" }, this.root);
    var plot = node("div", { "class": "plot" }, this.root);
    this.ticksY = node("div", { "class": "y", "aria-hidden": "true" }, plot);
    var picture = node("div", { "class": "picture" }, plot);
    this.canvas = node("canvas", { width: 720, height: 240, role: "img", "aria-label": "A picture that is being drawn" }, picture);
    this.mark = node("div", { "class": "row-mark", "aria-hidden": "true" }, picture);
    this.ticksX = node("div", { "class": "x", "aria-hidden": "true" }, plot);
    ui.follow(picture, function (x, y) { self.pick(Math.floor((1 - y / picture.clientHeight) * self.settings.bands)); });
    this.band = ui.range(this.root, "band", "look at", [1, 1, 1], 1, function () { self.pick(+self.band.input.value - 1); });
    this.facts = node("p", { "class": "facts", "aria-live": "polite" }, this.root);
    this.labelTime();
  };

  /* The two ends keep apart; the one that is not being moved gives way. */
  Explorer.prototype.read = function (event) {
    var low = this.lowest.input, high = this.highest.input, apart = this.given.apart;
    if (high.value - low.value < apart) {
      if (event && event.target === high) low.value = high.value - apart;
      else high.value = +low.value + apart;
    }
    return { bands: +this.bands.input.value, spacing: this.spacing.value, lowest: +low.value, highest: +high.value };
  };

  Explorer.prototype.change = function (event) {
    var s = this.settings = this.read(event), bands = bank(s, this.power.bins, this.given.rate), last = s.bands - 1;
    this.result = this.root.result = { bands: bands, levels: levels(bands, this.power, this.given.floor), frames: this.power.frames };
    ui.say(this.bands, String(s.bands));
    ui.say(this.lowest, hertz(s.lowest));
    ui.say(this.highest, hertz(s.highest));
    this.band.input.max = s.bands;
    this.row = Math.round((this.share === undefined ? 0.4 : this.share) * last);
    this.paint();
    this.labelBands();
    this.show();
  };

  Explorer.prototype.pick = function (row) {
    var last = this.settings.bands - 1;
    this.row = Math.min(Math.max(row, 0), last);
    this.share = last ? this.row / last : 0;
    this.show();
  };

  function hertz(value) { return Math.round(value).toLocaleString("en") + " Hz"; }

  /* The band that the reader looks at: its triangle, its row, and both in words. */
  Explorer.prototype.show = function () {
    var r = this.result, band = r.bands[this.row], count = r.bands.length, bins = band.weights.length;
    var empty = r.bands.filter(function (b) { return !b.weights.length; }).length;
    var range = hertz(band.from) + " to " + hertz(band.end), name = "band " + (this.row + 1) + " of " + count;
    this.band.input.value = this.row + 1;
    ui.say(this.band, name);
    this.mark.style.bottom = 100 * (this.row + 0.5) / count + "%";
    this.facts.textContent = "B" + name.slice(1) + ": " + range + ", tip at " + hertz(band.tip) + ", " + (bins || "no") + (bins === 1 ? " bin" : " bins") +
      ". The sound is now " + count + " \u00d7 " + r.frames + " = " + (count * r.frames).toLocaleString("en") + " levels." +
      (empty ? " Too narrow for the transform's " + this.power.bins + " bins: " + empty + (empty === 1 ? " band hears" : " bands hear") + " nothing." : "");
    this.canvas.setAttribute("aria-label", this.given.name + " in " + count + " bands from " + hertz(this.settings.lowest) + " to " + hertz(this.settings.highest));
    if (this.width) this.drawBank(this.width);
  };

  Explorer.prototype.drawBank = function (width) {
    var half = this.given.rate / 2, self = this, wide = width - LEFT - RIGHT;
    this.width = width;
    this.stage.textContent = "";
    function x(hz) { return (LEFT + hz / half * wide).toFixed(1); }
    function triangle(b) { return "M" + x(b.from) + " " + BOTTOM + "L" + x(b.tip) + " " + TOP + "L" + x(b.end) + " " + BOTTOM; }
    var svg = shape("svg", { viewBox: "0 0 " + width + " " + HEIGHT, height: HEIGHT, role: "img", "aria-label": this.facts.textContent }, this.stage);
    shape("path", { d: this.result.bands.map(triangle).join(""), "class": "bands" }, svg);
    shape("path", { d: triangle(this.result.bands[this.row]), "class": "band" }, svg);
    shape("path", { d: "M" + LEFT + " " + BOTTOM + "h" + wide, "class": "zero" }, svg);
    shape("text", { x: LEFT, y: 11 }, svg, "weight of each bin, from 0 to 1");
    for (var i = 0; i <= 4; i++) {
      shape("text", { x: x(i * half / 4), y: BOTTOM + 14, "class": i ? i < 4 ? "middle" : "end" : "" }, svg, i * half / 4000);
    }
    shape("text", { x: width - RIGHT, y: BOTTOM + 28, "class": "end" }, svg, "frequency (kHz)");
  };

  /* A pixel a band and frame, enlarged without smoothing; the lowest band is at the bottom. */
  Explorer.prototype.paint = function () {
    var r = this.result, count = r.bands.length, frames = r.frames, range = this.given.range, last = this.colours.length - 1;
    var small = document.createElement("canvas"), canvas = this.canvas, context = canvas.getContext("2d");
    small.width = frames; small.height = count;
    var image = small.getContext("2d").createImageData(frames, count), data = image.data;
    for (var row = 0; row < count; row++) for (var frame = 0; frame < frames; frame++) {
      var share = Math.min(Math.max((r.levels[row * frames + frame] - range[0]) / (range[1] - range[0]), 0), 1);
      var at = 4 * ((count - 1 - row) * frames + frame), colour = this.colours[Math.round(share * last)];
      for (var k = 0; k < 4; k++) data[at + k] = colour[k];
    }
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  };

  /* Where the tips of some bands lie: half of a mel bank stands below 2 kHz. */
  Explorer.prototype.labelBands = function () {
    var bands = this.result.bands, parent = this.ticksY, rows = bands.length < 8 ? [0, bands.length - 1] : [0, 1, 2, 3, 4].map(function (i) { return Math.round(i * (bands.length - 1) / 4); });
    parent.textContent = "";
    rows.forEach(function (row, i) {
      if (i && rows[i - 1] === row) return;
      var style = "bottom:" + 100 * (row + 0.5) / bands.length + "%";
      node("span", { style: style }, parent, (bands[row].tip / 1000).toFixed(bands[row].tip < 1000 ? 2 : 1) + (i === rows.length - 1 ? " kHz" : ""));
    });
  };

  Explorer.prototype.labelTime = function () {
    var end = this.power.frames * this.given.hop / this.given.rate;
    for (var t = 0; t <= end + 1e-9; t += 0.5) node("span", { style: "left:" + 100 * t / end + "%" }, this.ticksX, t + (t ? "" : " s"));
  };

  ui.begin("melbank", Explorer);
})();
