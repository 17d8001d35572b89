/* What filters answer to pure tones, reel by reel. Opens on the first frame, plays when asked to. A classic script, for file:// too. */
(function () {
  "use strict";
  var MILLISECONDS = 160, P = filmPicture, node = P.node;
  var LEGEND = " A row is a filter, brighter where it answers more, on a scale of its own; a bar is its answer to the marked tone, the dots are at half.";

  function Film(root) {
    this.root = root;
    this.given = JSON.parse(root.getAttribute("data-settings"));
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.timer = null;
    this.sorted = true;
    this.row = Math.floor(this.given.filters / 2);
    this.tone = nearest(this.given.frequencies, 1000);
  }

  function nearest(values, wanted) {
    return values.reduce(function (best, value, i) { return Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best; }, 0);
  }

  Film.prototype.open = function (reels) {
    this.reels = reels;
    this.root.textContent = "";
    this.build();
    this.choose(0);
    this.root.setAttribute("data-ready", "shown");
  };

  Film.prototype.build = function () {
    var self = this, root = this.root, given = this.given;
    if (this.reels.length > 1) this.buildChoice();
    this.note = node("p", { "class": "quiet" }, root);
    this.box = node("div", {}, root);
    var controls = node("div", { "class": "controls" }, root);
    this.tones = this.slider(controls, "tone", "Tone", given.frequencies.length - 1, function (value) { self.point(self.row, value); });
    this.sound = new filmTone.Tone(node("button", { type: "button", name: "hear" }, controls, "Hear it"));
    this.frames = this.slider(controls, "frame", "", 0, function (value) { self.stop(); self.show(value); });
    this.play = node("button", { type: "button", name: "play" }, controls, this.still ? "Next" : "Play");
    this.play.addEventListener("click", function () { self.press(); });
    this.picker = this.slider(controls, "row", "Row", given.filters - 1, function (value) { self.point(value, self.tone); });
    var label = node("label", { "class": "tick" }, controls), box = node("input", { type: "checkbox", name: "sort" }, label);
    node("span", {}, label, "sorted");
    box.checked = true;
    box.addEventListener("change", function () { self.sort(box.checked); });
    this.status = node("p", { "class": "status", role: "status" }, root);
    this.charts = new filmCharts.Charts(root, given);
  };

  Film.prototype.buildChoice = function () {
    var self = this, name = "reel-" + document.querySelectorAll(".film-explorer .reels").length;
    var group = node("div", { "class": "reels", role: "radiogroup", "aria-label": "What is shown" }, this.root);
    this.reels.forEach(function (reel, i) {
      var label = node("label", {}, group), radio = node("input", { type: "radio", name: name, value: i }, label);
      var span = node("span", {}, label);
      reel.given.name.split(" ").forEach(function (part) { node("b", {}, span, part + " "); });
      radio.checked = i === 0;
      radio.addEventListener("change", function () { self.choose(i); });
    });
  };

  Film.prototype.slider = function (parent, name, text, last, moved) {
    var label = node("label", {}, parent), title = node("span", {}, label, text), output = node("output", { "aria-hidden": "true" }, label);
    var input = node("input", { type: "range", name: name, min: 0, max: last, step: 1 }, label);
    input.addEventListener("input", function () { moved(Number(input.value)); });
    return { input: input, output: output, title: title };
  };

  function set(slider, value, text) {
    slider.input.value = value;
    slider.input.setAttribute("aria-valuetext", text);
    slider.output.textContent = text;
  }

  /* Show another reel, where the reader left it. */
  Film.prototype.choose = function (index) {
    var self = this, reel = this.reel = this.reels[index], titles = reel.given.titles, many = titles.length > 1;
    this.stop();
    this.note.textContent = reel.given.note + LEGEND;
    this.box.textContent = "";
    this.box.setAttribute("class", many ? "pictures many" : "pictures");
    this.pictures = titles.map(function (title) {
      return new P.Picture(self.box, self.given, many && title, function (row, tone) { self.point(row, tone); });
    });
    this.frames.title.textContent = reel.given.control;
    this.frames.input.max = reel.frames - 1;
    this.play.style.visibility = reel.frames > 2 ? "" : "hidden";
    this.show(reel.frame);
  };

  Film.prototype.orders = function () {
    var reel = this.reel, sorted = this.sorted;
    return reel.given.titles.map(function (title, panel) { return reel.order(panel, sorted); });
  };

  Film.prototype.show = function (frame) {
    var reel = this.reel, orders = this.orders(), given = reel.given, filters = this.given.filters, tones = this.given.frequencies.length;
    reel.frame = frame;
    set(this.frames, frame, given.captions[frame]);
    this.pictures.forEach(function (picture, panel) {
      picture.draw(reel, panel, orders[panel], "Answers of " + filters + " filters to " + tones + " tones, " + given.name +
        (orders.length > 1 ? ", " + given.titles[panel] : "") + ", " + given.control.toLowerCase() + " " + given.captions[frame]);
    });
    this.point(this.row, this.tone);
  };

  Film.prototype.point = function (row, tone) {
    var reel = this.reel, orders = this.orders(), hertz = this.hertz(tone);
    this.row = row; this.tone = tone;
    this.sound.set(this.given.frequencies[tone]);
    set(this.tones, tone, hertz);
    this.filters = orders.map(function (order) { return order[row]; });
    this.halves = this.pictures.map(function (picture, panel) {
      return picture.answer(reel, panel, orders[panel], tone, row, hertz).length;
    });
    this.answers = this.filters.map(function (filter, panel) { return reel.value(panel, filter, tone); });
    set(this.picker, row, row + 1 + this.best());
    this.status.textContent = this.words(hertz);
    this.charts.draw(reel, this.filters, row + 1, tone);
  };

  Film.prototype.hertz = function (tone) { return Math.round(this.given.frequencies[tone]).toLocaleString("en") + " Hz"; };

  /* Which tone the row that is picked answers most, if there is one picture. */
  Film.prototype.best = function () {
    if (this.filters.length > 1) return "";
    var curve = this.reel.curve(0, this.filters[0]), largest = Math.max.apply(null, curve);
    return largest ? ", strongest at " + this.hertz(curve.indexOf(largest)) : ", all tones alike";
  };

  Film.prototype.words = function (hertz) {
    var titles = this.reel.given.titles, row = this.row + 1, count = this.given.filters, halves = this.halves;
    var shares = this.answers.map(function (value) { return Math.round(100 * value) + "\u00a0%"; });
    if (titles.length > 1) return "Filters that give " + hertz + " at least half of their strongest answer: " + titles.map(function (title, i) {
      return title + " " + halves[i];
    }).join(", ") + " of " + count + ". Row " + row + ": " + shares.join(", ") + ".";
    return halves[0] + " of " + count + " filters give " + hertz + " at least half of their strongest answer. Row " + row + ": " + shares[0] + ".";
  };

  /* The filter of the first picture that is picked stays picked. */
  Film.prototype.sort = function (sorted) {
    this.sorted = sorted;
    this.row = this.reel.order(0, sorted).indexOf(this.filters[0]);
    this.show(this.reel.frame);
  };

  Film.prototype.press = function () {
    if (this.still) this.show((this.reel.frame + 1) % this.reel.frames);
    else if (this.timer === null) this.run();
    else this.stop();
  };

  Film.prototype.run = function () {
    var self = this, last = this.reel.frames - 1;
    if (this.reel.frame === last) this.show(0);
    this.play.textContent = "Pause";
    this.status.setAttribute("aria-live", "off");
    this.timer = setInterval(function () {
      self.show(self.reel.frame + 1);
      if (self.reel.frame === last) self.stop();
    }, MILLISECONDS);
  };

  Film.prototype.stop = function () {
    clearInterval(this.timer);
    this.timer = null;
    if (!this.still) this.play.textContent = "Play";
    this.status.setAttribute("aria-live", "polite");
  };

  document.querySelectorAll(".film-explorer:not([data-ready])").forEach(function (root) {
    root.setAttribute("data-ready", "reading");
    if (!window.DecompressionStream) { root.lastChild.textContent = "This browser is too old for the explorer: it needs one of 2023 or later."; return; }
    root.film = new Film(root);
    filmReels.read(root.film.given).then(function (reels) { root.film.open(reels); });
  });
})();
