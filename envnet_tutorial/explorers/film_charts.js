/* Of the row that is picked: the weights of its filter, and its answer to every tone beside the transform of these weights. */
var filmCharts = (function () {
  "use strict";
  var P = filmPicture, WIDTH = 320, HEIGHT = 112, LEFT = 6, TOP = 18, BOTTOM = 82;
  var STYLES = ["tones", "second", "third"];

  function across(index, count) { return LEFT + (index + 0.5) / count * (WIDTH - 2 * LEFT); }
  function words(svg, x, y, text, anchor, name) { P.svg("text", { x: x, y: y, "text-anchor": anchor, "class": name || "" }, svg, text); }

  function line(svg, values, low, high, name) {
    var path = values.map(function (value, i) {
      var y = BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP);
      return (i ? "L" : "M") + across(i, values.length).toFixed(1) + " " + y.toFixed(1);
    });
    P.svg("path", { d: path.join(""), "class": name }, svg);
  }

  function Charts(parent, page) {
    var box = P.node("div", { "class": "charts" }, parent), size = "0 0 " + WIDTH + " " + HEIGHT;
    this.page = page;
    this.spectrum = P.svg("svg", { viewBox: size, role: "img", "aria-label": "A chart that is being drawn", "data-chart": "spectrum" }, box);
    this.waveform = P.svg("svg", { viewBox: size, role: "img", "aria-label": "A chart that is being drawn", "data-chart": "taps" }, box);
  }

  /* filters: of each picture, the one whose row is picked. */
  Charts.prototype.draw = function (reel, filters, row, tone) {
    var kernel = reel.kernel(filters[0]);
    this.waveform.toggleAttribute("hidden", !kernel);
    if (kernel) this.drawWeights(kernel, row);
    this.drawAnswers(reel, filters, row, tone, kernel);
  };

  Charts.prototype.drawWeights = function (kernel, row) {
    var svg = this.waveform, milliseconds = (1000 * (kernel.length - 1) / this.page.rate).toFixed(2);
    svg.textContent = "";
    svg.setAttribute("aria-label", kernel.length + " merged weights of the filter in row " + row + ", over " + milliseconds + " ms");
    line(svg, kernel.map(function () { return 0; }), -1, 1, "zero");
    line(svg, kernel, -1, 1, "weights");
    words(svg, LEFT, 12, "row " + row + ", weights (scaled)", "start", "weights");
    words(svg, LEFT, 96, "0", "start");
    words(svg, WIDTH - LEFT, 96, milliseconds, "end");
    words(svg, WIDTH / 2, 109, "time (ms)", "middle");
  };

  Charts.prototype.drawAnswers = function (reel, filters, row, tone, kernel) {
    var svg = this.spectrum, page = this.page, titles = filters.length > 1 ? reel.given.titles : ["row " + row + ", tones"];
    var x = across(tone, reel.tones), legend = LEFT;
    svg.textContent = "";
    svg.setAttribute("aria-label", "Answers of row " + row + " to all tones" +
      (filters.length > 1 ? ": " + titles.join(", ") : kernel ? ", and the transform of its weights" : ""));
    P.svg("path", { d: "M" + x.toFixed(1) + " " + TOP + "V" + BOTTOM, "class": "zero" }, svg);
    if (kernel) line(svg, filmReels.transform(kernel, page.frequencies, page.rate), 0, 1, "weights dashed");
    filters.forEach(function (filter, panel) {
      line(svg, reel.curve(panel, filter), 0, 1, STYLES[panel]);
      words(svg, legend, 12, titles[panel], "start", STYLES[panel]);
      legend += 6.5 * titles[panel].length + 12;
    });
    if (kernel) words(svg, legend, 12, "weights, transformed (dashed)", "start", "weights");
    page.ticks.forEach(function (tick) { words(svg, across(tick[0], reel.tones), 96, tick[1], "middle"); });
    words(svg, WIDTH / 2, 109, (filters.length > 1 ? "row " + row + ", " : "") + "tone (kHz)", "middle");
  };

  return { Charts: Charts };
})();
