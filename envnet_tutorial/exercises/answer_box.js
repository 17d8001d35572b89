/* Answers typed into a page, judged as Python judges them. A classic script, so that it runs from file:// too. */
(function () {
  "use strict";
  var UNREADABLE = { unreadable: true }; // what is neither a number, a list, a text, True or False, nor left open
  var NAMES = { None: null, True: true, False: false, nan: NaN, inf: Infinity, pi: Math.PI, e: Math.E };
  var FUNCTIONS = { sqrt: Math.sqrt, exp: Math.exp, ln: Math.log, log: Math.log, log2: Math.log2, log10: Math.log10 };
  var TOKEN = /\s*(?:((?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?!\w)|(\.\.\.|\u2026)|("[^"]*"|'[^']*')|([a-z_][\w.]*)|(\*\*|\/\/|[-+*\/%()[\],]))/giy;
  var GROUPED = /(^|[^\w.,])([1-9]\d{0,2}(?:[, \u00a0\u2009\u202f'\u2019]\d{3})+)(?!\w)/g;

  // ---- Reading: what a reader types becomes the value that Python would have, or UNREADABLE. ----

  function tokens(text) {
    var found = [], match, end = 0;
    TOKEN.lastIndex = 0;
    while (end < text.trimEnd().length) {
      match = TOKEN.exec(text);
      if (!match) throw UNREADABLE;
      end = TOKEN.lastIndex;
      if (match[1] !== undefined) found.push({ value: Number(match[1].replace(/_/g, "")) });
      else if (match[2] !== undefined) found.push({ value: null });
      else if (match[3] !== undefined) found.push({ value: { text: match[3].slice(1, -1) } });
      else found.push({ name: match[4] && match[4].replace(/^(math|np|numpy|torch)\./, ""), sign: match[5] });
    }
    return found;
  }

  function number(value) {
    if (typeof value !== "number") throw UNREADABLE;
    return value;
  }

  // As Python does it for numbers with a fraction: exactly, by way of the remainder, which has the divisor's sign.
  function remainder(a, b) {
    var rest = a % b;
    return rest && (rest < 0) !== (b < 0) ? rest + b : rest;
  }
  function wholeTimes(a, b) { return b === 0 ? a / b : Math.round((a - remainder(a, b)) / b); }

  var TIMES = {
    "*": function (a, b) { return a * b; }, "/": function (a, b) { return a / b; }, "//": wholeTimes, "%": remainder
  };

  function Reader(text) { this.rest = tokens(text); }
  Reader.prototype.sign = function (signs) {
    var next = this.rest[0];
    return next && signs.indexOf(next.sign) >= 0 ? this.rest.shift().sign : null;
  };
  Reader.prototype.list = function (end) { // values up to a bracket, or "", the end; a comma makes them a list
    var values = [], isList = end === "]";
    while (this.rest.length && this.rest[0].sign !== end) {
      values.push(this.sum());
      if (!this.sign([","])) break;
      isList = true;
    }
    if (end ? !this.sign([end]) : this.rest.length) throw UNREADABLE;
    return isList || values.length === 0 ? values : values[0];
  };
  Reader.prototype.sum = function () {
    var value = this.product(), sign;
    while ((sign = this.sign(["+", "-"]))) {
      value = sign === "+" ? number(value) + number(this.product()) : number(value) - number(this.product());
    }
    return value;
  };
  Reader.prototype.product = function () {
    var value = this.factor(), sign;
    while ((sign = this.sign(["*", "/", "//", "%"]))) value = TIMES[sign](number(value), number(this.factor()));
    return value;
  };
  Reader.prototype.factor = function () {
    var sign = this.sign(["+", "-"]);
    if (sign) return sign === "-" ? -number(this.factor()) : number(this.factor());
    var base = this.atom();
    return this.sign(["**"]) ? Math.pow(number(base), number(this.factor())) : base;
  };
  Reader.prototype.atom = function () {
    var next = this.rest.shift() || {};
    if (next.value !== undefined) return next.value;
    if (next.sign === "(") return this.list(")");
    if (next.sign === "[") return this.list("]");
    if (FUNCTIONS.hasOwnProperty(next.name) && this.sign(["("])) return FUNCTIONS[next.name](number(this.list(")")));
    if (NAMES.hasOwnProperty(next.name)) return NAMES[next.name];
    throw UNREADABLE;
  };

  function parsed(text) {
    try { return new Reader(text).list(""); } catch (problem) {
      if (problem !== UNREADABLE) throw problem;
      return UNREADABLE;
    }
  }

  // In brackets a comma separates, as in Python. Outside of them 15,993 is one number where one is wanted, and
  // "40 x 150" or "40 150" are two where two are. The first way that gives as many as wanted is taken.
  function read(text, wanted, unit) {
    var typed = text.replace(/[\u2212\u2013]/g, "-").replace(/\u00b7/g, "*").replace(/\u00f7/g, "/").trim();
    if (unit && typed.toLowerCase().endsWith(unit.toLowerCase())) typed = typed.slice(0, -unit.length).trim() || typed;
    if (isOpen({ text: typed })) return null;
    var plain = typed.replace(/\u00d7/g, "*");
    var ways = [plain, typed.replace(/([\d.])\s*[x\u00d7]\s*(?=[\d.])/gi, wanted > 1 ? "$1, " : "$1*")];
    if (wanted > 1) ways.push(plain.replace(/([\d.])(?:\s*;|\s+and)?\s+(?=[\d.])/g, "$1, "));
    if (!/[([][^()[\]]*,/.test(plain)) {
      ways = ways.concat(ways.map(function (way) {
        return way.replace(GROUPED, function (all, before, digits) { return before + digits.replace(/[^\d]/g, ""); });
      }));
    }
    var values = ways.map(parsed).filter(function (value) { return value !== UNREADABLE; });
    var fitting = values.find(function (value) { return (Array.isArray(value) ? value.length : 1) === wanted; });
    return fitting !== undefined ? fitting : values.length ? values[0] : UNREADABLE;
  }

  // ---- Judging: the same order as in envnet_tutorial/exercises/answers.py and questions.py. ----

  function Malformed(kind, details) { this.kind = kind; this.details = details || {}; }

  function isOpen(answer) {
    if (Array.isArray(answer)) return answer.some(isOpen);
    return answer === null || Boolean(answer && answer.text !== undefined) && !/[^ \t\n.\u2026]/.test(answer.text);
  }

  function checked(entry) {
    if (entry && entry.text !== undefined) throw new Malformed("text");
    if (typeof entry === "boolean") throw new Malformed("truth");
    if (typeof entry !== "number") throw new Malformed("unreadable");
    if (isNaN(entry)) throw new Malformed("nan");
    if (!isFinite(entry)) throw new Malformed("infinite");
    return entry;
  }

  function numbersOf(answer, wanted) {
    var entries = listed(answer);
    if (entries.some(Array.isArray)) throw new Malformed("nested");
    entries.forEach(checked);
    if (entries.length !== wanted) throw new Malformed("length", { wanted: wanted, given: entries.length });
    return entries;
  }

  function wordOf(answer, choices) {
    var entries = listed(answer), only = entries.length === 1 && entries[0] && entries[0].text;
    var word = String(only || "").replace(/^[ \t\n."']+|[ \t\n."']+$/g, "").toLowerCase();
    if (choices.indexOf(word) < 0) throw new Malformed("word", { choices: choices.join(", ") });
    return word;
  }

  function listed(answer) { return Array.isArray(answer) ? answer : [answer]; }

  function near(values, answer, tolerance) {
    return listed(answer).every(function (number, i) { return Math.abs(values[i] - number) <= tolerance; });
  }

  function said(correct, message) { return { correct: correct, message: message }; }

  function judgeNumbers(question, answer) {
    var values = numbersOf(answer, wantedBy(question));
    function fits(item) { return near(values, item.answer, item.tolerance); }
    var hint = question.hints.find(fits), also = question.also.find(fits);
    if (hint) return said(false, hint.text);
    if (fits(question)) return said(true, question.praise);
    return also ? said(true, also.text) : said(false, question.hint);
  }

  function judgeChoice(question, answer) {
    var word = wordOf(answer, question.choices);
    if (word === question.answer) return said(true, question.praise);
    var hint = question.hints.find(function (item) { return item.answer === word; });
    return said(false, hint ? hint.text : question.hint);
  }

  function judgeConditions(question, answer) {
    var values = numbersOf(answer, wantedBy(question));
    var missed = question.conditions.find(function (condition) {
      var found = condition.weights.reduce(function (sum, weight, i) { return sum + weight * values[i]; }, 0);
      return Math.abs(found - condition.target) > condition.tolerance;
    });
    return missed ? said(false, missed.text) : said(true, question.praise);
  }

  function judgeHelper(question, answer) {
    var values = numbersOf(answer, 2), samples = values[0], taps = values[1];
    if (samples % 1 || taps % 1) return said(false, question.not_whole);
    if (!(taps >= 1 && taps <= samples)) return said(false, question.not_fitting);
    var shown = question.given.find(function (item) { return near(values, item.answer, 0); });
    if (shown) return said(false, shown.text);
    var isWrongThere = wholeTimes(samples, wholeTimes(samples, taps)) !== taps;
    return isWrongThere ? said(true, question.praise) : said(false, question.hint);
  }

  var KINDS = {
    NumberQuestion: judgeNumbers, TupleQuestion: judgeNumbers, ChoiceQuestion: judgeChoice,
    ConditionQuestion: judgeConditions, HelperQuestion: judgeHelper
  };

  function wantedBy(question) {
    if (question.conditions) return question.conditions[0].weights.length;
    return question.kind === "HelperQuestion" ? 2 : listed(question.answer).length;
  }

  function judge(question, malformed, typed) {
    var answer = question.choices ? { text: typed } : read(typed, wantedBy(question), question.unit);
    if (isOpen(answer)) return said(null, question.task);
    try { return KINDS[question.kind](question, answer); } catch (problem) {
      if (!(problem instanceof Malformed)) throw problem;
      return said(false, malformed[problem.kind].replace(/\{(\w+)\}/g, function (all, key) { return problem.details[key]; }));
    }
  }

  // ---- The box below a cell. ----

  function element(name, attributes, parent, text) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  // A browser may refuse to keep anything, above all for a page that was opened from a folder.
  function recall(key) {
    try { return window.localStorage.getItem(key) || ""; } catch (refused) { return ""; }
  }
  function keep(key, typed) {
    try { window.localStorage.setItem(key, typed); } catch (refused) { /* it lasts as long as the page */ }
  }

  function Box(root) {
    var self = this, data = JSON.parse(root.getAttribute("data-box"));
    this.question = data.question;
    this.malformed = data.malformed;
    this.key = "answer-" + data.key;
    root.setAttribute("data-ready", "yes");
    this.form = element("form", {}, root);
    if (data.question.choices) this.offer(data);
    else this.ask(data);
    this.said = element("p", { class: "said", role: "status", "aria-live": "polite" }, this.form);
    this.form.addEventListener("input", function () { self.tell(null); });
    this.form.addEventListener("submit", function (event) {
      event.preventDefault();
      self.tell(judge(self.question, self.malformed, self.typed()));
      keep(self.key, self.typed());
    });
    this.restore(recall(this.key));
    root.hidden = false;
  }

  Box.prototype.label = function (tag, attributes, parent, variable) {
    var label = element(tag, attributes, parent, "Your answer: ");
    element("code", {}, label, variable + " =");
  };

  Box.prototype.ask = function (data) {
    var row = element("div", { class: "line" }, this.form), wanted = wantedBy(data.question);
    this.label("label", { for: this.key }, row, data.variable);
    this.field = element("input", {
      type: "text", id: this.key, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "done",
      "aria-describedby": this.key + "-form"
    }, row);
    element("button", { type: "submit" }, row, "Check");
    var unit = data.question.unit ? " (" + data.question.unit + ")" : "";
    element("p", { class: "form", id: this.key + "-form" }, this.form, wanted > 1
      ? wanted + " numbers" + unit + ", with commas between them"
      : "A number" + unit + ", or a sum such as 3 / 4 + 1");
  };

  Box.prototype.offer = function (data) {
    var set = element("fieldset", {}, this.form), self = this;
    this.label("legend", {}, set, data.variable);
    this.radios = data.question.choices.map(function (word) {
      var label = element("label", {}, set);
      var radio = element("input", { type: "radio", name: self.key, value: word }, label);
      element("span", {}, label, word);
      return radio;
    });
    element("button", { type: "submit" }, this.form, "Check");
  };

  Box.prototype.typed = function () {
    if (this.field) return this.field.value;
    var chosen = this.radios.find(function (radio) { return radio.checked; });
    return chosen ? chosen.value : "";
  };

  Box.prototype.restore = function (typed) {
    if (this.field) this.field.value = typed;
    else this.radios.forEach(function (radio) { radio.checked = radio.value === typed; });
    if (this.typed()) this.tell(judge(this.question, this.malformed, this.typed()));
  };

  Box.prototype.tell = function (verdict) {
    var names = { true: "Right", false: "Not yet", null: "Your turn" };
    this.said.textContent = verdict ? names[verdict.correct] + ": " + verdict.message : "";
    this.said.className = verdict ? "said " + { true: "right", false: "wrong", null: "open" }[verdict.correct] : "said";
  };

  document.querySelectorAll(".answer-box:not([data-ready])").forEach(function (root) { new Box(root); });
})();
