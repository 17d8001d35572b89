/* Plays the samples that a page shows, as they are or through the filter that is picked, at a level that hurts nobody. */
var hearingPlayer = (function () {
  "use strict";
  var S = filterSignal, LEVEL = -23, PEAK = 0.5, MOST = 30, FADE = 0.01;  // dB, of full scale, dB, s

  function Player(page) { this.page = page; this.playing = null; }

  // The gain that brings samples to LEVEL, but no peak above PEAK, and no more than `most`: silence stays quiet.
  function gainFor(samples, most) {
    for (var i = 0, peak = 1e-9; i < samples.length; i++) peak = Math.max(peak, Math.abs(samples[i]));
    var level = Math.sqrt(S.meanSquare(samples, 0, samples.length)) || 1e-9;
    return Math.min(Math.pow(10, LEVEL / 20) / level, PEAK / peak, most);
  }

  /*
    What is left of the window behind the filter that is picked, its best tone unchanged, and the gains at which both are
    played. share: level behind the filter over that before it; lift: gain behind it over that before it; both in dB.
  */
  Player.prototype.behind = function () {
    var page = this.page, kernel = page.kernel(), most = Math.pow(10, MOST / 20);
    var best = Math.max.apply(null, S.spectrum(kernel, 129)) || 1;
    var left = S.through(page.window, kernel.map(function (k) { return k / best; }));
    var before = S.meanSquare(page.window, 0, page.window.length), gain = gainFor(page.window, most), own = gainFor(left, gain * most);
    return {
      samples: left, gain: own, plain: gain, lift: S.decibels(own * own / (gain * gain)),
      share: before ? S.decibels(S.meanSquare(left, 0, left.length) / before) : -Infinity,
    };
  };

  Player.prototype.press = function (kind) {
    var same = this.playing === kind;
    this.stop();
    if (!same) this.start(kind, 0);
  };

  Player.prototype.start = function (kind, offset) {
    var Context = window.AudioContext || window.webkitAudioContext, page = this.page, self = this;
    if (!Context || !page.window) return;
    this.context = this.context || new Context();
    var context = this.context, source = context.createBufferSource(), gain = context.createGain(), left = this.behind();
    var samples = kind === "filter" ? left.samples : page.window, factor = kind === "filter" ? left.gain : left.plain;
    source.buffer = context.createBuffer(1, samples.length, page.given.rate);
    source.buffer.getChannelData(0).set(samples.map(function (value) { return factor * value; }));
    source.loop = page.repeat.checked;
    source.connect(gain);
    gain.connect(context.destination);
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(1, context.currentTime + FADE);
    source.onended = function () { if (self.source === source) self.stop(); };
    context.resume();
    source.start(0, offset);
    this.source = source; this.gain = gain; this.playing = kind;
    this.length = samples.length / page.given.rate;
    this.began = context.currentTime - offset;
    this.label();
    this.follow();
  };

  Player.prototype.fade = function () {
    if (!this.source) return;
    this.gain.gain.linearRampToValueAtTime(0, this.context.currentTime + FADE);
    this.source.stop(this.context.currentTime + FADE);
    this.source = null;
  };

  Player.prototype.stop = function () {
    this.fade();
    this.playing = null;
    this.label();
    this.follow();
  };

  /* Another filter or another 1.5 s while something plays: it goes on at the same place. */
  Player.prototype.update = function () {
    if (!this.playing) return;
    var offset = (this.context.currentTime - this.began) % this.length;
    this.fade();
    this.start(this.playing, offset);
  };

  Player.prototype.repeat = function (again) { if (this.source) this.source.loop = again; };

  Player.prototype.label = function () {
    this.page.playSound.textContent = this.playing === "sound" ? "Stop" : "Play the sound";
    this.page.playFilter.textContent = this.playing === "filter" ? "Stop" : "Play through this filter";
  };

  /* A line runs along the pictures with the sound, unless the reader has asked for less motion. */
  Player.prototype.follow = function () {
    var self = this, page = this.page, still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    cancelAnimationFrame(this.drawing);
    page.marks.forEach(function (mark) {
      mark.hidden = !self.playing || still;
      if (self.playing) mark.style.left = 100 * (((self.context.currentTime - self.began) % self.length) / self.length) + "%";
    });
    if (this.playing && !still) this.drawing = requestAnimationFrame(function () { self.follow(); });
  };

  return { Player: Player };
})();
