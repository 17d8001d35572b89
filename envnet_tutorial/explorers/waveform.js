/* A filter that slides along a sound, sample by sample. Builds on controls.js. A classic script, for file:// too. */
(function () {
  "use strict";
  var ui = explorerControls, node = ui.node, shape = ui.shape, signed = ui.signed;
  var MILLISECONDS = 60, LEFT = 34, RIGHT = 8;
  // Pixels from the top: the rows of input, taps and output, and the axis under them.
  var ROWS = { input: [16, 106], taps: [126, 172], output: [200, 280] }, AXIS = 294, HEIGHT = 316;
  var count = 0;

  /* Like torch.nn.functional.conv1d without padding: the first sample of each step, its sum, and what no step reads. */
  function convolve(samples, taps, stride, dilation) {
    var span = dilation * (taps.length - 1) + 1, starts = [], sums = [], read = new Uint8Array(samples.length), unread = [];
    for (var start = 0; start + span <= samples.length; start += stride) {
      for (var k = 0, sum = 0; k < taps.length; k++) {
        sum += taps[k] * samples[start + k * dilation];
        read[start + k * dilation] = 1;
      }
      starts.push(start);
      sums.push(sum);
    }
    read.forEach(function (seen, i) { if (!seen) unread.push(i); });
    return { starts: starts, sums: sums, unread: unread, span: span };
  }

  function largest(values) { return Math.max.apply(null, values.map(Math.abs)) || 1; }

  function Explorer(root, given) {
    this.root = root;
    this.given = given;
    this.hatch = "waveform-hatch-" + count++;
    this.timer = null;
    this.build();
    this.change();
    ui.atEachWidth(this.stage, this.draw.bind(this));
  }

  Explorer.prototype.build = function () {
    var given = this.given, change = this.change.bind(this), set = node("fieldset", {}, this.root);
    function names(list) { return list.map(function (item, i) { return [i, item.name]; }); }
    node("legend", {}, set, "A filter that slides along a sound");
    this.sound = ui.choice(set, "sound", "sound", names(given.sounds), change);
    this.filter = ui.choice(set, "filter", "filter", names(given.filters), change);
    this.taps = ui.range(set, "taps", "taps", [1, given.limits.taps, 1], given.start.taps, change);
    this.stride = ui.range(set, "stride", "stride", [1, given.limits.stride, 1], given.start.stride, change);
    this.dilation = ui.range(set, "dilation", "dilation", [1, given.limits.dilation, 1], given.start.dilation, change);
    this.stage = node("div", { "class": "stage" }, this.root);
    var bar = node("div", { "class": "controls" }, this.root);
    this.button = node("button", { type: "button" }, bar, "slide");
    this.place = ui.range(bar, "place", "place", [0, 0, 1], 0, this.put.bind(this));
    this.button.hidden = Boolean(window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.button.addEventListener("click", this.toggle.bind(this));
    ui.follow(this.stage, this.point.bind(this));
    this.status = node("p", { "class": "status", "aria-live": "polite" }, this.root);
    this.facts = node("p", { "class": "facts" }, this.root);
    this.note = node("p", { "class": "note" }, this.root);
  };

  /* Another sound, filter or setting: everything is computed anew, and the filter stands halfway. */
  Explorer.prototype.change = function () {
    this.pause();
    this.samples = this.given.sounds[+this.sound.value].samples;
    this.weights = this.given.filters[+this.filter.value].taps.slice(0, +this.taps.input.value);
    this.jump = +this.stride.input.value;
    this.gap = +this.dilation.input.value;
    this.result = this.root.result = convolve(this.samples, this.weights, this.jump, this.gap);
    this.place.input.max = this.result.sums.length - 1;
    this.place.input.value = this.step = Math.floor(this.result.sums.length / 2);
    [[this.taps, this.weights.length], [this.stride, this.jump], [this.dilation, this.gap]].forEach(function (pair) {
      ui.say(pair[0], String(pair[1]));
    });
    this.explain();
    if (this.width) this.draw(this.width);
  };

  Explorer.prototype.put = function () {
    this.pause();
    this.move(+this.place.input.value);
  };

  Explorer.prototype.point = function (x) {
    var middle = (x - LEFT) / this.apart - (this.result.span - 1) / 2;
    this.pause();
    this.move(Math.min(Math.max(Math.round(middle / this.jump), 0), this.result.sums.length - 1));
  };

  Explorer.prototype.toggle = function () {
    var self = this, last = this.result.sums.length - 1;
    if (this.timer) { this.pause(); return; }
    if (this.step === last) this.move(0);
    this.status.setAttribute("aria-live", "off");  // what moves by itself is not read out
    this.button.textContent = "pause";
    this.timer = setInterval(function () {
      self.move(self.step + 1);
      if (self.step === last) self.pause();
    }, MILLISECONDS);
  };

  Explorer.prototype.pause = function () {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "slide";
    this.status.setAttribute("aria-live", "polite");
  };

  Explorer.prototype.x = function (sample) { return LEFT + sample * this.apart; };

  Explorer.prototype.draw = function (width) {
    this.width = width;
    this.apart = (width - LEFT - RIGHT) / (this.samples.length - 1);
    this.stage.textContent = "";
    var svg = this.svg = shape("svg", { viewBox: "0 0 " + width + " " + HEIGHT, height: HEIGHT, role: "img", "aria-label": "A picture that is being drawn" }, this.stage);
    var pattern = shape("pattern", { id: this.hatch, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, shape("defs", {}, svg));
    shape("path", { d: "M0 0V5", "class": "hatch" }, pattern);
    this.lead = shape("path", { "class": "lead" }, svg);
    this.drawAxes();
    this.drawInput();
    this.drawTaps();
    this.trace = shape("path", { "class": "output" }, svg);
    this.dots = shape("g", { "class": "output" }, svg);
    this.now = shape("circle", { r: 5, "class": "current" }, svg);
    this.move(this.step);
  };

  Explorer.prototype.drawAxes = function () {
    var svg = this.svg, rate = this.given.rate, end = 1000 * (this.samples.length - 1) / rate, self = this;
    var tops = { input: largest(this.samples), taps: largest(this.weights), output: largest(this.result.sums) };
    this.scale = {};
    Object.keys(ROWS).forEach(function (row) {
      var top = ROWS[row][0], bottom = ROWS[row][1], middle = (top + bottom) / 2;
      self.scale[row] = function (value) { return middle - value / tops[row] * (bottom - top) / 2; };
      shape("path", { d: "M" + LEFT + " " + middle + "H" + (self.width - RIGHT), "class": "zero" }, svg);
      shape("text", { x: LEFT - 4, y: top + 8, "class": "end" }, svg, tops[row].toFixed(2));
      shape("text", { x: LEFT - 4, y: bottom, "class": "end" }, svg, signed((-tops[row]).toFixed(2)));
      shape("text", { x: LEFT, y: top - 5 }, svg, { input: "input (amplitude)", taps: "taps (weight)", output: "output, at the middle of its taps" }[row]);
    });
    for (var ms = 0; ms <= end + 1e-9; ms++) {
      shape("path", { d: "M" + this.x(ms * rate / 1000) + " " + (AXIS - 6) + "v4", "class": "zero" }, svg);
      shape("text", { x: this.x(ms * rate / 1000), y: AXIS + 9, "class": "middle" }, svg, ms);
    }
    shape("text", { x: this.width - RIGHT, y: HEIGHT - 2, "class": "end" }, svg, "time (ms)");
  };

  /* The wave, a dot a sample, and hatching where no step reads one. */
  Explorer.prototype.drawInput = function () {
    var svg = this.svg, self = this, top = ROWS.input[0], half = this.apart / 2, y = this.scale.input;
    this.result.unread.forEach(function (i) {
      shape("rect", { x: self.x(i) - half, y: top, width: self.apart, height: ROWS.input[1] - top, fill: "url(#" + self.hatch + ")", "class": "unread", "data-sample": i }, svg);
    });
    shape("path", { d: line(this.samples.map(function (value, i) { return [self.x(i), y(value)]; })), "class": "input" }, svg);
    this.touched = shape("g", { "class": "touched" }, svg);
    this.samples.forEach(function (value, i) {
      shape("circle", { cx: self.x(i), cy: y(value), r: Math.min(2.2, half), "class": "input" }, svg);
    });
  };

  /* One bar a tap; the group slides as a whole. */
  Explorer.prototype.drawTaps = function () {
    var self = this, y = this.scale.taps, group = this.kernel = shape("g", { "class": "taps" }, this.svg);
    var wide = Math.max(2, Math.min(this.apart - 1, 10)), top = ROWS.taps[0];
    shape("rect", { x: LEFT - wide / 2 - 2, y: top - 2, width: (this.result.span - 1) * this.apart + wide + 4, height: ROWS.taps[1] - top + 4, rx: 3, "class": "frame" }, group);
    this.weights.forEach(function (weight, k) {
      var x = self.x(k * self.gap) - wide / 2;
      shape("rect", { x: x, y: Math.min(y(0), y(weight)), width: wide, height: Math.abs(y(weight) - y(0)), "class": "tap" }, group);
    });
  };

  function line(points) {
    return points.map(function (point, i) { return (i ? "L" : "M") + point[0].toFixed(1) + " " + point[1].toFixed(1); }).join("");
  }

  /* What changes from step to step, and nothing else. */
  Explorer.prototype.move = function (step) {
    this.step = step;
    this.place.input.value = step;
    this.tell();
    if (!this.width) return;
    var self = this, r = this.result, start = r.starts[step], y = this.scale.output, zero = this.scale.input(0);
    var points = r.sums.slice(0, step + 1).map(function (sum, i) { return [self.x(r.starts[i] + (r.span - 1) / 2), y(sum)]; });
    var here = points[step], dot = "m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0 -3.2 0";
    this.kernel.setAttribute("transform", "translate(" + start * this.apart + " 0)");
    this.touched.textContent = "";
    this.weights.forEach(function (_, k) {
      var i = start + k * self.gap, x = self.x(i), at = self.scale.input(self.samples[i]);
      shape("path", { d: "M" + x + " " + zero + "V" + at }, self.touched);
      shape("circle", { cx: x, cy: at, r: 3.6, "data-sample": i }, self.touched);
    });
    this.trace.setAttribute("d", line(points));
    this.dots.textContent = "";
    shape("path", { d: points.map(function (p) { return "M" + p[0].toFixed(1) + " " + p[1].toFixed(1) + dot; }).join("") }, this.dots);
    this.now.setAttribute("cx", here[0]);
    this.now.setAttribute("cy", here[1]);
    this.lead.setAttribute("d", "M" + here[0] + " " + (ROWS.taps[1] + 3) + "V" + here[1]);
    this.svg.setAttribute("aria-label", this.status.textContent);
  };

  Explorer.prototype.tell = function () {
    var self = this, r = this.result, start = r.starts[this.step];
    function bracketed(value) { return value < 0 ? "(" + signed(value.toFixed(2)) + ")" : value.toFixed(2); }
    var terms = this.weights.map(function (weight, k) { return bracketed(self.samples[start + k * self.gap]) + "\u00b7" + bracketed(weight); });
    var name = "output " + (this.step + 1) + " of " + r.sums.length;
    ui.say(this.place, name);
    this.status.textContent = "O" + name.slice(1) + ": " + terms.join(" + ") + " = " + signed(r.sums[this.step].toFixed(3));
  };

  Explorer.prototype.explain = function () {
    var n = this.samples.length, k = this.weights.length, unread = this.result.unread.length;
    this.facts.textContent = "Output length: floor((" + n + " \u2212 " + this.gap + "\u00b7(" + k + " \u2212 1) \u2212 1) / " + this.jump + ") + 1 = " +
      this.result.sums.length + ", at " + (this.given.rate / this.jump).toLocaleString("en", { maximumFractionDigits: 0 }) + " values a second.";
    this.note.textContent = unread ? "Hatched: read by no step (" + unread + " of " + n + " samples)." : "Every sample is read.";
  };

  ui.begin("waveform", Explorer);
})();
