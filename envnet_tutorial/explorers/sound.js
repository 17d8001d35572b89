/* Numbers of a sound that travelled inside the page: its samples, and their Fourier transform. */
var soundNumbers = (function () {
  "use strict";

  var turns = {};

  /* Cosines and sines of n steps around the circle, computed once for each n. */
  function circle(n) {
    if (!turns[n]) {
      turns[n] = { c: new Float64Array(n), s: new Float64Array(n) };
      for (var k = 0; k < n; k++) { turns[n].c[k] = Math.cos(2 * Math.PI * k / n); turns[n].s[k] = -Math.sin(2 * Math.PI * k / n); }
    }
    return turns[n];
  }

  /* In place, radix 2, decimation in time: re and im hold the samples before and the spectrum after. */
  function fft(re, im) {
    var n = re.length, turn = circle(n), i, j, k, size, swap;
    for (i = 1, j = 0; i < n; i++) {
      for (k = n >> 1; j & k; k >>= 1) j ^= k;
      j ^= k;
      if (i < j) { swap = re[i]; re[i] = re[j]; re[j] = swap; swap = im[i]; im[i] = im[j]; im[j] = swap; }
    }
    for (size = 2; size <= n; size <<= 1) {
      for (k = 0; k < size / 2; k++) {
        var c = turn.c[k * n / size], s = turn.s[k * n / size];
        for (i = k; i < n; i += size) {
          j = i + size / 2;
          var x = re[j] * c - im[j] * s, y = re[j] * s + im[j] * c;
          re[j] = re[i] - x; im[j] = im[i] - y; re[i] += x; im[i] += y;
        }
      }
    }
  }

  /* Little-endian 16-bit integers in base64, as numbers in [-1, 1). */
  function decode(base64) {
    var bytes = atob(base64), samples = new Float32Array(bytes.length / 2);
    for (var i = 0; i < samples.length; i++) {
      var value = bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8;
      samples[i] = (value > 32767 ? value - 65536 : value) / 32768;
    }
    return samples;
  }

  return { fft: fft, decode: decode };
})();
