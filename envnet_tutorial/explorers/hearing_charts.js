/* The small charts of "Hear yourself": the whole sound, the taps of one filter, and what they let through. */
var hearingCharts = (function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", WIDTH = 320, HEIGHT = 118, LEFT = 8, TOP = 8, BOTTOM = 84;

  function node(name, attributes, parent, text, space) {
    var made = space ? document.createElementNS(space, name) : document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function chart(parent, name) {
    return node("svg", { viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img", "aria-label": "A chart that is being drawn", "data-chart": name }, parent, undefined, SVG);
  }

  function across(i, count) { return LEFT + i / (count - 1) * (WIDTH - 2 * LEFT); }
  function upward(value, low, high) { return BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP); }
  function words(svg, x, y, text, anchor) { node("text", { x: x, y: y, "text-anchor": anchor }, svg, text, SVG); }

  function line(svg, values, low, high, name) {
    var points = values.map(function (value, i) {
      return (i ? "L" : "M") + across(i, values.length).toFixed(1) + " " + upward(value, low, high).toFixed(1);
    });
    node("path", { d: points.join(""), "class": name }, svg, undefined, SVG);
  }

  var COLUMNS = 720;

  function waveform(parent) {
    return node("svg", { viewBox: "0 -1 " + COLUMNS + " 2", preserveAspectRatio: "none", role: "img", "aria-label": "A waveform that is being read" }, parent, undefined, SVG);
  }

  /* A stroke from the lowest to the highest sample of each column; the largest sample reaches the edge. */
  function drawWaveform(svg, x) {
    for (var i = 0, top = 1e-9; i < x.length; i++) top = Math.max(top, Math.abs(x[i]));
    for (var column = 0, path = ""; column < COLUMNS; column++) {
      var end = Math.floor((column + 1) * x.length / COLUMNS), low = 0, high = 0;
      for (i = Math.floor(column * x.length / COLUMNS); i < end; i++) { low = Math.min(low, x[i]); high = Math.max(high, x[i]); }
      path += "M" + (column + 0.5) + " " + (-high / top - 0.02).toFixed(3) + "V" + (-low / top + 0.02).toFixed(3);
    }
    svg.textContent = "";
    node("path", { d: path }, svg, undefined, SVG);
  }

  function drawTaps(svg, filter, kernel, rate) {
    var largest = Math.max.apply(null, kernel.map(Math.abs)) || 1, end = (1000 * (kernel.length - 1) / rate).toFixed(2);
    svg.textContent = "";
    svg.setAttribute("aria-label", kernel.length + " merged taps of filter " + (filter + 1) + ", the largest " +
      largest.toFixed(2) + ", over " + end + " ms");
    line(svg, [0, 0], -largest, largest, "zero");
    line(svg, kernel, -largest, largest, "weights");
    kernel.forEach(function (k, i) {
      node("circle", { cx: across(i, kernel.length), cy: upward(k, -largest, largest), r: 3 }, svg, undefined, SVG);
    });
    words(svg, LEFT, 100, "0", "start");
    words(svg, WIDTH - LEFT, 100, end, "end");
    words(svg, WIDTH / 2, 114, kernel.length + " merged taps over time (ms)", "middle");
  }

  /* sizes: what the taps let through of tones from 0 to half the rate. */
  function drawSpectrum(svg, filter, sizes, rate) {
    var largest = Math.max.apply(null, sizes) || 1, peak = sizes.indexOf(largest) * rate / 2 / (sizes.length - 1);
    svg.textContent = "";
    svg.setAttribute("aria-label", "Spectrum of filter " + (filter + 1) + ": its taps let most through at " +
      Math.round(peak).toLocaleString("en") + " Hz");
    line(svg, [0, 0], 0, 1, "zero");
    line(svg, sizes, 0, largest, "weights");
    [0, 2, 4, 6, 8].forEach(function (k) {
      words(svg, across(k, 9), 100, k * rate / 16000, k === 0 ? "start" : k === 8 ? "end" : "middle");
    });
    words(svg, WIDTH / 2, 114, "what the taps let through (share) over frequency (kHz)", "middle");
  }

  return {
    node: node, chart: chart, waveform: waveform, drawWaveform: drawWaveform, drawTaps: drawTaps, drawSpectrum: drawSpectrum,
  };
})();
