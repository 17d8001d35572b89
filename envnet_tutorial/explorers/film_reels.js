/* The responses of a film, unpacked: numbers from 0 to 1 by picture, frame, filter and tone. */
var filmReels = (function () {
  "use strict";

  /* Lower bytes, then upper bytes, of second differences along the tones, with the sign in the lowest bit. */
  function unpack(planes, tones) {
    var count = planes.length / 2, steps = new Uint16Array(count), slope = 0, step = 0;
    for (var i = 0; i < count; i++) {
      var code = planes[i] + 256 * planes[count + i];
      if (i % tones === 0) slope = step = 0;
      slope += (code >>> 1) ^ -(code & 1);
      step += slope;
      steps[i] = step;
    }
    return steps;
  }

  function Reel(given, page, planes, weights) {
    this.given = given;
    this.tones = page.frequencies.length; this.filters = page.filters; this.finest = page.finest;
    this.frames = given.captions.length;
    this.frame = given.start;
    this.steps = unpack(planes, this.tones);
    this.weights = weights;
  }

  Reel.prototype.at = function (panel, frame, filter) {
    return ((panel * this.frames + frame) * this.filters + filter) * this.tones;
  };

  Reel.prototype.value = function (panel, filter, tone) {
    return this.steps[this.at(panel, this.frame, filter) + tone] / this.finest;
  };

  /* What one filter answers to each tone in the frame that is shown. */
  Reel.prototype.curve = function (panel, filter) {
    var start = this.at(panel, this.frame, filter), finest = this.finest;
    return Array.from(this.steps.subarray(start, start + this.tones), function (step) { return step / finest; });
  };

  /* The filters of one picture from its bottom to its top. */
  Reel.prototype.order = function (panel, sorted) {
    var order = this.given.orders[panel];
    return sorted ? order : order.map(function (filter, row) { return row; });
  };

  /* Weights of one filter in the frame that is shown, scaled by the largest; null if the film has none. */
  Reel.prototype.kernel = function (filter) {
    if (!this.weights) return null;
    var count = this.given.taps.count, start = (this.frame * this.filters + filter) * count;
    return Array.from(this.weights.subarray(start, start + count), function (level) { return (level << 24 >> 24) / 63; });
  };

  /* |sum over n of k[n] exp(-2 pi i f n / rate)| at each frequency, scaled by its largest value. */
  function transform(kernel, frequencies, rate) {
    var sizes = frequencies.map(function (frequency) {
      var real = 0, imaginary = 0, turn = 2 * Math.PI * frequency / rate;
      for (var n = 0; n < kernel.length; n++) {
        real += kernel[n] * Math.cos(turn * n); imaginary -= kernel[n] * Math.sin(turn * n);
      }
      return Math.hypot(real, imaginary);
    });
    var largest = Math.max.apply(null, sizes) || 1;
    return sizes.map(function (size) { return size / largest; });
  }

  function read(page) {
    return Promise.all(page.reels.map(function (given) {
      var weights = given.taps ? inflate(given.taps.levels) : null;
      return Promise.all([inflate(given.responses), weights]).then(function (found) {
        return new Reel(given, page, found[0], found[1]);
      });
    }));
  }

  return { read: read, transform: transform };
})();
