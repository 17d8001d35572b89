/* Convolution arithmetic to move: input, kernel and output, step by step. A classic script, so that it runs from file:// too. */
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";
  var LIMITS = {
    1: { size: [2, 14], kernel: [1, 6], stride: [1, 5], padding: [0, 3], dilation: [1, 3] },
    2: { size: [2, 8], kernel: [1, 4], stride: [1, 4], padding: [0, 2], dilation: [1, 3] },
  };
  var LABELS = { size: "input size", kernel: "kernel", stride: "stride", padding: "padding", dilation: "dilation" };

  function range(first, end) { return Array.from({ length: end - first }, function (_, i) { return first + i; }); }
  function flatten(lists) { return [].concat.apply([], lists); }
  function minus(number) { return String(number).replace("-", "\u2212"); }

  function geometry(s) {
    var span = s.dilation * (s.kernel - 1) + 1;
    var room = s.size + 2 * s.padding - span;
    var windows = [];
    for (var first = 0; first <= room; first += s.stride) {
      var window_ = [];
      for (var tap = 0; tap < s.kernel; tap++) window_.push(first - s.padding + tap * s.dilation);
      windows.push(window_);
    }
    return { span: span, windows: windows, used: new Set(flatten(windows)), left: room < 0 ? 0 : room % s.stride };
  }

  function inside(s, index) { return index >= 0 && index < s.size; }

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

  /* Set the attributes that differ from those that are there: each one set has its cost in layout. */
  function write(node, attributes) {
    Object.keys(attributes).forEach(function (name) {
      if (node.getAttribute(name) !== String(attributes[name])) node.setAttribute(name, attributes[name]);
    });
  }

  /* Cells in rows and columns. They stay as long as there are so many of them, and only what differs is written. */
  function Grid(parent) {
    this.group = element("g", {}, parent);
    this.cells = [];
  }

  /* Have a cell for each of these indices of rows and columns, from a corner on. */
  Grid.prototype.lay = function (rows, columns, left, top, apart) {
    while (this.cells.length > rows.length * columns.length) {
      var last = this.cells.pop();
      last.box.remove();
      last.text.remove();
    }
    while (this.cells.length < rows.length * columns.length) {
      this.cells.push({
        box: element("rect", { width: 0.92, height: 0.92, rx: 0.08 }, this.group),
        text: element("text", {}, this.group),
      });
    }
    this.cells.forEach(function (cell, index) {
      var i = Math.floor(index / columns.length), j = index % columns.length;
      var x = left + j * (apart || 1), y = top + i;
      cell.row = rows[i];
      cell.column = columns[j];
      write(cell.box, { "data-row": cell.row, "data-column": cell.column, x: x + 0.04, y: y + 0.04 });
      write(cell.text, { x: x + 0.5, y: y + 0.52 });
    });
  };

  /* Show what show(row, column, index) says of each cell: its class, its number or "", and the class of the number. */
  Grid.prototype.fill = function (show) {
    this.cells.forEach(function (cell, index) {
      var shown = show(cell.row, cell.column, index), text = minus(shown.value);
      write(cell.box, { class: shown.kind });
      write(cell.text, { class: shown.textKind || "" });
      if (cell.text.textContent !== text) cell.text.textContent = text;
    });
  };

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
    this.svg = element("svg", { role: "img", style: "--hatched: url(#" + this.hatching + ")" }, this.stage);
    hatch(this.svg, this.hatching);
    this.titles = {};
    this.grids = {};
    ["input", "kernel", "output"].forEach(function (name) {
      self.titles[name] = element("text", { class: "row" }, self.svg, name);
      self.grids[name] = new Grid(self.svg);
    });
    this.refusal = element("text", { x: 0, y: 2.8, class: "row" }, this.svg);
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
    var along = this.geometry.windows.length;
    return this.settings.dimensions === 1 ? along : along * along;
  };

  Explorer.prototype.move = function (by) {
    var count = this.count();
    if (count) { this.step = (this.step + by + count) % count; this.show(); }
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
    this.geometry = geometry(this.settings);
    this.back.disabled = this.next.disabled = this.play.disabled = this.count() < 2;
    this.arrange();
    this.show();
  };

  /* Lay out input, kernel and output: below each other for a sound, side by side for a picture. */
  Explorer.prototype.arrange = function () {
    var s = this.settings, flat = s.dimensions === 1, count = this.geometry.windows.length;
    var wide = s.size + 2 * s.padding, kernelLeft = wide + 1.2, outLeft = kernelLeft + s.kernel + 1.2;
    var along = range(-s.padding, s.size + s.padding), taps = range(0, count ? s.kernel : 0), steps = range(0, count);
    write(this.titles.input, { x: 0, y: 0.35 });
    write(this.titles.kernel, { x: flat ? 0 : kernelLeft, y: flat ? 2.1 : 0.35 });
    write(this.titles.output, { x: flat ? 0 : outLeft, y: flat ? 3.9 : 0.35 });
    this.grids.input.lay(flat ? [0] : along, along, 0, 0.7);
    this.grids.kernel.lay(flat ? [0] : taps, taps, flat ? 0 : kernelLeft, flat ? 2.4 : 0.7);
    this.grids.output.lay(flat ? [0] : steps, steps, flat ? 0 : outLeft, flat ? 4.25 : 0.7);
    this.refusal.textContent = flat && !count ? "does not fit" : "";
    var box = flat ? [wide, 5.4] : [outLeft + Math.max(count, 2), Math.max(wide, s.kernel, count) + 1];
    write(this.svg, { viewBox: "0 0 " + box.join(" ") });
  };

  /* Show one step: the cells that it reads, and the sums up to it. */
  Explorer.prototype.show = function () {
    var self = this, s = this.settings, g = this.geometry, flat = s.dimensions === 1, count = g.windows.length;
    var rows = flat ? [[0]] : g.windows;
    var here = count ? { rows: rows[Math.floor(this.step / count)], columns: g.windows[this.step % count] } : { rows: [], columns: [] };
    this.explain(s, g);
    this.grids.input.fill(function (row, column) {
      var outside = !inside(s, row) || !inside(s, column);
      var touched = here.rows.includes(row) && here.columns.includes(column);
      var unused = !outside && !((flat || g.used.has(row)) && g.used.has(column));
      var kind = "input" + (outside ? " padding" : "") + (touched ? " touched" : "") + (unused ? " unused" : "");
      return { kind: kind, value: outside ? 0 : inputValue(row, column), textKind: touched ? "on" : "" };
    });
    if (flat && count) this.grids.kernel.lay([0], range(0, s.kernel), here.columns[0] + s.padding, 2.4, s.dilation);
    this.grids.kernel.fill(function (row, column) { return { kind: "kernel", value: weightValue(row, column) }; });
    this.grids.output.fill(function (row, column, step) {
      var now = step === self.step, value = step > self.step ? "" : self.value(s, rows[row], g.windows[column]);
      return { kind: now ? "output current" : "output", value: value, textKind: now ? "current" : "" };
    });
    this.svg.setAttribute("aria-label", this.status.textContent);
  };

  Explorer.prototype.value = function (s, rows, columns) {
    var sum = 0;
    rows.forEach(function (row, i) {
      columns.forEach(function (column, j) { if (inside(s, row) && inside(s, column)) sum += inputValue(row, column) * weightValue(i, j); });
    });
    return sum;
  };

  Explorer.prototype.sum = function (s, window_) {
    function signed(number) { return number < 0 ? "(\u2212" + -number + ")" : String(number); }
    var terms = window_.map(function (column, tap) {
      return signed(inside(s, column) ? inputValue(0, column) : 0) + "\u00b7" + signed(weightValue(0, tap));
    });
    return terms.join(" + ") + " = " + minus(this.value(s, [0], window_));
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
    var skipped = range(0, s.size).filter(function (index) { return !g.used.has(index); });
    this.note.textContent = (g.left ? "The last step is no whole stride: the division is floored, " + g.left + " left over. " : "") +
      (skipped.length ? "Hatched: read by no step (" + skipped.join(", ") + ")." : "");
  };

  function start() {
    document.querySelectorAll(".convolution-explorer:not([data-ready])").forEach(function (root) { new Explorer(root); });
  }
  start();
})();
