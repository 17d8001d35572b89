/* One filter at a time: its taps, its answers to tones, and how it sounds. Builds on controls.js, film_reels.js, filter_signal.js and hearing_player.js; for file:// too. */
(function () {
  "use strict";
  var ui = explorerControls, node = ui.node, shape = ui.shape, SECONDS = 3, HALF = 0.5;
  var LEFT = 8, TOP = 24, BOTTOM = 104, HEIGHT = 136;  // of a chart, in pixels; of the right edge as of the left

  function Explorer(root, given) {
    var self = this;
    this.root = root; this.given = given;
    this.kernels = filterSignal.floats(given.kernels);  // (state, filter, tap)
    this.marks = []; this.repeat = { checked: true };  // for the player
    if (!window.DecompressionStream) { root.textContent = "This browser is too old for the explorer: it needs one of 2023 or later."; return; }
    filmReels.read(given).then(function (reels) { self.open(reels[0]); });
  }

  Explorer.prototype.open = function (reel) {
    var self = this;
    this.reel = reel;
    this.filter = reel.given.orders[0][this.given.start];
    this.build();
    this.player = new hearingPlayer.Player(this);
    this.choose();
    this.listenTo();
    ui.atEachWidth(this.tuning.parentNode, function (width) { self.width = width; self.show(); });
    document.addEventListener("visibilitychange", function () { if (document.hidden) self.player.stop(); });
  };

  Explorer.prototype.build = function () {
    var self = this, given = this.given, set = node("fieldset", {}, this.root), listen;
    node("legend", {}, set, "Look at one filter");
    this.row = ui.range(set, "row", "Filter", [1, given.filters, 1], 1, function () { self.pick(self.order()[self.row.input.value - 1]); });
    this.sorting = ui.choice(set, "order", "rows", [["sorted", "sorted by tone"], ["own", "as they come"]], function () { self.choose(); });
    this.state = ui.choice(set, "state", "weights", given.states.map(function (name, i) { return [i, name]; }), function () { self.choose(); });
    listen = node("div", { "class": "listen", role: "group", "aria-label": "Listen" }, this.root);
    this.sound = ui.choice(listen, "sound", "sound", [["glide", "a gliding tone"], ["hiss", "hiss"]], function () { self.listenTo(); });
    this.playSound = node("button", { type: "button", name: "plain" }, listen, "Play the sound");
    this.playFilter = node("button", { type: "button", name: "through" }, listen, "Play through this filter");
    this.playSound.addEventListener("click", function () { self.player.press("sound"); });
    this.playFilter.addEventListener("click", function () { self.player.press("filter"); });
    this.buildCharts();
    this.buildTable();
    this.heard = node("p", { role: "status" }, this.root);
    node("p", {}, this.root, given.note);
  };

  Explorer.prototype.buildCharts = function () {
    var self = this, charts = node("div", { "class": "charts" }, this.root);
    function chart(name, paths) {
      var box = node("div", { "class": name }, charts), svg = shape("svg", { height: HEIGHT, role: "img", "aria-label": "A chart that is being drawn" }, box);
      svg.paths = {};
      paths.forEach(function (path) { svg.paths[path] = shape("path", { "class": path }, svg); });
      svg.words = shape("g", {}, svg);
      return svg;
    }
    this.tuning = chart("tuning", ["zero", "half", "other", "transform", "tones", "band"]);
    this.taps = chart("taps", ["zero", "other", "weights", "dots"]);
    this.now = node("div", { "class": "now", hidden: "", "aria-hidden": "true" }, node("div", { "class": "lane" }, this.tuning.parentNode));
    ui.follow(this.tuning, function (x) { self.nearest((x - LEFT) / (self.width - 2 * LEFT) * (self.reel.tones - 1)); });
  };

  Explorer.prototype.buildTable = function () {
    var table = node("table", {}, this.root), head = node("tr", {}, table);
    node("td", {}, head);
    this.given.states.forEach(function (name) { node("th", { scope: "col" }, head, name); });
    this.cells = ["answers most", "band at half height", "its taps let most through"].map(function (title) {
      var line = node("tr", {}, table);
      node("th", { scope: "row" }, line, title);
      return this.given.states.map(function () { return node("td", {}, line); });
    }, this);
  };

  /* The filters' numbers, row by row. */
  Explorer.prototype.order = function () { return this.reel.order(0, this.sorting.value === "sorted"); };

  Explorer.prototype.kernel = function (state) {
    var taps = this.given.taps, at = ((state === undefined ? this.reel.frame : state) * this.given.filters + this.filter) * taps;
    return Array.from(this.kernels.subarray(at, at + taps));
  };

  Explorer.prototype.choose = function () { this.reel.frame = +this.state.value; this.pick(this.filter); };

  Explorer.prototype.pick = function (filter) {
    var self = this;
    this.filter = filter;
    this.show();
    this.player.update();
    clearTimeout(this.resting);  // it filters three seconds of sound: not in each frame of a drag
    this.resting = setTimeout(function () { self.describe(); }, 100);
  };

  /* The filter that answers a tone near this one most. */
  Explorer.prototype.nearest = function (tone) {
    var peaks = this.given.peaks[this.reel.frame], best = null, away = Infinity;
    this.order().forEach(function (filter) {
      var distance = Math.abs(peaks[filter] - tone);
      if (peaks[filter] !== null && distance < away) { away = distance; best = filter; }
    });
    if (best !== null && best !== this.filter) this.pick(best);
  };

  function hertz(value) { return value === null ? "none" : Math.round(value).toLocaleString("en") + " Hz"; }
  function largest(values) { return Math.max.apply(null, values.map(Math.abs)); }

  /* All that is known of the filter in one state. */
  Explorer.prototype.facts = function (state) {
    var given = this.given, reel = this.reel, kernel = this.kernel(state), peak = given.peaks[state][this.filter], start = reel.at(0, state, this.filter), finest = reel.finest;
    var sizes = filmReels.transform(kernel, given.frequencies, given.rate);
    return {
      kernel: kernel, sizes: sizes, passes: given.frequencies[sizes.indexOf(1)] || null,
      curve: Array.from(reel.steps.subarray(start, start + reel.tones), function (step) { return step / finest; }),
      centre: peak === null ? null : given.frequencies[peak], width: given.widths[state][this.filter],
    };
  };

  Explorer.prototype.show = function () {
    var given = this.given, row = this.order().indexOf(this.filter) + 1, all = given.states.map(function (name, i) { return this.facts(i); }, this);
    var shown = all[this.reel.frame], name = "row " + row + " of " + given.filters + ", filter " + (this.filter + 1);
    var words = shown.centre === null ? ", answers all tones alike" : ", answers " + hertz(shown.centre) + " most, over a band of " + hertz(shown.width);
    this.result = this.root.result = { filter: this.filter, row: row, states: all };
    this.row.input.value = row;
    ui.say(this.row, name);
    this.row.input.setAttribute("aria-valuetext", name + words);
    all.forEach(function (facts, i) {
      [facts.centre, facts.width, facts.passes].forEach(function (value, line) { this.cells[line][i].textContent = hertz(value); }, this);
    }, this);
    this.tuning.setAttribute("aria-label", "Answers of filter " + (this.filter + 1) + ", " + given.states[this.reel.frame] + ", to tones from " +
      hertz(given.frequencies[0]) + " to " + hertz(given.frequencies[this.reel.tones - 1]) + words);
    if (this.width) { this.drawTuning(all); this.drawTaps(all); }
  };

  function path(values, x, y) { return values.map(function (value, i) { return (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1); }).join(""); }

  function draw(svg, width, paths) {
    svg.setAttribute("viewBox", "0 0 " + width + " " + HEIGHT);
    Object.keys(paths).forEach(function (name) { svg.paths[name].setAttribute("d", paths[name]); });
    svg.words.textContent = "";
    return function (x, y, text, name) { shape("text", { x: x, y: y, "class": name }, svg.words, text); };
  }

  Explorer.prototype.others = function (all, part) {
    var frame = this.reel.frame;
    return all.filter(function (facts, i) { return i !== frame; }).map(function (facts) { return facts[part]; });
  };

  Explorer.prototype.drawTuning = function (all) {
    var given = this.given, shown = all[this.reel.frame], width = this.width, wide = width - 2 * LEFT, last = this.reel.tones - 1, write;
    var other = given.states[1 - this.reel.frame];
    function x(tone) { return LEFT + tone / last * wide; }
    function y(share) { return BOTTOM - share * (BOTTOM - TOP); }
    write = draw(this.tuning, width, {
      zero: "M" + LEFT + " " + BOTTOM + "h" + wide, half: "M" + LEFT + " " + y(HALF) + "h" + wide,
      tones: path(shown.curve, x, y), transform: path(shown.sizes, x, y), band: band(shown.curve, x, y(HALF)),
      other: this.others(all, "curve").map(function (curve) { return path(curve, x, y); }).join(""),
    });
    write(LEFT, 13, "answer to tones", "tones");
    write(LEFT + 100, 13, "taps (dashed)", "transform");
    if (other) write(LEFT + 186, 13, other + " (dotted)", "other");
    given.ticks.forEach(function (tick) { write(x(tick[0]).toFixed(1), BOTTOM + 14, tick[1], "middle"); });
    write(width / 2, BOTTOM + 29, "tone (kHz); each curve on a scale of its own", "middle");
  };

  /* Where a curve reaches at least half: the pieces of the line at half height whose lengths make the bandwidth. */
  function band(curve, x, height) {
    var out = "";
    for (var i = 1; i < curve.length; i++) {
      var a = curve[i - 1], b = curve[i], cross = i - 1 + (HALF - a) / (b - a);
      if (a >= HALF || b >= HALF) out += "M" + x(a >= HALF ? i - 1 : cross).toFixed(1) + " " + height + "H" + x(b >= HALF ? i : cross).toFixed(1);
    }
    return out;
  }

  /* Taps of both states, each by its own largest. */
  Explorer.prototype.drawTaps = function (all) {
    var given = this.given, kernel = all[this.reel.frame].kernel, other = this.others(all, "kernel")[0], end = 1000 * (given.taps - 1) / given.rate, write;
    var width = Math.round(this.taps.parentNode.clientWidth) || this.width, wide = width - 2 * LEFT, most = largest(kernel).toFixed(2);
    function x(tap) { return LEFT + tap / (given.taps - 1) * wide; }
    function y(share) { return (TOP + BOTTOM) / 2 - share * (BOTTOM - TOP) / 2; }
    function scaled(weights) { var size = largest(weights) || 1; return weights.map(function (weight) { return weight / size; }); }
    write = draw(this.taps, width, {
      zero: "M" + LEFT + " " + y(0) + "h" + wide, weights: path(scaled(kernel), x, y), other: other ? path(scaled(other), x, y) : "",
      dots: scaled(kernel).map(function (share, i) { return "M" + (x(i) - 3).toFixed(1) + " " + y(share).toFixed(1) + "a3 3 0 1 0 6 0a3 3 0 1 0-6 0"; }).join(""),
    });
    this.taps.setAttribute("aria-label", given.taps + " merged taps of filter " + (this.filter + 1) + " over " + end.toFixed(2) + " ms, the largest " + most);
    write(LEFT, 13, given.taps + " merged taps, largest " + most + (other ? " (dotted: " + largest(other).toFixed(2) + ")" : ""), "weights");
    [0, end / 2, end].forEach(function (time, i) {
      write(LEFT + i * wide / 2, BOTTOM + 14, time ? time.toFixed(2) : "0", ["", "middle", "end"][i]);
    });
    write(width / 2, BOTTOM + 29, "time (ms); weights, scaled", "middle");
  };

  /* A tone that glides through all probes in SECONDS, as the axis has them; or hiss, the same at each visit. */
  function glide(given) {
    var samples = new Float32Array(SECONDS * given.rate), tones = given.frequencies, phase = 0;
    for (var i = 0; i < samples.length; i++) {
      var place = i / samples.length * (tones.length - 1), tone = Math.floor(place), rest = place - tone;
      phase += 2 * Math.PI / given.rate * ((1 - rest) * tones[tone] + rest * tones[tone + 1]);
      samples[i] = Math.sin(phase) * Math.min(1, i / 400, (samples.length - i) / 400);
    }
    return samples;
  }

  function hiss(given) {
    var samples = new Float32Array(SECONDS * given.rate), state = 1;
    for (var i = 0; i < samples.length; i++) {
      state = (1664525 * state + 1013904223) % 4294967296;
      samples[i] = state / 2147483648 - 1;
    }
    return samples;
  }

  Explorer.prototype.listenTo = function () {
    var glides = this.sound.value === "glide";
    this.window = glides ? glide(this.given) : hiss(this.given);
    this.now.hidden = true;
    this.marks = glides ? [this.now] : [];
    this.player.update();
    this.describe();
  };

  /* What the second button lets one hear, in words. */
  Explorer.prototype.describe = function () {
    if (!this.window) return;
    var left = this.player.behind(), name = this.sound.value === "glide" ? "gliding tone" : "hiss";
    function whole(decibels) { return ui.signed(Math.round(decibels)) + " dB"; }
    this.heard.textContent = "Its taps leave the " + name + " " + whole(-left.share) + " weaker (their best tone would pass unchanged)" +
      (left.lift > 0.5 ? ", and you hear what is left raised by " + whole(left.lift) : "") + ". The ReLU between the layers is left out.";
  };

  ui.begin("onefilter", Explorer);
})();
