/* Numbers of a sound and of one filter on it, in plain loops; what "Hear yourself" and "Look at one filter" have in common. */
var filterSignal = (function () {
  "use strict";

  /* Little-endian float32 in base64. */
  function floats(base64) {
    var text = atob(base64), bytes = new Uint8Array(text.length);
    for (var i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return new Float32Array(bytes.buffer);
  }

  function meanSquare(x, first, last) {
    var sum = 0;
    for (var i = first; i < last; i++) sum += x[i] * x[i];
    return sum / Math.max(1, last - first);
  }

  function decibels(square) { return 10 * Math.log10(square); }

  /* What a filter lets through: y[t] is the sum over n of kernel[n] x[t + n], as in the network. */
  function through(x, kernel) {
    var out = new Float32Array(x.length - kernel.length + 1);
    for (var t = 0; t < out.length; t++) {
      for (var n = 0, sum = 0; n < kernel.length; n++) sum += kernel[n] * x[t + n];
      out[t] = sum;
    }
    return out;
  }

  /* |sum over n of kernel[n] exp(-2 pi i f n / rate)| at `count` frequencies from 0 to half the rate. */
  function spectrum(kernel, count) {
    var sizes = [];
    for (var i = 0; i < count; i++) {
      for (var n = 0, re = 0, im = 0; n < kernel.length; n++) {
        re += kernel[n] * Math.cos(Math.PI * i * n / (count - 1)); im += kernel[n] * Math.sin(Math.PI * i * n / (count - 1));
      }
      sizes.push(Math.hypot(re, im));
    }
    return sizes;
  }

  return { floats: floats, meanSquare: meanSquare, decibels: decibels, through: through, spectrum: spectrum };
})();
