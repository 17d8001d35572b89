/* A compact network that names the sound of a window, and the panel that shows what it says. */
var hearingNaming = (function () {
  "use strict";
  var S = hearingSignal, node = hearingCharts.node, SLICE = 12;  // ms of work before the page may draw

  /* Numbers of 16 bits, as IEEE 754 has them. */
  function halves(base64) {
    var text = atob(base64), out = new Float64Array(text.length / 2);
    for (var i = 0; i < out.length; i++) {
      var bits = text.charCodeAt(2 * i) | text.charCodeAt(2 * i + 1) << 8, exponent = bits >> 10 & 31, part = bits & 1023;
      var size = exponent ? (1 + part / 1024) * Math.pow(2, exponent - 15) : part * Math.pow(2, -24);
      out[i] = bits & 0x8000 ? -size : size;
    }
    return out;
  }

  /* The network in eval mode: a front end as in the pictures above, then the layers that `given.layers` lists. */
  function Namer(given, frames) {
    var weights = halves(given.weights), rest = Float64Array.from(filterSignal.floats(given.rest)), at = 0, next = 0;
    function take(from, count) {
      if (from === weights) return weights.subarray(at, at += count);
      return rest.subarray(next, next += count);
    }
    this.frontEnd = new S.FrontEnd({ weights: given.frontEnd, filters: given.filters, taps: given.taps, hop: given.hop });
    this.hop = given.hop; this.frames = frames;
    this.layers = given.layers.map(function (layer) {
      var count = layer.out * (layer.each ? 1 : layer.in) * layer.size * layer.size, copy = Object.assign({}, layer);
      if (layer.kind === "conv") { copy.weight = take(weights, count); copy.scale = take(rest, layer.out); copy.shift = take(rest, layer.out); }
      if (layer.kind === "linear") { copy.weight = take(weights, layer.in * layer.out); copy.shift = take(rest, layer.out); }
      return copy;
    });
  }

  Namer.prototype.begin = function (window, gain) {
    var filters = this.frontEnd.filters;
    this.window = window; this.gain = gain; this.frame = 0; this.layer = 0; this.channel = 0; this.kept = null;
    this.map = { channels: 1, height: filters, width: this.frames, values: new Float64Array(filters * this.frames) };
  };

  /* A millisecond or so of work: a step of 10 ms of the front end, a channel of a convolution, or another layer. */
  Namer.prototype.step = function () {
    var map = this.map, layer = this.layers[this.layer];
    if (this.frame < this.frames) {
      var column = this.frontEnd.frame(this.window, this.frame * this.hop, this.gain);
      for (var f = 0; f < column.length; f++) map.values[f * this.frames + this.frame] = column[f];
      this.frame++;
    } else if (layer.kind === "conv") {
      if (this.channel === 0) this.next = blank(layer.out, Math.ceil(map.height / layer.stride), Math.ceil(map.width / layer.stride));
      convolve(layer, map, this.next, this.channel++);
      if (this.channel === layer.out) { this.map = this.next; this.channel = 0; this.layer++; }
    } else {
      if (layer.kind === "keep") this.kept = map;
      else if (layer.kind === "add") for (var i = 0; i < map.values.length; i++) map.values[i] += this.kept.values[i];
      else this.map = layer.kind === "pool" ? pool(map) : layer.kind === "ends" ? meanAndMax(map) : linear(layer, map);
      this.layer++;
    }
    return this.layer === this.layers.length;
  };

  Namer.prototype.probabilities = function () {
    var values = this.map.values, most = Math.max.apply(null, values), powers = values.map(function (v) { return Math.exp(v - most); });
    var sum = powers.reduce(function (a, b) { return a + b; });
    return powers.map(function (p) { return p / sum; });
  };

  function blank(channels, height, width) {
    return { channels: channels, height: height, width: width, values: new Float64Array(channels * height * width) };
  }

  /* One output channel of a convolution with zeros around the picture, its batch norm, and a ReLU where there is one. */
  function convolve(layer, from, to, o) {
    var size = layer.size, stride = layer.stride, pad = (size - 1) / 2, width = from.width, x = from.values, y = to.values;
    var base = o * to.height * to.width, inputs = layer.each ? 1 : layer.in, k = o * inputs * size * size, last = base + to.height * to.width;
    for (var i = 0; i < inputs; i++) for (var ky = 0; ky < size; ky++) for (var kx = 0; kx < size; kx++) {
      var w = layer.weight[k++], plane = (layer.each ? o : i) * from.height * width;
      var first = Math.ceil(Math.max(0, pad - kx) / stride), end = Math.min(to.width, Math.floor((width - 1 + pad - kx) / stride) + 1);
      for (var row = 0; row < to.height; row++) {
        var source = row * stride + ky - pad;
        if (source < 0 || source >= from.height) continue;
        var at = base + row * to.width, read = plane + source * width + kx - pad;
        for (var column = first; column < end; column++) y[at + column] += w * x[read + column * stride];
      }
    }
    for (var p = base; p < last; p++) {
      var value = layer.scale[o] * y[p] + layer.shift[o];
      y[p] = layer.relu && value < 0 ? 0 : value;
    }
  }

  /* The largest of each 2 x 2 places; at an odd edge, of those that there are. */
  function pool(from) {
    var to = blank(from.channels, Math.ceil(from.height / 2), Math.ceil(from.width / 2)), out = 0;
    for (var c = 0; c < to.channels; c++) for (var row = 0; row < to.height; row++) for (var column = 0; column < to.width; column++) {
      var most = -Infinity;
      for (var y = 2 * row; y < Math.min(2 * row + 2, from.height); y++) for (var x = 2 * column; x < Math.min(2 * column + 2, from.width); x++) {
        most = Math.max(most, from.values[(c * from.height + y) * from.width + x]);
      }
      to.values[out++] = most;
    }
    return to;
  }

  /* Each channel's mean plus its maximum. */
  function meanAndMax(from) {
    var to = blank(from.channels, 1, 1), size = from.height * from.width;
    for (var c = 0; c < to.channels; c++) {
      for (var i = c * size, sum = 0, most = -Infinity; i < (c + 1) * size; i++) { sum += from.values[i]; most = Math.max(most, from.values[i]); }
      to.values[c] = sum / size + most;
    }
    return to;
  }

  function linear(layer, from) {
    var to = blank(layer.out, 1, 1);
    for (var o = 0; o < layer.out; o++) {
      to.values[o] = layer.shift[o];
      for (var i = 0; i < layer.in; i++) to.values[o] += layer.weight[o * layer.in + i] * from.values[i];
    }
    return to;
  }

  /* "Which sound is it?": the five likeliest classes, and the first one's name where the rule allows to say it. */
  function Panel(page, parent) {
    var given = page.given.naming;
    this.page = page; this.given = given; this.namer = new Namer(given, page.frames);
    this.box = node("div", { "class": "names", role: "group", "aria-label": "What a small network says" }, parent);
    this.verdict = node("p", { "class": "verdict", role: "status" }, this.box);
    this.list = node("ol", {}, this.box);
    this.rows = [0, 1, 2, 3, 4].map(function () {
      var row = node("li", {}, this.list), name = node("span", { "class": "name" }, row), track = node("span", { "class": "track", "aria-hidden": "true" }, row);
      return { name: name, bar: node("span", { "class": "amount" }, track), share: node("span", { "class": "share" }, row) };
    }, this);
    node("p", { "class": "quiet" }, this.box, given.measured);
    this.wait();
  }

  /* What is said is of another sound. */
  Panel.prototype.wait = function () { this.box.classList.add("old"); };

  /* Name the window of a run of the page, a few milliseconds at a time, unless the reader has gone on meanwhile. */
  Panel.prototype.begin = function (run) {
    var self = this, page = this.page, namer = this.namer, busy = 0, channel = new MessageChannel();
    namer.begin(page.window, page.gain);
    channel.port1.onmessage = function () {
      if (run !== page.run) { channel.port1.close(); return; }
      var slice = performance.now(), done = false;
      while (!done && performance.now() - slice < SLICE) done = namer.step();
      busy += performance.now() - slice;
      if (!done) { channel.port2.postMessage(0); return; }
      channel.port1.close();
      var found = namer.probabilities();
      self.show(found);
      page.root.naming = { probabilities: Array.from(found), busy: busy, run: run };
    };
    channel.port2.postMessage(0);
  };

  Panel.prototype.show = function (probabilities) {
    var given = this.given, order = Array.from(probabilities.keys()).sort(function (a, b) { return probabilities[b] - probabilities[a]; });
    function percent(share) { return share < 0.01 ? "under 1\u00a0%" : share > 0.99 ? "over 99\u00a0%" : Math.round(100 * share) + "\u00a0%"; }
    var best = order[0], sure = percent(probabilities[best]);
    this.box.classList.remove("old");
    this.verdict.textContent = probabilities[best] >= given.threshold ? "A small network names it: " + given.classes[best] + ", " + sure + " sure." :
      "A small network says: none of these. Its best guess, " + given.classes[best] + ", has only " + sure + ".";
    this.rows.forEach(function (row, i) {
      row.name.textContent = given.classes[order[i]];
      row.bar.style.width = 100 * probabilities[order[i]] + "%";
      row.share.textContent = percent(probabilities[order[i]]);
    });
  };

  return { Panel: Panel };
})();
