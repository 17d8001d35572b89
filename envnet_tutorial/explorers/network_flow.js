/* A sound inside the drawing of EnvNet: what each layer of a trained network answers to it. A classic script, for file:// too. */
var networkFlow = (function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", ACROSS = 10, GAP = 1, MINUS = "\u2212";
  // What is drawn of a layer: rows of one picture, a sheet of maps, or numbers in lines of so many.
  var ROWS = { conv1: "filter", conv2: "filter", pool2: "filter", transpose: "row" };
  var LINES = { flatten: 154, fc5: 128, fc6: 128, fc7: 50 };
  var BEHIND = { conv1: "batch norm and ReLU", conv2: "batch norm and ReLU", conv3: "batch norm and ReLU", conv4: "batch norm and ReLU", fc5: "ReLU", fc6: "ReLU" };
  var REDUCED = { conv1: 160, conv2: 160, conv3: 3 };

  function layer(shape, levels) { return { channels: shape[0], rows: shape[1], steps: shape[2], levels: levels }; }

  // The maximum of each height x width. Rounding keeps the order of values, so the pool of levels is the level of the pool.
  function pooled(from, height, width) {
    var rows = Math.floor(from.rows / height), steps = Math.floor(from.steps / width), levels = new Uint8Array(from.channels * rows * steps);
    for (var c = 0; c < from.channels; c++) for (var r = 0; r < rows * height; r++) for (var t = 0; t < steps * width; t++) {
      var at = (c * rows + Math.floor(r / height)) * steps + Math.floor(t / width);
      levels[at] = Math.max(levels[at], from.levels[(c * from.rows + r) * from.steps + t]);
    }
    return layer([from.channels, rows, steps], levels);
  }

  // All layers of one sound by name, of the bytes that travelled.
  function unpack(given, sound, bytes) {
    var found = {}, at = 0;
    given.stored.forEach(function (stored) {
      var size = stored[1].reduce(function (a, b) { return a * b; }, 1), shape = stored[1];
      found[stored[0]] = layer(shape.length === 3 ? shape : shape.length === 2 ? [shape[0], 1, shape[1]] : [1, 1, shape[0]], bytes.subarray(at, at += size));
    });
    found.pool2 = found.conv2;
    found.transpose = layer([1, found.conv2.channels, found.conv2.steps], found.conv2.levels);
    found.pool3 = pooled(found.conv3, 3, 1);
    found.pool4 = pooled(found.conv4, 1, 3);
    found.flatten = layer([1, 1, found.pool4.levels.length], found.pool4.levels);
    var low = sound.layers.fc7.range[0], high = sound.layers.fc7.range[1];
    found.fc7 = layer([1, 1, sound.logits.length], Uint8Array.from(sound.logits, function (l) { return Math.round(given.finest * (l - low) / (high - low)); }));
    return found;
  }

  function node(name, attributes, parent, text) {
    var made = parent && (name === "svg" || parent.namespaceURI === SVG) ? document.createElementNS(SVG, name) : document.createElement(name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  }

  function rgb(hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); }); }
  function number(value) { return (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1)).replace("-", MINUS); }
  function grouped(count) { return String(count).replace(/\B(?=(\d{3})+$)/g, ","); }
  function percent(share) { return share > 0 && share < 0.001 ? "under 0.1\u00a0%" : (100 * share).toFixed(share < 0.1 || share > 0.99 ? 1 : 0) + "\u00a0%"; }

  // Cells to paint: for each pixel the place of its level, or -1 between two maps of a sheet.
  function cells(name, own, only) {
    var columns = own.steps, lines = own.rows, places = [], x, y;
    if (LINES[name]) {
      columns = LINES[name]; lines = Math.ceil(own.levels.length / columns);
      for (y = 0; y < lines; y++) for (x = 0; x < columns; x++) places.push(y * columns + x < own.levels.length ? y * columns + x : -1);
    } else if (ROWS[name]) {
      lines = own.channels * own.rows;
      for (y = lines - 1; y >= 0; y--) for (x = 0; x < columns; x++) places.push(y * columns + x);
    } else if (only >= 0) {
      for (y = lines - 1; y >= 0; y--) for (x = 0; x < columns; x++) places.push((only * lines + y) * columns + x);
    } else {
      var wide = ACROSS * (own.steps + GAP) - GAP, high = Math.ceil(own.channels / ACROSS) * (own.rows + GAP) - GAP;
      for (y = 0; y < high; y++) for (x = 0; x < wide; x++) {
        var column = Math.floor(x / (own.steps + GAP)), row = Math.floor(y / (own.rows + GAP)), tx = x % (own.steps + GAP), ty = y % (own.rows + GAP);
        places.push(tx === own.steps || ty === own.rows ? -1 : ((row * ACROSS + column) * own.rows + own.rows - 1 - ty) * own.steps + tx);
      }
      columns = wide; lines = high;
    }
    return { columns: columns, lines: lines, places: places };
  }

  function Flow(explorer, given) {
    var self = this;
    this.explorer = explorer; this.given = given; this.picked = {}; this.unpacked = {};
    this.colours = given.colours.map(rgb);
    this.build();
    this.views = explorer.rows.map(function (parts) { return self.view(parts); });
    var answer = node("div", { class: "answer" }, explorer.root);
    explorer.root.insertBefore(answer, explorer.total);
    this.verdict = node("p", { "aria-live": "polite" }, answer);
    this.classes = node("ul", { class: "classes" }, answer);
    this.answer = answer;
    node("p", { class: "numbers origin" }, explorer.root, given.origin);
  }

  Flow.prototype.build = function () {
    var self = this, root = this.explorer.root, set = node("fieldset", { class: "sound" }, root);
    root.insertBefore(set, this.explorer.list);
    node("legend", {}, set, "A sound that flows through it");
    var label = node("label", {}, set, "sound ");
    this.select = node("select", { name: "sound" }, label);
    this.given.sounds.forEach(function (sound, i) { node("option", { value: i }, self.select, sound.name); });
    node("option", { value: "none" }, this.select, "none");
    this.select.addEventListener("change", function () { self.stop(); self.update(); });
    this.button = node("button", { type: "button", class: "play" }, set, "Play");
    this.button.addEventListener("click", function () { self.press(); });
    this.wave = node("span", { class: "wave" }, set);
    this.line = node("svg", { viewBox: "0 -1.05 150 2.1", preserveAspectRatio: "none", role: "img", "aria-label": "A waveform that is being read" }, this.wave);
    this.status = node("p", { class: "status", role: "status" }, set);
  };

  Flow.prototype.view = function (parts) {
    var self = this, view = { name: parts.name, item: parts.item, work: parts.work };
    view.thumb = node("span", { class: ROWS[parts.name] ? "thumb timed" : "thumb" });
    parts.item.insertBefore(view.thumb, parts.picture.nextSibling);
    view.small = node("canvas", { role: "img", "aria-label": "A picture that is being drawn" }, view.thumb);
    view.inside = node("div", { class: "inside", hidden: "" }, parts.item);
    view.facts = node("p", {}, view.inside);
    view.large = node("canvas", { role: "img", class: LINES[parts.name] ? "" : "pick", "aria-label": "A picture that is being drawn" }, view.inside);
    view.scale = node("p", { class: "scale" }, view.inside);
    parts.item.querySelector("button").addEventListener("click", function () { self.open(view); });
    if (LINES[parts.name]) return view;
    var label = node("label", {}, view.inside), line = node("span", {}, label, (ROWS[parts.name] || "feature map") + " ");
    view.output = node("output", {}, line);
    view.slider = node("input", { type: "range", min: 1, step: 1, name: "map", "aria-label": parts.name + ": " + (ROWS[parts.name] || "feature map") }, label);
    view.slider.addEventListener("input", function () { self.picked[view.name] = view.slider.value - 1; self.drawView(view); });
    view.large.addEventListener("click", function (event) { self.pick(view, event); });
    if (ROWS[parts.name]) view.curve = node("svg", { viewBox: "0 0 320 84", preserveAspectRatio: "none", role: "img", "aria-label": "A curve that is being drawn" }, view.inside);
    else view.one = node("canvas", { role: "img", class: "one", "aria-label": "A picture that is being drawn" }, view.inside);
    view.note = node("p", { class: "numbers" }, view.inside);
    return view;
  };

  Flow.prototype.pick = function (view, event) {
    var box = view.large.getBoundingClientRect(), x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    var own = this.layers[view.name], count = ROWS[view.name] ? own.channels * own.rows : own.channels;
    var at = ROWS[view.name] ? count - 1 - Math.floor(y * count) : Math.floor(y * Math.ceil(count / ACROSS)) * ACROSS + Math.floor(x * ACROSS);
    this.picked[view.name] = Math.min(count - 1, Math.max(0, at));
    this.drawView(view);
  };

  // One sentence that says why nothing flows, or nothing where it does.
  Flow.prototype.obstacle = function () {
    var settings = this.explorer.settings, given = JSON.parse(this.explorer.given), back = " \u201cEnvNet as it was\u201d brings the sound back.";
    if (settings.rate !== given.rate) return "The sounds are sampled at " + grouped(given.rate) + " Hz and the network now asks for another rate, so none flows through it." + back;
    var changed = settings.samples !== given.samples ? "The window" : "";
    settings.layers.forEach(function (own, i) {
      if (!changed && JSON.stringify(own) !== JSON.stringify(given.layers[i])) changed = own.name;
    });
    return changed && changed + " is changed: this is another network, for which no weights were trained, so no sound flows through it." + back;
  };

  Flow.prototype.update = function () {
    var self = this, why = this.obstacle(), sound = this.given.sounds[this.select.value];
    this.sound = why ? undefined : sound;
    this.button.disabled = !sound;
    this.status.textContent = sound && why ? why : sound ? "" : "No sound: the bars show the shapes alone.";
    if (!this.sound) { this.show(false); return; }
    if (this.unpacked[sound.name]) { this.show(true); return; }
    inflate(sound.levels).then(function (bytes) {
      self.unpacked[sound.name] = unpack(self.given, sound, bytes);
      if (self.sound === sound) self.show(true);
    }, function () { self.status.textContent = "This browser cannot unpack the sound, so the bars show the shapes alone."; });
  };

  Flow.prototype.show = function (on) {
    var self = this, root = this.explorer.root, sound = this.sound;
    root.classList.toggle("flowing", on);
    this.wave.hidden = this.answer.hidden = !on;
    this.views.forEach(function (view) { view.inside.hidden = !on || view.work.hidden; });
    if (!on) { this.layers = this.shown = null; return; }
    this.layers = this.unpacked[sound.name];
    if (this.shown === sound) return;
    this.shown = sound; this.picked = {};
    this.drawWave();
    this.views.forEach(function (view) { self.drawView(view); });
    this.drawAnswer();
  };

  Flow.prototype.open = function (view) {
    view.inside.hidden = !this.shown || view.work.hidden;
    if (this.shown) this.drawView(view);
  };

  Flow.prototype.drawWave = function () {
    var own = this.layers.input, steps = own.steps, half = this.given.finest / 2, top = this.sound.layers.input.range[1], path = "";
    for (var i = 0; i < steps; i++) path += "M" + (i + 0.5) + " " + (1 - own.levels[steps + i] / half - 0.01).toFixed(3) + "V" + (1 - own.levels[i] / half + 0.01).toFixed(3);
    this.line.textContent = "";
    node("path", { d: path }, this.line);
    this.line.setAttribute("aria-label", "Waveform of " + this.sound.name + ": 24,014 samples between " + MINUS + number(top) + " and " + number(top));
  };

  Flow.prototype.paint = function (canvas, name, own, only) {
    var drawn = cells(name, own, only), context = canvas.getContext("2d"), finest = this.given.finest, last = this.colours.length - 1;
    canvas.width = drawn.columns; canvas.height = drawn.lines;
    var image = context.createImageData(drawn.columns, drawn.lines);
    for (var i = 0; i < drawn.places.length; i++) {
      if (drawn.places[i] < 0) continue;
      var share = own.levels[drawn.places[i]] / finest, colour = this.colours[Math.round((name === "fc7" ? share : Math.sqrt(share)) * last)];
      image.data.set(colour, 4 * i);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  };

  // The filter or map that has the largest value, until the reader picks another.
  Flow.prototype.chosen = function (name, own, count) {
    if (this.picked[name] === undefined) {
      for (var i = 0, best = 0; i < own.levels.length; i++) if (own.levels[i] > own.levels[best]) best = i;
      this.picked[name] = Math.floor(best / (own.levels.length / count));
    }
    return this.picked[name];
  };

  Flow.prototype.drawView = function (view) {
    var name = view.name, own = this.layers[name], facts = this.sound.layers[name], high = facts.range[1], sheet = !ROWS[name] && !LINES[name];
    var count = ROWS[name] ? own.channels * own.rows : own.channels, picked = view.slider ? this.chosen(name, own, count) : -1;
    this.paint(view.small, name, own, sheet ? picked : -1);
    var values = number(facts.range[0]) + " to " + number(high), zeros = name === "fc7" ? "" : ", " + percent(facts.zeros) + " of " + grouped(facts.values) + " are zero";
    view.small.setAttribute("aria-label", name + " of " + this.sound.name + ": values " + values + zeros);
    if (view.inside.hidden) return;
    view.facts.textContent = (BEHIND[name] ? "Behind " + BEHIND[name] + ": values " : name === "fc7" ? "Class scores, before the softmax: " : "Values ") + values + zeros +
      (facts.silent ? "; " + facts.silent + " of " + count + (ROWS[name] ? " filters" : " maps") + " have nothing else." : ".") +
      (REDUCED[name] ? " Drawn: the maximum of each " + REDUCED[name] + " steps" + (name === "conv2" ? ", which is what the next pool takes together." : ".") : "");
    this.paint(view.large, name, own, -1);
    view.large.setAttribute("aria-label", (sheet ? "All " + count + " maps of " : "All values of ") + name + " for " + this.sound.name);
    view.scale.textContent = "";
    node("span", {}, view.scale, number(facts.range[0]));
    node("i", { style: "background:linear-gradient(to right," + this.given.colours.join(",") + ")" }, view.scale);
    node("span", {}, view.scale, number(high) + (name === "fc7" ? "" : ", colours by the square root") + (sheet ? "; each map: time to the right, rows upwards" : ROWS[name] ? "; time to the right, filter 1 at the bottom" : name === "fc7" ? ", a stripe for each class" : "; line after line"));
    if (view.slider) this.drawPicked(view, own, facts, picked, count);
  };

  Flow.prototype.drawPicked = function (view, own, facts, picked, count) {
    var name = view.name, size = own.levels.length / count, part = own.levels.subarray(picked * size, (picked + 1) * size), finest = this.given.finest, high = facts.range[1];
    var largest = number(high * Math.max.apply(null, part) / finest), text = picked + 1 + " of " + count + ", largest value " + largest;
    view.slider.max = count; view.slider.value = picked + 1;
    view.slider.setAttribute("aria-valuetext", text);
    view.output.textContent = text;
    if (view.one) {
      this.paint(view.one, name, own, picked);
      view.one.setAttribute("aria-label", "Map " + text + ", of " + name);
      view.note.textContent = "This map alone, " + own.rows + " rows by " + own.steps + " steps.";
      return;
    }
    var near = this.layers[name + "_near"], step = this.sound.step, curve = near ? near.levels.subarray(picked * near.steps, (picked + 1) * near.steps) : part;
    var most = Math.max.apply(null, part) || 1, at = curve.indexOf(Math.max.apply(null, curve)), x = function (i) { return 4 + 312 * (i + 0.5) / curve.length; }, y = function (l) { return 78 - 72 * l / most; };
    view.curve.textContent = "";
    node("path", { d: Array.from(curve, function (l, i) { return (i ? "L" : "M") + x(i).toFixed(1) + " " + y(l).toFixed(1); }).join("") }, view.curve);
    var top = number(high * curve[at] / finest);
    if (near && curve[at]) node("path", { class: "mark", d: "M" + x(at).toFixed(1) + " 80V84M" + x(at).toFixed(1) + " 0V" + Math.max(0, y(curve[at]) - 3).toFixed(1) }, view.curve);
    view.note.textContent = near ? "Steps " + grouped(160 * step) + " to " + grouped(160 * step + 159) + " of this filter, value by value: the 10 ms in which the map is brightest." +
      (name === "conv2" ? " Of these 160, pool2 keeps the largest, " + top + "." : "") : "All 150 steps of this " + ROWS[name] + ", 10 ms each.";
    view.curve.setAttribute("aria-label", "Curve: " + view.note.textContent);
  };

  Flow.prototype.drawAnswer = function () {
    var self = this, given = this.given, shares = this.sound.probabilities, order = shares.map(function (_, i) { return i; });
    order.sort(function (a, b) { return shares[b] - shares[a]; });
    this.verdict.textContent = "The " + given.named + " likeliest of " + given.classes.length + " classes for " + this.sound.name + ", " + given.classes[order[0]] + " first:";
    this.classes.textContent = "";
    order.slice(0, given.named).forEach(function (i) {
      var item = node("li", {}, self.classes);
      node("span", {}, item, given.classes[i]);
      node("i", { style: "width:" + 100 * shares[i] + "%" }, node("b", { "aria-hidden": "true" }, item));
      node("span", {}, item, percent(shares[i]));
    });
  };

  Flow.prototype.press = function () {
    var self = this, sound = this.given.sounds[this.select.value];
    if (this.playing) { this.stop(); return; }
    this.playing = new Audio(sound.address);
    this.playing.onended = function () { self.stop(); };
    this.button.textContent = "Stop";
    var begun = this.playing.play();
    if (begun) begun.catch(function () { self.stop(); });
    if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) this.follow();
  };

  Flow.prototype.stop = function () {
    if (this.playing) this.playing.pause();
    this.playing = null;
    this.button.textContent = "Play";
    this.explorer.root.classList.remove("playing");
  };

  // A line runs along the pictures whose steps are moments of the sound.
  Flow.prototype.follow = function () {
    var self = this, audio = this.playing, root = this.explorer.root;
    if (!audio) return;
    root.classList.add("playing");
    root.style.setProperty("--now", 100 * Math.min(1, audio.currentTime / (audio.duration || 1.5)) + "%");
    requestAnimationFrame(function () { self.follow(); });
  };

  return { Flow: Flow };
})();
