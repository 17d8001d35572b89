/* A matrix that changes step by step. Opens on its last frame and plays when asked to. A classic script, for file:// too. */
(function () {
  "use strict";
  var MILLISECONDS = 160;

  function node(name, attributes, parent, text) {
    var made = document.createElement(name);
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
    root.setAttribute("data-ready", "yes");
    root.textContent = "";
    this.build();
    this.show(this.given.shape[0] - 1);
  }

  Film.prototype.build = function () {
    var self = this, given = this.given, frames = given.shape[0], columns = given.shape[2];
    node("p", { "class": "names" }, this.root, given.yLabel);
    this.canvas = node("canvas", { width: columns, height: given.shape[1], role: "img" }, this.root);
    var axis = node("div", { "class": "axis", "aria-hidden": "true" }, this.root);
    given.columns.forEach(function (tick) {
      node("span", { style: "left:" + 100 * (tick[0] + 0.5) / columns + "%" }, axis, tick[1]);
    });
    node("p", { "class": "names" }, this.root, given.xLabel);
    var controls = node("div", { "class": "controls" }, this.root);
    this.button = node("button", { type: "button" }, controls, "Play");
    var label = node("label", {}, controls, "Frame");
    this.slider = node("input", { type: "range", min: 0, max: frames - 1, step: 1, name: "frame" }, label);
    this.output = node("output", { "aria-live": "polite" }, controls);
    this.button.addEventListener("click", function () { self.timer === null ? self.play() : self.stop(); });
    this.slider.addEventListener("input", function () { self.stop(); self.show(Number(self.slider.value)); });
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
    this.button.textContent = "Play";
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
  };

  document.querySelectorAll(".film-explorer:not([data-ready])").forEach(function (root) { root.film = new Film(root); });
})();
