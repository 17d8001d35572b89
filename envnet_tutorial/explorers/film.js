/* A matrix that changes step by step. Opens on its first frame and plays when asked to. A classic script, for file:// too. */
(function () {
  "use strict";
  var MILLISECONDS = 160;

  var SVG = "http://www.w3.org/2000/svg";
  var CHART = { width: 320, height: 150, left: 6, top: 20, bottom: 118 };

  function node(name, attributes, parent, text, space) {
    var made = space ? document.createElementNS(space, name) : document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function rgb(hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); }); }

  function Film(root) {
    this.root = root;
    this.given = JSON.parse(root.getAttribute("data-settings"));
    this.levels = atob(this.given.levels);
    this.colours = this.given.colours.map(rgb);
    this.timer = null;
    this.row = Math.floor(this.given.shape[1] / 2);
    this.still = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    root.setAttribute("data-ready", "yes");
    root.textContent = "";
    this.build();
    if (this.given.taps) this.buildTaps();
    this.show(0);
  }

  Film.prototype.build = function () {
    var self = this, given = this.given, frames = given.shape[0], columns = given.shape[2];
    node("p", { "class": "names" }, this.root, given.yLabel);
    this.picture = node("div", { "class": "picture" }, this.root);
    this.canvas = node("canvas", { width: columns, height: given.shape[1], role: "img" }, this.picture);
    var axis = node("div", { "class": "axis", "aria-hidden": "true" }, this.root);
    given.columns.forEach(function (tick) {
      node("span", { style: "left:" + 100 * (tick[0] + 0.5) / columns + "%" }, axis, tick[1]);
    });
    node("p", { "class": "names" }, this.root, given.xLabel);
    var controls = node("div", { "class": "controls" }, this.root);
    this.button = node("button", { type: "button" }, controls, this.still ? "Next" : "Play");
    var label = node("label", {}, controls, "Frame");
    this.slider = node("input", { type: "range", min: 0, max: frames - 1, step: 1, name: "frame" }, label);
    this.output = node("output", { "aria-live": "polite" }, controls);
    this.button.addEventListener("click", function () { self.press(); });
    this.slider.addEventListener("input", function () { self.stop(); self.show(Number(self.slider.value)); });
  };

  Film.prototype.press = function () {
    if (this.still) this.show((this.frame + 1) % this.given.shape[0]);
    else if (this.timer === null) this.play();
    else this.stop();
  };

  /* One filter's taps and their transform, beside its response. */
  Film.prototype.buildTaps = function () {
    var self = this, taps = this.given.taps, rows = this.given.shape[1];
    this.weights = atob(taps.levels);
    this.mark = node("div", { "class": "row-mark", "aria-hidden": "true" }, this.picture);
    var controls = node("div", { "class": "controls" }, this.root);
    var label = node("label", {}, controls, "Filter, counted from the bottom");
    this.picker = node("input", { type: "range", min: 0, max: rows - 1, step: 1, name: "row", value: this.row }, label);
    this.picked = node("output", {}, controls);
    var charts = node("div", { "class": "charts" }, this.root), size = "0 0 " + CHART.width + " " + CHART.height;
    this.waveform = node("svg", { viewBox: size, role: "img", "data-chart": "taps" }, charts, undefined, SVG);
    this.spectrum = node("svg", { viewBox: size, role: "img", "data-chart": "spectrum" }, charts, undefined, SVG);
    this.picker.addEventListener("input", function () { self.row = Number(self.picker.value); self.showTaps(); });
    this.canvas.addEventListener("click", function (event) {
      var box = self.canvas.getBoundingClientRect();
      self.row = Math.min(rows - 1, Math.max(0, Math.floor(rows * (1 - (event.clientY - box.top) / box.height))));
      self.picker.value = self.row;
      self.showTaps();
    });
  };

  Film.prototype.kernel = function () {
    var count = this.given.taps.count, start = (this.frame * this.given.shape[1] + this.row) * count, kernel = [];
    for (var n = 0; n < count; n++) kernel.push((this.weights.charCodeAt(start + n) << 24 >> 24) / 127);
    return kernel;
  };

  /* |sum over n of k[n] exp(-2 pi i f n / rate)|, scaled by its largest value */
  Film.prototype.transform = function (kernel) {
    var rate = this.given.taps.rate;
    var sizes = this.given.taps.frequencies.map(function (frequency) {
      var real = 0, imaginary = 0;
      kernel.forEach(function (weight, n) {
        var angle = 2 * Math.PI * frequency * n / rate;
        real += weight * Math.cos(angle); imaginary -= weight * Math.sin(angle);
      });
      return Math.hypot(real, imaginary);
    });
    var largest = Math.max.apply(null, sizes) || 1;
    return sizes.map(function (size) { return size / largest; });
  };

  Film.prototype.responses = function () {
    var columns = this.given.shape[2], start = (this.frame * this.given.shape[1] + this.row) * columns, values = [];
    for (var column = 0; column < columns; column++) {
      values.push(this.levels.charCodeAt(start + column) / (this.colours.length - 1));
    }
    return values;
  };

  function across(index, count) { return CHART.left + (index + 0.5) / count * (CHART.width - 2 * CHART.left); }

  function line(svg, values, low, high, name) {
    var path = values.map(function (value, i) {
      var y = CHART.bottom - (value - low) / (high - low) * (CHART.bottom - CHART.top);
      return (i ? "L" : "M") + across(i, values.length).toFixed(1) + " " + y.toFixed(1);
    }).join("");
    node("path", { d: path, "class": name }, svg, undefined, SVG);
  }

  function words(svg, x, y, text, anchor, name) {
    node("text", { x: x, y: y, "text-anchor": anchor, "class": name || "" }, svg, text, SVG);
  }

  Film.prototype.showTaps = function () {
    var given = this.given, rows = given.shape[1], kernel = this.kernel(), rate = given.taps.rate;
    this.mark.style.bottom = 100 * (this.row + 0.5) / rows + "%";
    this.picked.textContent = "filter " + (this.row + 1) + " of " + rows;
    this.picker.setAttribute("aria-valuetext", this.picked.textContent);
    var milliseconds = (1000 * (kernel.length - 1) / rate).toFixed(2);
    this.waveform.textContent = ""; this.spectrum.textContent = "";
    this.waveform.setAttribute("aria-label", kernel.length + " merged weights of one filter over " + milliseconds + " ms");
    this.spectrum.setAttribute("aria-label", "Response of one filter to tones, and the transform of its weights");
    line(this.waveform, kernel.map(function () { return 0; }), -1, 1, "zero");
    line(this.waveform, kernel, -1, 1, "weights");
    words(this.waveform, CHART.left, 132, "0", "start");
    words(this.waveform, CHART.width / 2, 146, "weights (scaled) over time (ms)", "middle");
    words(this.waveform, CHART.width - CHART.left, 132, milliseconds, "end");
    line(this.spectrum, this.transform(kernel), 0, 1, "weights dashed");
    line(this.spectrum, this.responses(), 0, 1, "tones");
    words(this.spectrum, CHART.left, 12, "tones", "start", "tones");
    words(this.spectrum, CHART.left + 44, 12, "weights, transformed (dashed)", "start", "weights");
    var svg = this.spectrum;
    given.columns.forEach(function (tick) { words(svg, across(tick[0], given.shape[2]), 132, tick[1], "middle"); });
    words(svg, CHART.width / 2, 146, given.xLabel, "middle");
  };

  Film.prototype.play = function () {
    var self = this, last = this.given.shape[0] - 1;
    if (this.frame === last) this.show(0);
    this.button.textContent = "Pause";
    this.output.setAttribute("aria-live", "off");
    this.timer = setInterval(function () {
      self.show(self.frame + 1);
      if (self.frame === last) self.stop();
    }, MILLISECONDS);
  };

  Film.prototype.stop = function () {
    clearInterval(this.timer);
    this.timer = null;
    if (!this.still) this.button.textContent = "Play";
    this.output.setAttribute("aria-live", "polite");
  };

  Film.prototype.show = function (frame) {
    var rows = this.given.shape[1], columns = this.given.shape[2], context = this.canvas.getContext("2d");
    var image = context.createImageData(columns, rows), start = frame * rows * columns;
    for (var row = 0; row < rows; row++) {
      for (var column = 0; column < columns; column++) {
        var colour = this.colours[this.levels.charCodeAt(start + row * columns + column)];
        var at = 4 * ((rows - 1 - row) * columns + column);
        image.data[at] = colour[0]; image.data[at + 1] = colour[1]; image.data[at + 2] = colour[2]; image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    this.frame = frame;
    this.slider.value = frame;
    this.slider.setAttribute("aria-valuetext", this.given.captions[frame]);
    this.output.textContent = this.given.captions[frame];
    this.canvas.setAttribute("aria-label", this.given.description + " " + this.given.captions[frame]);
    if (this.given.taps) this.showTaps();
  };

  document.querySelectorAll(".film-explorer:not([data-ready])").forEach(function (root) { root.film = new Film(root); });
})();
