/* EnvNet to rebuild: each layer's shape, parameters, field and operations follow from its numbers. A classic script. */
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", TIMES = " \u00d7 ", MINUS = " \u2212 ";
  var LIMITS = { samples: [1, 500000], rate: [1000, 96000], outputs: [1, 16384], height: [1, 512], width: [1, 4096] };

  // The state that a layer hands on: channels, rows and steps of its output, and what one position sees.
  function begin(settings) {
    return { channels: 1, rows: 1, steps: settings.samples, field: 1, step: 1, flat: 0 };
  }

  function axis(length, kernel, stride) { return Math.floor((length - kernel) / stride) + 1; }

  function misfit(layer, rows, steps) {
    var short = layer.size[0] > rows ? ["row", layer.size[0], rows] : layer.size[1] > steps ? ["step", layer.size[1], steps] : null;
    if (!short) return null;
    var unit = short[0] + (short[1] === 1 ? "" : "s");
    return layer.name + " needs " + grouped(short[1]) + " " + unit + " and gets " + grouped(short[2]) + ".";
  }

  var LAYERS = {
    conv: function (s, layer) {
      var rows = axis(s.rows, layer.size[0], 1), steps = axis(s.steps, layer.size[1], 1);
      var taps = s.channels * layer.size[0] * layer.size[1];
      return {
        channels: layer.outputs, rows: rows, steps: steps, field: s.field + (layer.size[1] - 1) * s.step, step: s.step, flat: 0,
        parameters: layer.outputs * taps + 2 * layer.outputs, operations: 2 * layer.outputs * rows * steps * taps,
        work: [
          (s.rows > 1 ? "Rows: " + s.rows + MINUS + layer.size[0] + " + 1 = " + rows + ". " : "") + "Steps: " + grouped(s.steps) + MINUS + layer.size[1] + " + 1 = " + grouped(steps) + ".",
          "Parameters: " + layer.outputs + " filters" + TIMES + s.channels + " channels" + TIMES + layer.size[0] + TIMES + layer.size[1] + " taps, and 2" + TIMES + layer.outputs + " of the batch norm.",
          "Each value takes " + grouped(taps) + " multiplications and as many additions.",
        ],
      };
    },
    pool: function (s, layer) {
      var rows = axis(s.rows, layer.size[0], layer.size[0]), steps = axis(s.steps, layer.size[1], layer.size[1]);
      var lost = s.steps - steps * layer.size[1];
      return {
        channels: s.channels, rows: rows, steps: steps, field: s.field + (layer.size[1] - 1) * s.step, step: s.step * layer.size[1], flat: 0,
        parameters: 0, operations: 0,
        work: [
          "Steps: floor(" + grouped(s.steps) + " / " + layer.size[1] + ") = " + grouped(steps) + (lost ? "; the last " + lost + " are lost." : ", with nothing left over."),
          layer.size[0] > 1 ? "Rows: floor(" + s.rows + " / " + layer.size[0] + ") = " + rows + "." : "",
          "Its neighbour sees " + grouped(layer.size[1]) + TIMES + grouped(s.step) + " samples further on.",
        ],
      };
    },
    transpose: function (s) {
      return { channels: s.rows, rows: s.channels, steps: s.steps, field: s.field, step: s.step, flat: 0, parameters: 0, operations: 0,
        work: ["Nothing is computed: " + s.channels + " channels become the rows of " + s.rows + (s.rows === 1 ? " picture." : " pictures.")] };
    },
    flatten: function (s) {
      var count = s.channels * s.rows * s.steps;
      return { channels: s.channels, rows: s.rows, steps: s.steps, field: s.field, step: s.step, flat: count, parameters: 0, operations: 0,
        work: [s.channels + TIMES + s.rows + TIMES + grouped(s.steps) + " = " + grouped(count) + " numbers, one after the other."] };
    },
    linear: function (s, layer) {
      var whole = s.step === null ? s.field : s.field + (s.steps - 1) * s.step;
      return { channels: s.channels, rows: s.rows, steps: s.steps, field: whole, step: null, flat: layer.outputs,
        parameters: layer.outputs * s.flat + layer.outputs, operations: 2 * layer.outputs * s.flat,
        work: [grouped(layer.outputs) + " units, each with " + grouped(s.flat) + " weights and 1 offset."] };
    },
  };

  // Pure arithmetic: what stands behind each layer, up to the first that does not fit.
  function walk(settings) {
    var state = begin(settings), found = [];
    for (var i = 0; i < settings.layers.length; i++) {
      var layer = settings.layers[i], problem = layer.size ? misfit(layer, state.rows, state.steps) : null;
      if (problem) { found.push({ name: layer.name, problem: problem }); break; }
      state = LAYERS[layer.kind](state, layer);
      found.push({
        name: layer.name, shape: state.flat ? [state.flat] : [state.channels, state.rows, state.steps],
        parameters: state.parameters, operations: state.operations, field: state.field, step: state.step,
        work: state.work.filter(Boolean).join(" "),
      });
    }
    return found;
  }

  function grouped(number) { return String(number).replace(/\B(?=(\d{3})+$)/g, ","); }
  function milliseconds(samples, rate) {
    var value = 1000 * samples / rate;
    return (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : grouped(Math.round(value))) + " ms";
  }
  function large(number) {
    return number >= 1e9 ? (number / 1e9).toFixed(2) + " billion" : number >= 1e6 ? (number / 1e6).toFixed(1) + " million" : grouped(number);
  }

  function element(name, attributes, parent, text) {
    var drawn = name === "svg" || parent && parent.namespaceURI === SVG;
    var node = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  function Explorer(root) {
    var given = JSON.parse(root.getAttribute("data-settings")), flow = given.flow;
    delete given.flow;
    given.layers[given.layers.length - 1].outputs = given.classes;
    this.root = root;
    this.given = JSON.stringify(given);
    this.build();
    if (flow) this.flow = new networkFlow.Flow(this, flow);
    this.reset();
  }

  Explorer.prototype.build = function () {
    var self = this, root = this.root, settings = JSON.parse(this.given);
    root.textContent = "";
    root.setAttribute("data-ready", "yes");
    this.inputs = [];
    var set = element("fieldset", { class: "window" }, root);
    element("legend", {}, set, "EnvNet, to rebuild");
    this.control(set, "window, samples", "samples", function (s) { return s; }, "samples");
    this.control(set, "rate, Hz", "rate", function (s) { return s; }, "rate");
    element("button", { type: "button", class: "reset" }, set, "EnvNet as it was").addEventListener("click", function () { self.reset(); });
    this.list = element("ol", {}, root);
    var turned = settings.layers.map(function (layer) { return layer.kind; }).indexOf("transpose");
    this.rows = settings.layers.map(function (layer, index) { return self.row(layer, index, index > turned); });
    this.total = element("p", { class: "total", "aria-live": "polite" }, root);
    element("p", { class: "numbers" }, root, "Click a layer for its arithmetic. Bars, where no sound flows: time to the right, rows or channels upwards, both on a logarithmic scale.");
  };

  // Before the transpose there is one row, so that a kernel has no height to choose.
  Explorer.prototype.row = function (layer, index, inPicture) {
    var self = this, item = element("li", {}, this.list);
    var name = element("button", { type: "button", "aria-expanded": "false" }, item, layer.name);
    var controls = element("span", { class: "controls" }, item);
    function of(settings) { return settings.layers[index]; }
    function size(settings) { return of(settings).size; }
    if (layer.outputs) this.control(controls, layer.kind === "linear" ? "units" : "filters", "outputs", of, "outputs", layer.name);
    if (layer.size && !inPicture) {
      this.control(controls, layer.kind === "conv" ? "taps" : "samples", 1, size, "width", layer.name);
    } else if (layer.size) {
      this.control(controls, "rows", 0, size, "height", layer.name);
      this.control(controls, "steps", 1, size, "width", layer.name);
    }
    var picture = element("svg", { viewBox: "0 0 132 40", preserveAspectRatio: "xMinYMid meet", "aria-hidden": "true" }, item);
    var text = element("span", {}, item);
    var parts = { name: layer.name, item: item, picture: picture, shape: element("span", { class: "shape" }, text), numbers: element("span", { class: "numbers" }, text) };
    parts.work = element("div", { class: "work", hidden: "" }, item);
    name.addEventListener("click", function () {
      parts.work.hidden = !parts.work.hidden;
      name.setAttribute("aria-expanded", String(!parts.work.hidden));
    });
    return parts;
  };

  // A labelled number; `place` finds the object of the settings that holds it under `key`.
  Explorer.prototype.control = function (parent, text, key, place, limit, layer) {
    var self = this, range = LIMITS[limit], label = element("label", {}, parent, text + " ");
    var input = element("input", { type: "number", min: range[0], max: range[1], step: 1, name: limit, "aria-label": (layer ? layer + ": " : "") + text }, label);
    input.addEventListener("input", function () {
      var value = Number(input.value), fits = input.value !== "" && Math.floor(value) === value && value >= range[0] && value <= range[1];
      input.setAttribute("aria-invalid", String(!fits));
      if (fits) { place(self.settings)[key] = value; self.draw(); return; }
      self.total.textContent = (layer ? layer + ", " : "") + text + ": a whole number from " + range[0] + " to " + grouped(range[1]) +
        " is wanted; the drawing still has " + grouped(place(self.settings)[key]) + ".";
    });
    this.inputs.push(function () { input.value = place(self.settings)[key]; input.setAttribute("aria-invalid", "false"); });
  };

  Explorer.prototype.reset = function () {
    this.settings = JSON.parse(this.given);
    this.inputs.forEach(function (read) { read(); });
    this.draw();
  };

  Explorer.prototype.draw = function () {
    if (this.flow) this.flow.update();
    var found = walk(this.settings), rate = this.settings.rate, self = this, sums = { parameters: 0, operations: 0 };
    this.rows.forEach(function (parts, index) {
      var layer = found[index];
      parts.item.className = layer ? layer.problem ? "wrong" : "" : "unreached";
      parts.picture.textContent = "";
      parts.shape.textContent = layer ? layer.problem ? "does not fit " : "(" + ["N"].concat(layer.shape).join(", ") + ") " : "";
      parts.numbers.textContent = layer && !layer.problem ? self.numbers(layer, rate) : "";
      parts.work.textContent = layer ? layer.problem ? "What it slides over is smaller than itself." : layer.work : "Nothing arrives here.";
      if (!layer || layer.problem) { if (layer) parts.numbers.textContent = layer.problem; return; }
      sums.parameters += layer.parameters;
      sums.operations += layer.operations;
      self.bar(parts.picture, layer);
    });
    var last = found[found.length - 1];
    this.total.textContent = last.problem ? "This network cannot be built: " + last.problem :
      grouped(sums.parameters) + " parameters, " + large(sums.operations) + " operations for a window of " + milliseconds(this.settings.samples, rate) + ".";
  };

  Explorer.prototype.numbers = function (layer, rate) {
    var seen = layer.step === null ? "sees all of " + milliseconds(layer.field, rate) : "sees " + milliseconds(layer.field, rate) + ", the next " + milliseconds(layer.step, rate) + " later";
    return (layer.parameters ? grouped(layer.parameters) + " parameters; " : "") + seen;
  };

  Explorer.prototype.bar = function (svg, layer) {
    var flat = layer.shape.length === 1, long = flat ? 1 : layer.shape[2], high = flat ? layer.shape[0] : layer.shape[1] > 1 ? layer.shape[1] : layer.shape[0];
    function scaled(value, most, size) { return 2 + Math.min(1, Math.log(value + 1) / Math.log(most)) * (size - 2); }
    var width = scaled(flat ? 1 : long, 24015, 130), height = scaled(high, 8193, 38);
    var kind = flat ? "vector" : layer.shape[1] > 1 ? "map" : "sound";
    element("rect", { x: 1, y: 20 - height / 2, width: width, height: height, rx: 2, class: kind }, svg);
  };

  function start() {
    document.querySelectorAll(".network-explorer:not([data-ready])").forEach(function (root) { root.explorer = new Explorer(root); root.walk = walk; });
  }
  start();
})();
