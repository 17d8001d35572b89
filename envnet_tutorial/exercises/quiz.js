/* A quiz to answer: lists and folds become fields with buttons. A classic script, so that it runs from file:// too. */
(function () {
  "use strict";

  function element(name, attributes, parent, text) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  // A browser may refuse to keep anything, above all for a page that was opened from a folder.
  function recall(key) {
    try { return JSON.parse(window.localStorage.getItem(key)); } catch (refused) { return null; }
  }
  function keep(key, value) {
    try {
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, JSON.stringify(value));
    } catch (refused) { /* the score lasts as long as the page */ }
  }

  function Question(quiz, root, index) {
    this.quiz = quiz;
    this.index = index;
    var reasons = root.querySelectorAll("details li");
    this.reasons = Array.prototype.map.call(reasons, function (item) { return item.innerHTML; });
    this.right = Array.prototype.findIndex.call(reasons, function (item) { return item.hasAttribute("data-right"); });
    this.build(root);
  }

  Question.prototype.build = function (root) {
    var self = this, text = root.querySelector("p").innerHTML, choices = root.querySelectorAll(":scope > ol > li");
    var name = this.quiz.key + "-" + this.index;
    var form = element("form", {});
    var set = element("fieldset", {}, form);
    element("legend", {}, set).innerHTML = text;
    this.marks = [];
    this.radios = Array.prototype.map.call(choices, function (choice, number) {
      var label = element("label", {}, set);
      var radio = element("input", { type: "radio", name: name, value: number }, label);
      element("span", {}, label).innerHTML = choice.innerHTML;
      self.marks.push(element("span", { class: "verdict" }, label));
      radio.addEventListener("change", function () { self.reason.textContent = ""; });
      return radio;
    });
    element("button", { type: "submit" }, form, "Check");
    this.reason = element("p", { class: "reason", role: "status", "aria-live": "polite" }, form);
    form.addEventListener("submit", function (event) { event.preventDefault(); self.check(); });
    root.textContent = "";
    root.appendChild(form);
  };

  Question.prototype.check = function () {
    var chosen = this.radios.findIndex(function (radio) { return radio.checked; });
    if (chosen < 0) { this.reason.textContent = "Choose an answer first."; return; }
    this.show(chosen);
    this.quiz.count(this.index, chosen);
  };

  Question.prototype.show = function (chosen) {
    var isRight = chosen === this.right;
    this.marks[chosen].textContent = isRight ? "\u2713 right" : "\u2717 not so";
    this.marks[chosen].className = "verdict " + (isRight ? "right" : "wrong");
    this.reason.innerHTML = this.reasons[chosen];
    this.reason.className = "reason " + (isRight ? "right" : "wrong");
  };

  Question.prototype.clear = function () {
    this.radios.forEach(function (radio) { radio.checked = false; });
    this.marks.forEach(function (mark) { mark.textContent = ""; mark.className = "verdict"; });
    this.reason.textContent = "";
  };

  function Quiz(root) {
    var self = this;
    root.setAttribute("data-ready", "yes");
    root.setAttribute("data-lm-suppress-shortcuts", "true"); // in JupyterLab, keys pressed here belong to the quiz
    this.key = "quiz-" + root.getAttribute("data-key");
    this.questions = Array.prototype.map.call(root.querySelectorAll(".quiz-question"), function (item, index) {
      return new Question(self, item, index);
    });
    var bottom = element("div", { class: "bottom" }, root);
    this.score = element("p", { class: "score", role: "status", "aria-live": "polite" }, bottom);
    this.again = element("button", { type: "button" }, bottom, "Start again");
    this.again.addEventListener("click", function () { self.restart(); });
    this.restore(recall(this.key));
  }

  // What was chosen first at each question; null where nothing was yet.
  Quiz.prototype.restore = function (first) {
    var self = this;
    this.first = this.questions.map(function (question, index) {
      var chosen = first && first[index];
      if (typeof chosen !== "number" || !question.radios[chosen]) return null;
      question.radios[chosen].checked = true;
      question.show(chosen);
      return chosen;
    });
    this.tell();
  };

  Quiz.prototype.count = function (index, chosen) {
    if (this.first[index] !== null) return;
    this.first[index] = chosen;
    keep(this.key, this.first);
    this.tell();
  };

  Quiz.prototype.tell = function () {
    var answered = this.first.filter(function (chosen) { return chosen !== null; }).length;
    var right = this.first.filter(function (chosen, i) { return chosen === this.questions[i].right; }, this).length;
    this.score.textContent = "Right at the first try: " + right + " of " + answered + " answered, " +
      this.questions.length + " in all.";
    this.again.hidden = answered === 0;
  };

  Quiz.prototype.restart = function () {
    keep(this.key, null);
    this.questions.forEach(function (question) { question.clear(); });
    this.restore(null);
    this.questions[0].radios[0].focus();
  };

  document.querySelectorAll(".quiz:not([data-ready])").forEach(function (root) { new Quiz(root); });
})();
