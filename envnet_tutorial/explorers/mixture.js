/* Two sounds in a loop, mixed by a slider. Silent until asked. A classic script, for file:// too. */
(function () {
  "use strict";

  function node(name, attributes, parent, text) {
    var made = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  /* Little-endian 16-bit integers in base64, as numbers in [-1, 1). */
  function decode(text) {
    var bytes = atob(text), values = new Float32Array(bytes.length / 2);
    for (var i = 0; i < values.length; i++) {
      var value = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
      values[i] = (value > 32767 ? value - 65536 : value) / 32768;
    }
    return values;
  }

  function percent(share) { return Math.round(100 * share) + "\u00a0%"; }

  function Mixture(root) {
    this.root = root;
    this.given = JSON.parse(root.getAttribute("data-settings"));
    this.playing = null;
    root.setAttribute("data-ready", "yes");
    root.textContent = "";
    this.build();
    this.show();
  }

  Mixture.prototype.build = function () {
    var self = this, names = this.given.names;
    var title = node("p", {}, this.root);
    node("span", { "class": "first" }, title, names[0]);
    title.appendChild(document.createTextNode(" and "));
    node("span", { "class": "second" }, title, names[1]);
    var list = node("dl", { "class": "bars" }, this.root);
    this.bars = ["label says", "amplitude", "heard"].map(function (name) {
      node("dt", {}, list, name);
      var bar = node("dd", {}, list);
      return [node("span", { "class": "part-first" }, bar), node("span", { "class": "part-second" }, bar)];
    });
    var controls = node("div", { "class": "controls" }, this.root);
    this.button = node("button", { type: "button" }, controls, "Play");
    var slide = node("label", { "class": "slide" }, controls, "Share of " + names[0] + " in the label");
    var range = { type: "range", min: 0, max: 100, step: 1, name: "ratio", value: this.given.ratio };
    this.slider = node("input", range, slide);
    var tick = node("label", { "class": "tick" }, controls);
    this.regard = node("input", { type: "checkbox", name: "levels" }, tick);
    this.regard.checked = true;
    node("span", {}, tick, "correct for the levels");
    this.button.addEventListener("click", function () { self.press(); });
    this.slider.addEventListener("input", function () { self.show(); });
    this.regard.addEventListener("change", function () { self.show(); });
  };

  /* What augment.mix computes: the share of the amplitude, and both gains over the root of their squares. */
  Mixture.prototype.compute = function () {
    var ratio = Number(this.slider.value) / 100, louder = Math.pow(10, this.given.louderDb / 20);
    var share = this.regard.checked ? ratio / (ratio + louder * (1 - ratio)) : ratio;
    var root = Math.hypot(share, 1 - share);
    var heard = share * louder / (share * louder + 1 - share);
    return { ratio: ratio, share: share, heard: heard, gains: [share / root, (1 - share) / root] };
  };

  Mixture.prototype.show = function () {
    var now = this.compute(), self = this;
    this.root.setAttribute("data-gains", JSON.stringify(now.gains));
    [now.ratio, now.share, now.heard].forEach(function (share, row) {
      [share, 1 - share].forEach(function (part, column) {
        var span = self.bars[row][column], wide = part >= 0.2;
        span.textContent = wide ? percent(part) : "";
        span.classList.toggle("wide", wide);
        if (!column) span.style.width = 100 * part + "%";
      });
    });
    this.slider.setAttribute("aria-valuetext", percent(now.ratio) + " in the label, " + percent(now.share) +
      " of the amplitude, " + percent(now.heard) + " of what is heard");
    if (this.playing) this.playing.gains.forEach(function (gain, i) { gain.gain.value = now.gains[i]; });
  };

  Mixture.prototype.press = function () {
    if (this.playing) this.stop();
    else this.play();
    this.button.textContent = this.playing ? "Stop" : "Play";
  };

  Mixture.prototype.play = function () {
    var self = this, now = this.compute();
    if (!this.context) this.context = new (window.AudioContext || window.webkitAudioContext)();
    this.context.resume();
    this.playing = { sources: [], gains: [] };
    this.given.samples.forEach(function (text, i) {
      var samples = decode(text), buffer = self.context.createBuffer(1, samples.length, self.given.rate);
      buffer.getChannelData(0).set(samples);
      var source = self.context.createBufferSource(), gain = self.context.createGain();
      source.buffer = buffer;
      source.loop = true;
      gain.gain.value = now.gains[i];
      source.connect(gain);
      gain.connect(self.context.destination);
      source.start();
      self.playing.sources.push(source);
      self.playing.gains.push(gain);
    });
  };

  Mixture.prototype.stop = function () {
    this.playing.sources.forEach(function (source) { source.stop(); });
    this.playing = null;
  };

  document.querySelectorAll(".mixture-explorer:not([data-ready])").forEach(function (root) { new Mixture(root); });
})();
