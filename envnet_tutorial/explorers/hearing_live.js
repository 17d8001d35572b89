/* Recording in "Hear yourself": columns are drawn while the microphone listens, from left to right and over again. */
var hearingLive = (function () {
  "use strict";
  var S = hearingSignal, BUDGET = 12, BEHIND = 100;  // ms of work before the page may draw; columns after which some are left out

  function Live(page) { this.page = page; this.microphone = null; }

  Live.prototype.press = function () { if (this.microphone) this.finish(); else this.begin(); };

  Live.prototype.begin = function () {
    var self = this, page = this.page, given = page.given, microphone = new hearingSources.Microphone(function () { self.heard(); });
    page.player.stop();
    page.asked = null; page.run++;
    this.microphone = microphone; this.ready = false;
    this.x = new Float32Array((given.maxRecording + 2) * given.rate);
    this.known = 0; this.frame = 0;
    this.label(true);
    page.say("Waiting for the microphone \u2026");
    microphone.start().then(function () {
      if (self.microphone !== microphone) { microphone.stop(); return; }
      self.ready = true;
      self.resampler = new S.Resampler(microphone.rate, given.rate);
      page.say("Listening, for " + given.maxRecording + " s at most. Press Stop when you are done.");
    }, function (error) {
      if (self.microphone !== microphone) return;
      self.cancel();
      page.say(error.message, true);
    });
  };

  Live.prototype.label = function (recording) {
    this.page.recordButton.textContent = recording ? "Stop" : "Record";
    this.page.recordButton.classList.toggle("on", recording);
    this.page.listening(recording);
    if (!recording) this.page.left.now.hidden = this.page.right.now.hidden = true;
  };

  Live.prototype.cancel = function () {
    if (!this.microphone) return;
    this.microphone.stop();
    this.microphone = null;
    this.label(false);
    if (this.page.sound) this.page.restore();  // what was drawn over
  };

  Live.prototype.finish = function () {
    var page = this.page, microphone = this.microphone, heard = this.ready && microphone.count;
    var samples = heard ? this.resampler.run(microphone.samples, microphone.count, 0, this.resampler.length(microphone.count)) : new Float32Array(0);
    var trouble = hearingSources.complaint(samples, "The recording");
    if (trouble) { this.cancel(); page.say(trouble, true); return; }
    microphone.stop();
    this.microphone = null;
    this.label(false);
    page.show({ name: "your recording", samples: samples });
  };

  Live.prototype.heard = function () {
    var self = this, microphone = this.microphone;
    if (!microphone || !this.ready) return;
    if (microphone.count >= this.page.given.maxRecording * microphone.rate) { this.finish(); return; }
    if (!this.waiting) this.waiting = setTimeout(function () { self.waiting = null; self.draw(); }, 0);
  };

  /* Convert what is new, and draw the columns that it completes. */
  Live.prototype.draw = function () {
    var page = this.page, given = page.given, r = this.resampler, began = performance.now();
    if (!this.microphone) return;
    var end = Math.floor((this.microphone.count - r.half - 1) * r.target / r.source);
    if (end > this.known) { this.x.set(r.run(this.microphone.samples, this.microphone.count, this.known, end), this.known); this.known = end; }
    var reach = given.mel.fourier - page.logMel.early, complete = Math.floor((this.known - reach) / given.hop) + 1;
    if (complete - this.frame > BEHIND) this.frame = complete - 10;
    if (complete > this.frame) hearingCharts.drawWaveform(page.wave, this.x.subarray(0, given.maxRecording * given.rate));
    while (this.frame < complete && performance.now() - began < BUDGET) this.column(this.frame++);
    if (this.frame < complete) this.heard();
  };

  Live.prototype.column = function (frame) {
    var page = this.page, given = page.given, start = frame * given.hop, end = start + given.hop + 2 * (given.taps - 1);
    var gain = S.gainOf(filterSignal.meanSquare(this.x, Math.max(0, end - given.samples), end), given.levels), at = frame % page.frames;
    page.learnedColumn(at, this.x, start, gain);
    page.melColumn(at, this.x, start, gain);
    [page.left, page.right].forEach(function (map) { map.now.hidden = false; map.now.style.left = 100 * (at + 1) / page.frames + "%"; });
  };

  return { Live: Live };
})();
