/* The numbers behind "Hear yourself": what the package computes with PyTorch, in plain loops. Float64 throughout. */
var hearingSignal = (function () {
  "use strict";
  var floats = filterSignal.floats, meanSquare = filterSignal.meanSquare, decibels = filterSignal.decibels;

  /* EnvNet's feature_conv in eval mode: conv1 (batch norm folded in), ReLU, conv2, pool, scale and offset, ReLU. */
  function FrontEnd(given) {
    var all = Float64Array.from(floats(given.weights)), filters = given.filters, taps = given.taps, at = 0;
    function next(count) { at += count; return all.subarray(at - count, at); }
    this.filters = filters; this.taps = taps; this.hop = given.hop;
    this.first = next(filters * taps); this.bias = next(filters);
    this.second = interleave(next(filters * filters * taps), filters, taps);
    this.scale = next(filters); this.shift = next(filters);
    this.places = this.hop + taps - 1;  // of conv1 that one frame of conv2 sees
    this.hidden = new Float64Array(this.places * filters);
    this.column = new Float64Array(filters);
  }

  // Four filters at a time, so that a value of the first layer is read once for four products: (filter / 4, tap, channel, 4).
  function interleave(weight, filters, taps) {
    var out = new Float64Array(weight.length), at = 0;
    for (var group = 0; group < filters; group += 4) {
      for (var tap = 0; tap < taps; tap++) for (var channel = 0; channel < filters; channel++) {
        for (var f = group; f < group + 4; f++) out[at++] = weight[(f * filters + channel) * taps + tap];
      }
    }
    return out;
  }

  // hidden holds (place, channel), so that the taps and channels which an output sees lie one after the other.
  FrontEnd.prototype.firstLayer = function (x, start, gain) {
    var w = this.first, bias = this.bias, hidden = this.hidden, filters = this.filters, at = 0;
    for (var t = start; t < start + this.places; t++) {
      var a = gain * x[t], b = gain * x[t + 1], c = gain * x[t + 2], d = gain * x[t + 3];
      var e = gain * x[t + 4], f = gain * x[t + 5], g = gain * x[t + 6], h = gain * x[t + 7];
      for (var channel = 0, k = 0; channel < filters; channel++, k += 8) {
        var value = bias[channel] + w[k] * a + w[k + 1] * b + w[k + 2] * c + w[k + 3] * d +
          w[k + 4] * e + w[k + 5] * f + w[k + 6] * g + w[k + 7] * h;
        hidden[at++] = value > 0 ? value : 0;
      }
    }
  };

  // One step of 10 ms: all filters' largest value over its 160 places. The result stays in this.column.
  FrontEnd.prototype.frame = function (x, start, gain) {
    var hidden = this.hidden, w = this.second, filters = this.filters, length = filters * this.taps, column = this.column;
    this.firstLayer(x, start, gain);
    for (var group = 0; group < filters; group += 4) {
      var m0 = -Infinity, m1 = m0, m2 = m0, m3 = m0, from = group * length;
      for (var t = 0; t < this.hop; t += 2) {
        var a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0, now = t * filters, then = now + filters;
        for (var k = 0, v = from; k < length; k++, v += 4) {
          var p = hidden[now + k], q = hidden[then + k], w0 = w[v], w1 = w[v + 1], w2 = w[v + 2], w3 = w[v + 3];
          a0 += p * w0; a1 += p * w1; a2 += p * w2; a3 += p * w3;
          b0 += q * w0; b1 += q * w1; b2 += q * w2; b3 += q * w3;
        }
        if (a0 > m0) m0 = a0; if (a1 > m1) m1 = a1; if (a2 > m2) m2 = a2; if (a3 > m3) m3 = a3;
        if (b0 > m0) m0 = b0; if (b1 > m1) m1 = b1; if (b2 > m2) m2 = b2; if (b3 > m3) m3 = b3;
      }
      column[group] = m0; column[group + 1] = m1; column[group + 2] = m2; column[group + 3] = m3;
    }
    for (var f = 0; f < filters; f++) column[f] = Math.max(0, this.scale[f] * column[f] + this.shift[f]);
    return column;
  };

  /* In place, radix 2, with its cosines and sines in a table: hundreds of frames are transformed one after the other. */
  function Fourier(n) {
    this.n = n; this.cos = new Float64Array(n / 2); this.sin = new Float64Array(n / 2); this.swap = new Uint16Array(n);
    for (var k = 0; k < n / 2; k++) { this.cos[k] = Math.cos(2 * Math.PI * k / n); this.sin[k] = Math.sin(2 * Math.PI * k / n); }
    for (var i = 1, bits = Math.log2(n); i < n; i++) this.swap[i] = this.swap[i >> 1] >> 1 | (i & 1) << bits - 1;
  }

  Fourier.prototype.run = function (re, im) {
    var n = this.n, i, j, k, keep;
    for (i = 0; i < n; i++) if (i < (j = this.swap[i])) {
      keep = re[i]; re[i] = re[j]; re[j] = keep; keep = im[i]; im[i] = im[j]; im[j] = keep;
    }
    for (var half = 1; half < n; half *= 2) {
      for (k = 0; k < half; k++) {
        var c = this.cos[k * n / (2 * half)], s = this.sin[k * n / (2 * half)];
        for (i = k; i < n; i += 2 * half) {
          j = i + half;
          var x = re[j] * c + im[j] * s, y = im[j] * c - re[j] * s;
          re[j] = re[i] - x; im[j] = im[i] - y; re[i] += x; im[i] += y;
        }
      }
    }
  };

  function toMel(hz) { return 2595 * Math.log10(1 + hz / 700); }

  /* Log-mel spectrogram as envnet_tutorial.audio.spectrograms.log_mel: dB re a full-scale sine, no less than -100. */
  function LogMel(given) {
    var mel = given.mel, bins = mel.fourier / 2 + 1, top = toMel(given.rate / 2), edges = [], sum = 0;
    for (var i = 0; i < mel.bands + 2; i++) edges.push(700 * (Math.pow(10, top * i / (mel.bands + 1) / 2595) - 1));
    this.bands = mel.bands; this.hop = given.hop; this.fourier = new Fourier(mel.fourier);
    this.early = (mel.fourier - given.hop) / 2;  // samples of a frame's transform that lie before its hop
    this.window = new Float64Array(mel.fourier);
    for (i = 0; i < mel.window; i++) {
      this.window[i + (mel.fourier - mel.window) / 2] = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / mel.window);
      sum += 0.5 - 0.5 * Math.cos(2 * Math.PI * i / mel.window);
    }
    this.reference = sum * sum / 4;
    this.firsts = [];  // bin at which a band's triangle begins
    this.triangles = edges.slice(2).map(function (last, band) {
      var weights = [];
      for (var bin = 0; bin < bins; bin++) {
        var f = bin * given.rate / mel.fourier, low = edges[band], peak = edges[band + 1];
        var weight = Math.min((f - low) / (peak - low), (last - f) / (last - peak));
        if (weight > 0) weights.push(weight);
        else if (!weights.length) this.firsts[band] = bin + 1;
      }
      return Float64Array.from(weights);
    }, this);
    this.re = new Float64Array(mel.fourier); this.im = new Float64Array(mel.fourier);
    this.column = new Float64Array(mel.bands);
  }

  LogMel.prototype.frame = function (x, start, gain) {
    var re = this.re, im = this.im, n = re.length;
    for (var i = 0, at = start - this.early; i < n; i++, at++) {
      re[i] = at >= 0 && at < x.length ? gain * x[at] * this.window[i] : 0;
      im[i] = 0;
    }
    this.fourier.run(re, im);
    for (var band = 0; band < this.bands; band++) {
      for (var weights = this.triangles[band], bin = this.firsts[band], power = 0, k = 0; k < weights.length; k++, bin++) {
        power += weights[k] * (re[bin] * re[bin] + im[bin] * im[bin]);
      }
      this.column[band] = 10 * Math.log10(Math.max(power / this.reference, 1e-10));
    }
    return this.column;
  };

  /* Another rate by a windowed sinc, as envnet_tutorial.audio.resample: outputs first to last of a growing sound. */
  function Resampler(from, to) {
    for (var a = from, b = to; b;) { var rest = a % b; a = b; b = rest; }
    this.source = from / a; this.target = to / a;
    this.cutoff = Math.min(this.source, this.target) * 0.99 / this.source;
    this.half = Math.ceil(6 / this.cutoff);
    this.tables = {};
  }

  Resampler.prototype.length = function (count) { return Math.ceil(count * this.target / this.source); };

  Resampler.prototype.table = function (phase) {
    if (!this.tables[phase]) {
      var taps = this.tables[phase] = new Float64Array(2 * this.half + 1);
      for (var n = 0; n < taps.length; n++) {
        var t = Math.min(Math.max((n - this.half - phase / this.target) * this.cutoff, -6), 6), angle = Math.PI * t;
        taps[n] = (angle ? Math.sin(angle) / angle : 1) * Math.pow(Math.cos(angle / 12), 2) * this.cutoff;
      }
    }
    return this.tables[phase];
  };

  Resampler.prototype.run = function (x, count, first, last) {
    if (this.source === this.target) return Float32Array.from(x.subarray(first, last));
    var out = new Float32Array(last - first);
    for (var m = first; m < last; m++) {
      var whole = Math.floor(m * this.source / this.target), taps = this.table(m * this.source - whole * this.target);
      var start = whole - this.half, low = Math.max(0, -start), high = Math.min(taps.length, count - start), sum = 0;
      for (var n = low; n < high; n++) sum += taps[n] * x[start + n];
      out[m - first] = sum;
    }
    return out;
  };

  /* The one gain of envnet_tutorial.audio.levels.compress_levels for a window of this mean square. */
  function gainOf(square, levels) {
    var level = Math.max(levels.quietest, decibels(square));
    return Math.pow(10, (1 - 1 / levels.ratio) * (levels.common - level) / 20);
  }

  /* Where the window of `length` samples with the most energy begins, in whole hops. */
  function loudest(x, length, hop) {
    var best = 0, most = -1, energy = meanSquare(x, 0, length) * length;
    for (var start = 0; start + length <= x.length; start += hop) {
      if (energy > most * (1 + 1e-9)) { most = energy; best = start; }
      for (var i = start; i < start + hop && i + length < x.length; i++) energy += x[i + length] * x[i + length] - x[i] * x[i];
    }
    return best;
  }

  return { FrontEnd: FrontEnd, LogMel: LogMel, Resampler: Resampler, gainOf: gainOf, loudest: loudest, toMel: toMel };
})();
