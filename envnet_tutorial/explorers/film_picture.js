/* One picture of a film: the matrix with the tone and the row marked, and beside it how strongly each row answers the tone. */
var filmPicture = (function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", HALF = 0.5;

  function node(name, attributes, parent, text, space) {
    var made = space ? document.createElementNS(space, name) : document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function svg(name, attributes, parent, text) { return node(name, attributes, parent, text, SVG); }

  function rgb(hex) { return [0, 2, 4].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); }); }

  /* picked(row, tone): what to do where the reader points. */
  function Picture(parent, page, title, picked) {
    var rows = page.filters, tones = page.frequencies.length, box = node("div", { "class": "panel" }, parent);
    this.rows = rows; this.tones = tones;
    this.colours = page.colours.slice(1).split("#").map(rgb);
    if (title) node("p", { "class": "panel-title" }, box, title);
    var view = node("div", { "class": "view" }, box);
    this.canvas = node("canvas", { width: tones, height: rows, role: "img", "aria-label": "A picture that is being drawn" }, view);
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(tones, rows);
    this.column = node("div", { "class": "tone-mark", "aria-hidden": "true" }, view);
    this.row = node("div", { "class": "row-mark", "aria-hidden": "true" }, view);
    this.bars = svg("svg", { viewBox: "0 0 1 " + rows, preserveAspectRatio: "none", role: "img", "aria-label": "Bars that are being drawn" }, box);
    this.weak = svg("path", { "class": "weak" }, this.bars);
    this.strong = svg("path", { "class": "strong" }, this.bars);
    svg("path", { "class": "half", d: "M" + HALF + " 0V" + rows, "vector-effect": "non-scaling-stroke" }, this.bars);
    var axis = node("div", { "class": "axis", "aria-hidden": "true" }, box);
    page.ticks.forEach(function (tick) { node("span", { style: "left:" + 100 * (tick[0] + 0.5) / tones + "%" }, axis, tick[1]); });
    node("span", { "class": "unit" }, axis, "kHz");
    this.point(picked);
  }

  Picture.prototype.point = function (picked) {
    var self = this, canvas = this.canvas, held = false;
    function pick(event) {
      var box = canvas.getBoundingClientRect();
      var row = Math.floor(self.rows * (1 - (event.clientY - box.top) / box.height));
      var tone = Math.floor(self.tones * (event.clientX - box.left) / box.width);
      picked(Math.min(self.rows - 1, Math.max(0, row)), Math.min(self.tones - 1, Math.max(0, tone)));
    }
    canvas.addEventListener("pointerdown", function (event) { held = true; canvas.setPointerCapture(event.pointerId); pick(event); });
    canvas.addEventListener("pointermove", function (event) { if (held) pick(event); });
    ["pointerup", "pointercancel"].forEach(function (name) { canvas.addEventListener(name, function () { held = false; }); });
  };

  Picture.prototype.draw = function (reel, panel, order, label) {
    var pixels = this.image.data, last = this.colours.length - 1, p = 0;
    for (var y = 0; y < this.rows; y++) {
      var start = reel.at(panel, reel.frame, order[this.rows - 1 - y]);
      for (var tone = 0; tone < this.tones; tone++, p += 4) {
        var colour = this.colours[Math.round(reel.steps[start + tone] / reel.finest * last)];
        pixels[p] = colour[0]; pixels[p + 1] = colour[1]; pixels[p + 2] = colour[2]; pixels[p + 3] = 255;
      }
    }
    this.context.putImageData(this.image, 0, 0);
    this.canvas.setAttribute("aria-label", label);
  };

  /* Mark a tone and a row; return the rows, counted from 1 at the bottom, that give at least half of their strongest answer. */
  Picture.prototype.answer = function (reel, panel, order, tone, row, hertz) {
    var weak = "", strong = "", half = [];
    for (var r = 0; r < this.rows; r++) {
      var value = reel.value(panel, order[r], tone), bar = "M0 " + (this.rows - 0.9 - r) + "H" + value + "v0.8H0Z";
      if (value >= HALF) { strong += bar; half.push(r + 1); } else weak += bar;
    }
    this.weak.setAttribute("d", weak);
    this.strong.setAttribute("d", strong);
    this.column.style.left = 100 * (tone + 0.5) / this.tones + "%";
    this.row.style.bottom = 100 * (row + 0.5) / this.rows + "%";
    this.bars.setAttribute("aria-label", "Bars: answers to " + hertz + "; at least half of the strongest one " +
      (half.length ? "in rows " + runs(half) : "in no row") + ", counted from the bottom");
    return half;
  };

  /* 3, 4, 5, 9 as "3 to 5, 9" */
  function runs(numbers) {
    var parts = [];
    numbers.forEach(function (number, i) {
      if (i && number === numbers[i - 1] + 1) parts[parts.length - 1][1] = number; else parts.push([number, number]);
    });
    return parts.map(function (part) { return part[0] === part[1] ? part[0] : part[0] + " to " + part[1]; }).join(", ");
  }

  return { node: node, svg: svg, Picture: Picture };
})();
