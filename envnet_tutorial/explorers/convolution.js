/* Convolution arithmetic to move: input, kernel and output, step by step. A classic script, so that it runs from file:// too. */
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";
  var LIMITS = {
    1: { size: [2, 14], kernel: [1, 6], stride: [1, 5], padding: [0, 3], dilation: [1, 3] },
    2: { size: [2, 8], kernel: [1, 4], stride: [1, 4], padding: [0, 2], dilation: [1, 3] },
  };
  var LABELS = { size: "input size", kernel: "kernel", stride: "stride", padding: "padding", dilation: "dilation" };

  function geometry(s) {
    var span = s.dilation * (s.kernel - 1) + 1;
    var room = s.size + 2 * s.padding - span;
    var windows = [];
    for (var first = 0; first <= room; first += s.stride) {
      var window_ = [];
      for (var tap = 0; tap < s.kernel; tap++) window_.push(first - s.padding + tap * s.dilation);
      windows.push(window_);
    }
    return { span: span, room: room, windows: windows, left: room < 0 ? 0 : room % s.stride };
  }

  // Small whole numbers that a reader can add up; the tests compute the same sums with PyTorch.
  function inputValue(row, column) { return ((row * 5 + column * 3) % 7) - 2; }
  function weightValue(row, column) { return [1, 2, -1, 0][(row * 2 + column) % 4]; }

  function element(name, attributes, parent, text) {
    var node = name === "svg" || parent && parent.namespaceURI === SVG ? document.createElementNS(SVG, name) : document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  function cell(svg, x, y, kind, data, value, textKind) {
    var attributes = { x: x + 0.04, y: y + 0.04, width: 0.92, height: 0.92, rx: 0.08, class: kind };
    Object.keys(data).forEach(function (key) { attributes["data-" + key] = data[key]; });
    element("rect", attributes, svg);
    if (value !== "") element("text", { x: x + 0.5, y: y + 0.52, class: textKind || "" }, svg, String(value).replace("-", "\u2212"));
  }

  /* Hatching over the colour of the input, as the figures of the lesson have it, for cells that no step reads. */
  function hatch(svg, name) {
    var pattern = element("pattern", { id: name, width: 0.23, height: 0.23, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, element("defs", {}, svg));
    element("rect", { width: 0.23, height: 0.23 }, pattern);
    element("path", { d: "M0.03 0V0.23" }, pattern);
  }

  var count = 0;

  function Explorer(root) {
    this.hatching = "conv-hatch-" + count++;
    this.root = root;
    this.settings = JSON.parse(root.getAttribute("data-settings"));
    this.step = 0;
    this.timer = null;
    this.still = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.build();
    this.draw();
  }

  Explorer.prototype.build = function () {
    var self = this, root = this.root;
    root.textContent = "";
    root.setAttribute("data-ready", "yes");
    var set = element("fieldset", {}, root);
    element("legend", {}, set, "Convolution arithmetic");
    var label = element("label", {}, set, "axes ");
    this.axes = element("select", { name: "dimensions" }, label);
    element("option", { value: "1" }, this.axes, "one (sound)");
    element("option", { value: "2" }, this.axes, "two (picture)");
    this.axes.value = String(this.settings.dimensions);
    this.axes.addEventListener("change", function () { self.set("dimensions", Number(self.axes.value)); });
    this.inputs = {};
    this.readings = {};
    Object.keys(LABELS).forEach(function (name) {
      var box = element("label", {}, set);
      var line = element("span", {}, box, LABELS[name] + " ");
      self.readings[name] = element("output", {}, line);
      self.inputs[name] = element("input", { type: "range", step: 1, name: name, "aria-label": LABELS[name] }, box);
      self.inputs[name].addEventListener("input", function () { self.set(name, Number(self.inputs[name].value)); });
    });
    var buttons = element("div", { class: "buttons" }, root);
    this.back = this.button(buttons, "previous step", function () { self.move(-1); });
    this.next = this.button(buttons, "next step", function () { self.move(1); });
    this.play = this.button(buttons, "play", function () { self.toggle(); });
    if (this.still) this.play.hidden = true;
    this.stage = element("div", { class: "stage", tabindex: 0, role: "group", "aria-label": "Input, kernel and output. Left and right arrow keys step." }, root);
    this.stage.addEventListener("keydown", function (event) {
      var by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) { event.preventDefault(); self.pause(); self.move(by); }
    });
    this.status = element("p", { class: "status", "aria-live": "polite" }, root);
    this.formula = element("p", { class: "formula" }, root);
    this.note = element("p", { class: "note" }, root);
  };

  Explorer.prototype.button = function (parent, text, action) {
    var node = element("button", { type: "button" }, parent, text);
    node.addEventListener("click", action);
    return node;
  };

  Explorer.prototype.set = function (name, value) {
    this.pause();
    this.settings[name] = value;
    this.step = 0;
    this.draw();
  };

  Explorer.prototype.count = function () {
    var along = geometry(this.settings).windows.length;
    return this.settings.dimensions === 1 ? along : along * along;
  };

  Explorer.prototype.move = function (by) {
    var count = this.count();
    if (count) { this.step = (this.step + by + count) % count; this.draw(); }
  };

  Explorer.prototype.toggle = function () {
    var self = this;
    if (this.timer) { this.pause(); return; }
    this.timer = setInterval(function () { self.move(1); }, 900);
    this.play.textContent = "pause";
  };

  Explorer.prototype.pause = function () {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "play";
  };

  Explorer.prototype.readControls = function () {
    var limits = LIMITS[this.settings.dimensions], self = this;
    Object.keys(LABELS).forEach(function (name) {
      var value = Math.min(limits[name][1], Math.max(limits[name][0], self.settings[name]));
      self.settings[name] = value;
      self.inputs[name].min = limits[name][0];
      self.inputs[name].max = limits[name][1];
      self.inputs[name].value = value;
      self.readings[name].textContent = value;
    });
  };

  Explorer.prototype.draw = function () {
    this.readControls();
    var s = this.settings, g = geometry(s), flat = s.dimensions === 1, count = g.windows.length;
    this.stage.textContent = "";
    this.back.disabled = this.next.disabled = this.play.disabled = this.count() < 2;
    this.explain(s, g);
    var rows = flat ? [[0]] : g.windows, rowOf = flat ? 0 : Math.floor(this.step / Math.max(count, 1));
    var columnOf = flat ? this.step : this.step % Math.max(count, 1);
    var here = count ? { rows: rows[rowOf], columns: g.windows[columnOf] } : { rows: [], columns: [] };
    var used = { rows: new Set([].concat.apply([], rows)), columns: new Set([].concat.apply([], g.windows)) };
    var wide = s.size + 2 * s.padding;
    var svg = element("svg", { role: "img", style: "--hatched: url(#" + this.hatching + ")" }, this.stage);
    hatch(svg, this.hatching);
    if (flat) this.drawLine(svg, s, g, here, used, wide); else this.drawGrid(svg, s, g, here, used, wide);
    svg.setAttribute("aria-label", this.status.textContent);
  };

  Explorer.prototype.drawInput = function (svg, s, here, used, left, top) {
    var flat = s.dimensions === 1, high = flat ? [0, 1] : [-s.padding, s.size + s.padding];
    for (var row = high[0]; row < high[1]; row++) {
      for (var column = -s.padding; column < s.size + s.padding; column++) {
        var outside = column < 0 || column >= s.size || row < 0 || (!flat && row >= s.size);
        var touched = here.rows.indexOf(row) >= 0 && here.columns.indexOf(column) >= 0;
        var unused = !outside && !(used.rows.has(row) && used.columns.has(column));
        var kind = "input" + (outside ? " padding" : "") + (touched ? " touched" : "") + (unused ? " unused" : "");
        cell(svg, left + column + s.padding, top + row - high[0], kind, { row: row, column: column }, outside ? 0 : inputValue(row, column), touched ? "on" : "");
      }
    }
  };

  Explorer.prototype.drawLine = function (svg, s, g, here, used, wide) {
    var self = this, start = here.columns.length ? here.columns[0] + s.padding : 0;
    svg.setAttribute("viewBox", "0 0 " + wide + " 5.4");
    element("text", { x: 0, y: 0.35, class: "row" }, svg, "input");
    this.drawInput(svg, s, here, used, 0, 0.7);
    element("text", { x: 0, y: 2.1, class: "row" }, svg, "kernel");
    here.columns.forEach(function (column, tap) { cell(svg, column + s.padding, 2.4, "kernel", { tap: tap }, weightValue(0, tap)); });
    element("text", { x: 0, y: 3.9, class: "row" }, svg, "output");
    g.windows.forEach(function (window_, step) {
      var now = step === self.step;
      cell(svg, step, 4.25, "output" + (now ? " current" : ""), { row: 0, column: step }, step <= self.step ? self.value(s, [0], window_) : "", now ? "current" : "");
    });
    if (g.span > wide) element("text", { x: start, y: 2.8, class: "row" }, svg, "does not fit");
  };

  Explorer.prototype.drawGrid = function (svg, s, g, here, used, wide) {
    var self = this, count = g.windows.length, gap = 1.2, kernelTop = 0.7, outLeft = wide + s.kernel + 2 * gap;
    svg.setAttribute("viewBox", "0 0 " + (outLeft + Math.max(count, 2)) + " " + (Math.max(wide, s.kernel, count) + 1));
    element("text", { x: 0, y: 0.35, class: "row" }, svg, "input");
    this.drawInput(svg, s, here, used, 0, 0.7);
    element("text", { x: wide + gap, y: 0.35, class: "row" }, svg, "kernel");
    here.rows.forEach(function (row, i) {
      here.columns.forEach(function (column, j) { cell(svg, wide + gap + j, kernelTop + i, "kernel", { tap: i * s.kernel + j }, weightValue(i, j)); });
    });
    element("text", { x: outLeft, y: 0.35, class: "row" }, svg, "output");
    g.windows.forEach(function (rows, i) {
      g.windows.forEach(function (columns, j) {
        var step = i * count + j, now = step === self.step;
        cell(svg, outLeft + j, 0.7 + i, "output" + (now ? " current" : ""), { row: i, column: j }, step <= self.step ? self.value(s, rows, columns) : "", now ? "current" : "");
      });
    });
  };

  Explorer.prototype.value = function (s, rows, columns) {
    var sum = 0;
    function inside(index) { return index >= 0 && index < s.size; }
    rows.forEach(function (row, i) {
      columns.forEach(function (column, j) { if (inside(row) && inside(column)) sum += inputValue(row, column) * weightValue(i, j); });
    });
    return sum;
  };

  Explorer.prototype.sum = function (s, window_) {
    function signed(number) { return number < 0 ? "(\u2212" + -number + ")" : String(number); }
    var terms = window_.map(function (column, tap) {
      return signed(column < 0 || column >= s.size ? 0 : inputValue(0, column)) + "\u00b7" + signed(weightValue(0, tap));
    });
    return terms.join(" + ") + " = " + String(this.value(s, [0], window_)).replace("-", "\u2212");
  };

  Explorer.prototype.explain = function (s, g) {
    var count = g.windows.length, sign = "\u2212", flat = s.dimensions === 1;
    var call = "floor((" + s.size + " + 2\u00b7" + s.padding + " " + sign + " " + s.dilation + "\u00b7(" + s.kernel + " " + sign + " 1) " + sign + " 1) / " + s.stride + ") + 1";
    if (!count) {
      this.status.textContent = "The kernel spans " + g.span + " cells and does not fit.";
      this.formula.textContent = "PyTorch refuses: the kernel is larger than the padded input.";
      this.note.textContent = "";
      return;
    }
    this.status.textContent = "Step " + (this.step + 1) + " of " + this.count() + (flat ? ": " + this.sum(s, g.windows[this.step]) : "") + ".";
    this.formula.textContent = "Output length" + (flat ? "" : " on each axis") + ": " + call + " = " + count;
    var taken = new Set([].concat.apply([], g.windows)), skipped = [];
    for (var index = 0; index < s.size; index++) if (!taken.has(index)) skipped.push(index);
    this.note.textContent = (g.left ? "The last step is no whole stride: the division is floored, " + g.left + " left over. " : "") +
      (skipped.length ? "Hatched: read by no step (" + skipped.join(", ") + ")." : "");
  };

  function start() {
    document.querySelectorAll(".convolution-explorer:not([data-ready])").forEach(function (root) { new Explorer(root); });
  }
  start();
})();
