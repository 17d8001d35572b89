/* The tone under the slider, played quietly: the same level at every frequency, whatever level the picture is of. */
var filmTone = (function () {
  "use strict";
  var PEAK = 0.1, FADE = 0.02, GLIDE = 0.015, LONGEST = 4000;  // of full scale, s, s, ms without a change

  function Tone(button) {
    var self = this;
    this.button = button;
    this.source = null;
    button.addEventListener("click", function () { if (self.source) self.stop(); else self.start(); });
    document.addEventListener("visibilitychange", function () { if (document.hidden) self.stop(); });
  }

  Tone.prototype.start = function () {
    var Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) { this.button.textContent = "No sound"; this.button.disabled = true; return; }
    var context = this.context = this.context || new Context();
    this.source = context.createOscillator();
    this.gain = context.createGain();
    this.source.frequency.value = this.frequency;
    this.source.connect(this.gain);
    this.gain.connect(context.destination);
    this.gain.gain.setValueAtTime(0, context.currentTime);
    this.gain.gain.linearRampToValueAtTime(PEAK, context.currentTime + FADE);
    context.resume();
    this.source.start();
    this.button.textContent = "Stop";
    this.wait();
  };

  Tone.prototype.wait = function () {
    var self = this;
    clearTimeout(this.timer);
    this.timer = setTimeout(function () { self.stop(); }, LONGEST);
  };

  Tone.prototype.set = function (frequency) {
    this.frequency = frequency;
    if (!this.source) return;
    this.source.frequency.setTargetAtTime(frequency, this.context.currentTime, GLIDE);
    this.wait();
  };

  Tone.prototype.stop = function () {
    if (!this.source) return;
    var now = this.context.currentTime;
    clearTimeout(this.timer);
    this.gain.gain.cancelScheduledValues(now);
    this.gain.gain.setValueAtTime(PEAK, now);
    this.gain.gain.linearRampToValueAtTime(0, now + FADE);
    this.source.stop(now + FADE);
    this.source = null;
    this.button.textContent = "Hear it";
  };

  return { Tone: Tone };
})();
