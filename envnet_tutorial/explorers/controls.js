/* What the explorers of a sound have in common: elements, labelled controls, a place that follows the finger. */
var explorerControls = (function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";

  function node(name, attributes, parent, text, space) {
    var made = space ? document.createElementNS(space, name) : document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function shape(name, attributes, parent, text) { return node(name, attributes, parent, text, SVG); }

  function choice(parent, name, text, options, changed) {
    var label = node("label", {}, parent, text + " "), select = node("select", { name: name }, label);
    options.forEach(function (option) { node("option", { value: option[0] }, select, option[1]); });
    select.addEventListener("change", changed);
    return select;
  }

  /* A slider with its name and its value in words above it; limits are lowest, highest, step. */
  function range(parent, name, text, limits, value, moved) {
    var label = node("label", {}, parent), line = node("span", {}, label, text + " "), shown = node("output", {}, line);
    var input = node("input", { type: "range", name: name, min: limits[0], max: limits[1], step: limits[2], "aria-label": text }, label);
    input.value = value;
    input.addEventListener("input", moved);
    return { input: input, output: shown };
  }

  function say(control, text) {
    control.output.textContent = text;
    control.input.setAttribute("aria-valuetext", text);
  }

  /* Call moved(x, y), in pixels from the upper left corner, where a finger or the mouse is held down. */
  function follow(element, moved) {
    function report(event) {
      var box = element.getBoundingClientRect();
      moved(event.clientX - box.left, event.clientY - box.top);
    }
    element.addEventListener("pointerdown", function (event) {
      element.setPointerCapture(event.pointerId);
      report(event);
    });
    element.addEventListener("pointermove", function (event) { if (event.buttons) report(event); });
  }

  /* Draw at the width that there is, now and whenever it changes. */
  function atEachWidth(element, draw) {
    var last = 0;
    function check() {
      var width = Math.round(element.clientWidth);
      if (width && width !== last) draw(last = width);
    }
    check();
    if (window.ResizeObserver) new ResizeObserver(check).observe(element);
    if (!last) draw(600);
  }

  function signed(text) { return String(text).replace(/-/g, "\u2212"); }

  /* Make an explorer of each element of this class, now and once the page is read. */
  function begin(name, Explorer) {
    function each() {
      document.querySelectorAll("." + name + "-explorer:not([data-ready])").forEach(function (root) {
        root.setAttribute("data-ready", "yes");
        root.textContent = "";
        new Explorer(root, JSON.parse(root.getAttribute("data-settings")));
      });
    }
    each();
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", each);
  }

  return {
    node: node, shape: shape, choice: choice, range: range, say: say, follow: follow, atEachWidth: atEachWidth,
    signed: signed, begin: begin,
  };
})();
