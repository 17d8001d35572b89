/* Where the sound of "Hear yourself" comes from: a sample, a file, the microphone. What fails is said in one sentence. */
var hearingSources = (function () {
  "use strict";
  var FILES = "WAV, MP3, Ogg and FLAC files usually work.", MEGABYTES = 200, SILENCE = 1e-4;  // of full scale, -80 dB

  function refuse(sentence) { return Promise.reject(new Error(sentence)); }

  /* Decode to one channel at `rate`; the browser converts the rate. */
  function decode(buffer, rate) {
    var Offline = window.OfflineAudioContext || window.webkitOfflineAudioContext, context;
    try { context = new Offline(1, 1, rate); } catch (error) { return Promise.reject(error); }
    return new Promise(function (done, failed) {
      var promised = context.decodeAudioData(buffer, done, failed);
      if (promised && promised.then) promised.then(done, failed);
    }).then(function (audio) {
      var mono = new Float32Array(audio.length);
      for (var c = 0; c < audio.numberOfChannels; c++) {
        var channel = audio.getChannelData(c);
        for (var i = 0; i < mono.length; i++) mono[i] += channel[i] / audio.numberOfChannels;
      }
      return mono;
    });
  }

  /* Seconds that a file plays, not finite where the browser cannot tell. Nothing is fetched: the address names the file in memory. */
  function duration(file) {
    return new Promise(function (done) {
      var audio = document.createElement("audio"), address = URL.createObjectURL(file);
      function end(seconds) { clearTimeout(timer); URL.revokeObjectURL(address); audio.removeAttribute("src"); done(seconds); }
      var timer = setTimeout(function () { end(NaN); }, 3000);
      audio.preload = "metadata";
      audio.onloadedmetadata = function () { end(audio.duration); };
      audio.onerror = function () { end(NaN); };
      audio.src = address;
    });
  }

  /* A sentence that says why a sound cannot be shown, or nothing. */
  function complaint(samples, name) {
    for (var i = 0, peak = 0; i < samples.length; i++) {
      if (!isFinite(samples[i])) return name + " holds values that are not numbers, so there is nothing to hear.";
      peak = Math.max(peak, Math.abs(samples[i]));
    }
    if (!samples.length) return name + " holds no sound at all.";
    return peak < SILENCE ? name + " is silent: there is nothing to show." : "";
  }

  function readFile(file, given) {
    var name = "\u201c" + file.name + "\u201d";
    if (!file.size) return refuse(name + " is empty.");
    if (file.size > MEGABYTES * 1e6) return refuse(name + " is larger than " + MEGABYTES + " MB: cut out what you want to hear.");
    function long(seconds) {
      return refuse(name + " lasts " + Math.round(seconds / 60) + " minutes, and this page takes " + given.maxFile / 60 +
        ": cut out what you want to hear.");
    }
    return duration(file).then(function (seconds) {
      if (isFinite(seconds) && seconds > given.maxFile) return long(seconds);
      return file.arrayBuffer().then(function (buffer) { return decode(buffer, given.rate); }).catch(function () {
        return refuse("This browser cannot read " + name + " as a sound. " + FILES);
      });
    }).then(function (samples) {
      var trouble = complaint(samples, name), seconds = samples.length / given.rate;
      if (seconds > given.maxFile) return long(seconds);
      return trouble ? refuse(trouble) : { name: name, samples: samples };
    });
  }

  function readSample(sound, given) {
    var text = atob(sound.content), bytes = new Uint8Array(text.length);
    for (var i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return decode(bytes.buffer, given.rate).then(function (samples) { return { name: sound.name, samples: samples }; });
  }

  var REFUSALS = {
    NotAllowedError: "The microphone was refused. Allow it in the browser's address bar, choose a file, or take a sample.",
    NotFoundError: "No microphone was found. Choose a file, or take a sample.",
    NotReadableError: "The microphone is in use by another program. Close that program, or choose a file.",
  };

  // Runs beside the page: a piece of 1,024 samples at a time. A data address is the only one that works from a folder too.
  var WORKLET = "data:text/javascript," + encodeURIComponent(
    "registerProcessor('hearing', class extends AudioWorkletProcessor {" +
    " constructor() { super(); this.piece = new Float32Array(1024); this.at = 0; }" +
    " process(inputs) { const x = inputs[0][0]; if (x) { this.piece.set(x, this.at); this.at += x.length;" +
    "  if (this.at >= 1024) { this.port.postMessage(this.piece); this.piece = new Float32Array(1024); this.at = 0; } }" +
    "  return true; } });");

  /* Records one channel at the machine's own rate: samples[0 .. count). `heard` is called after each piece. */
  function Microphone(heard) { this.heard = heard; this.count = 0; this.samples = new Float32Array(1 << 16); }

  Microphone.prototype.add = function (piece) {
    if (this.count + piece.length > this.samples.length) {
      var longer = new Float32Array(2 * this.samples.length);
      longer.set(this.samples);
      this.samples = longer;
    }
    this.samples.set(piece, this.count);
    this.count += piece.length;
    this.heard();
  };

  Microphone.prototype.start = function () {
    var self = this, Context = window.AudioContext || window.webkitAudioContext;
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia || !Context) {
      return refuse("This browser gives the page no microphone here. Choose a file, or take a sample.");
    }
    var wanted = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };
    return navigator.mediaDevices.getUserMedia(wanted).then(function (stream) {
      self.stream = stream;
      self.context = new Context();
      self.rate = self.context.sampleRate;
      return self.context.resume();
    }).then(function () { return self.connect(); }).catch(function (error) {
      self.stop();
      return refuse(REFUSALS[error.name] || "The microphone did not start (" + error.name + "). Choose a file, or take a sample.");
    });
  };

  Microphone.prototype.connect = function () {
    var self = this, context = this.context, source = context.createMediaStreamSource(this.stream);
    function old() {  // browsers without worklets, or that load none from a data address
      var node = context.createScriptProcessor(1024, 1, 1);
      node.onaudioprocess = function (event) { if (self.context) self.add(event.inputBuffer.getChannelData(0).slice()); };
      source.connect(node);
      node.connect(context.destination);
    }
    if (!context.audioWorklet) return old();
    return context.audioWorklet.addModule(WORKLET).then(function () {
      var node = new AudioWorkletNode(context, "hearing", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      node.port.onmessage = function (event) { if (self.context) self.add(event.data); };
      source.connect(node);
    }, old);
  };

  Microphone.prototype.stop = function () {
    if (this.stream) this.stream.getTracks().forEach(function (track) { track.stop(); });
    if (this.context) this.context.close();
    this.stream = this.context = null;
  };

  return { readFile: readFile, readSample: readSample, complaint: complaint, Microphone: Microphone };
})();
