// The listening test: blind trials in an order drawn from a seed; answers become a JSON file.
"use strict";
(function () {
  const design = JSON.parse(document.getElementById("design").textContent);
  const part = (name) => document.getElementById(name);
  const asked = new URLSearchParams(location.search);
  const LETTERS = "ABCDEFGHIJKLMNOPQSTUVWXYZ"; // Without R, the key of the open reference.
  const SCALE = ["bad", "poor", "fair", "good", "excellent"];

  // --- Chance: the same seed, test and kind give the same trials in every browser.

  function hash(text) {
    // FNV-1a, 32 bits.
    let value = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
    return value >>> 0;
  }

  function randomFrom(seed) {
    // xorshift32; its state is never zero.
    let state = hash(seed) || 1;
    return function (count) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return Math.floor(((state >>> 0) / 2 ** 32) * count);
    };
  }

  function shuffled(list, random) {
    const result = list.slice();
    for (let k = result.length - 1; k > 0; k--) {
      const other = random(k + 1);
      [result[k], result[other]] = [result[other], result[k]];
    }
    return result;
  }

  // --- Trials. Sounds of an item: 0 the reference, then the codecs, last low and mid anchor.

  function conditions() {
    const anchors = design.mid_anchor ? ["anchor", "mid-anchor"] : ["anchor"];
    return ["reference", ...design.codecs.map((codec) => codec.spec), ...anchors];
  }

  function mushraTrials(random) {
    const all = conditions().map((name, sound) => ({ name, sound }));
    return shuffled(design.items, random).map((item) => ({ item, shown: shuffled(all, random) }));
  }

  // Every codec is asked about equally often, on utterances in turn.
  function abxTrials(repeats, random) {
    const trials = [];
    design.codecs.forEach(function (codec, place) {
      const items = shuffled(design.items, random);
      for (let k = 0; k < repeats; k++) {
        const pair = [{ name: "reference", sound: 0 }, { name: codec.spec, sound: place + 1 }];
        const [a, b] = random(2) ? pair : pair.slice().reverse();
        trials.push({ item: items[k % items.length], codec: codec.spec, a, b, x: random(2) ? "a" : "b" });
      }
    });
    return shuffled(trials, random);
  }

  // --- The test.

  const test = { kind: "mushra", trials: [], place: 0, answers: [], player: null, view: null };

  function show(name) {
    for (const section of ["start", "trial", "end"]) part(section).hidden = section !== name;
  }

  function begin(event) {
    event.preventDefault();
    const form = new FormData(part("begin"));
    test.kind = form.get("kind");
    test.listener = form.get("listener").trim();
    test.seed = form.get("seed").trim();
    const random = randomFrom([test.seed, design.test, test.kind].join("\n"));
    test.trials = test.kind === "abx" ? abxTrials(Number(form.get("repeats")), random) : mushraTrials(random);
    test.started = new Date().toISOString();
    window.addEventListener("beforeunload", warn);
    show("trial");
    next();
  }

  function warn(event) {
    event.preventDefault();
  }

  async function next() {
    if (test.player) test.player.stop();
    test.player = test.view = null;
    if (test.place === test.trials.length) return finish();
    const trial = test.trials[test.place];
    const nextButton = part("next");
    nextButton.disabled = true;
    part("trial-title").textContent = `Trial ${test.place + 1} of ${test.trials.length}`;
    part("trial-title").focus();
    part("sounds").replaceChildren();
    part("says").textContent = "Loading …";
    try {
      const buffers = await codecbenchSound.load(trial.item.script);
      test.player = new codecbenchSound.Player(buffers);
    } catch (error) {
      part("says").textContent = `This trial cannot be played: ${error.message}.`;
      return;
    }
    test.player.setLoop(part("loop").checked);
    test.player.onended = marked;
    test.view = test.kind === "abx" ? abxView(trial) : mushraView(trial);
    test.shownAt = performance.now();
    part("says").textContent = "";
    update();
  }

  function marked() {
    const heard = test.view && test.view.heard;
    for (const button of part("sounds").querySelectorAll("[aria-pressed]"))
      button.setAttribute("aria-pressed", String(test.player.heard !== null && button.dataset.name === heard));
  }

  async function play(name) {
    const view = test.view;
    if (!view) return;
    view.heard = name;
    view.plays[name] = (view.plays[name] || 0) + 1;
    onlyHeard(name);
    await test.player.play(view.sounds[name]);
    marked();
    update();
  }

  function update() {
    const lacking = test.view ? test.view.lacking() : "";
    part("next").disabled = !test.view || lacking !== "";
    part("says").textContent = lacking;
  }

  function advance() {
    if (part("next").disabled) return;
    const seconds = Math.round((performance.now() - test.shownAt) / 100) / 10;
    const { corpus, split, utterance } = test.trials[test.place].item;
    test.answers.push({ item: { corpus, split, utterance }, seconds, ...test.view.answer() });
    test.place += 1;
    next();
  }

  function playButton(parent, name, text, key) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.name = name;
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `Play ${text}`);
    const hint = document.createElement("kbd");
    hint.textContent = key;
    button.append(`${text} `, hint);
    button.addEventListener("click", () => play(name));
    parent.append(button);
    return button;
  }

  function box(parent, kind) {
    const element = document.createElement("div");
    element.className = kind;
    parent.append(element);
    return element;
  }

  // --- A/B/X.

  function abxView(trial) {
    part("question").textContent = "X is either A or B. Which is it?";
    part("keys").textContent = "Keys: a, b and x play, 1 answers that X is A, 2 that X is B.";
    const sounds = part("sounds");
    sounds.className = "sounds";
    const view = { plays: {}, heard: null, choice: null };
    view.sounds = { a: trial.a.sound, b: trial.b.sound, x: trial[trial.x].sound };
    for (const name of ["a", "b", "x"]) playButton(box(sounds, "sound"), name, name.toUpperCase(), name);
    const answers = document.createElement("fieldset");
    answers.innerHTML = "<legend>Your answer</legend>";
    for (const name of ["a", "b"]) {
      const label = answers.appendChild(document.createElement("label"));
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "choice", value: name });
      input.addEventListener("change", () => choose(view, name));
      const hint = document.createElement("kbd");
      hint.textContent = name === "a" ? "1" : "2";
      label.append(input, ` X is ${name.toUpperCase()} `, hint, " ");
    }
    sounds.append(answers);
    view.keys = { a: () => play("a"), b: () => play("b"), x: () => play("x"),
                  1: () => choose(view, "a"), 2: () => choose(view, "b") };
    view.lacking = function () {
      if (!view.plays.a || !view.plays.b || !view.plays.x) return "Listen to A, B and X.";
      return view.choice ? "" : "Choose an answer.";
    };
    view.answer = () => ({ codec: trial.codec, a: trial.a.name, b: trial.b.name, x: trial.x,
                           answer: view.choice, plays: view.plays });
    return view;
  }

  function choose(view, name) {
    view.choice = name;
    part("sounds").querySelector(`input[value="${name}"]`).checked = true;
    update();
  }

  // --- MUSHRA.

  function mushraView(trial) {
    part("question").textContent =
      "Rate the quality of each sound beside the reference, from 0 to 100. One of them is the reference itself: give it 100.";
    part("keys").textContent =
      "Only the sound that you hear can be rated. Keys: r plays the reference, a letter plays that sound, arrow keys move its slider.";
    const sounds = part("sounds");
    sounds.className = "scale";
    const view = { plays: {}, heard: null, scores: {}, moved: {}, sounds: { r: 0 }, keys: {} };
    const first = box(sounds, "sound");
    playButton(first, "r", "Reference", "r");
    const words = box(first, "words");
    for (const word of SCALE) words.append(Object.assign(document.createElement("span"), { textContent: word }));
    view.keys.r = () => play("r");
    trial.shown.forEach((condition, place) => slider(view, sounds, LETTERS[place], condition));
    view.lacking = function () {
      const names = trial.shown.map((_, place) => LETTERS[place].toLowerCase());
      const unheard = names.filter((name) => !view.plays[name]).map((name) => name.toUpperCase());
      if (!view.plays.r) unheard.unshift("the reference");
      if (unheard.length) return `Not heard yet: ${unheard.join(", ")}.`;
      const unrated = names.filter((name) => !view.moved[name]).map((name) => name.toUpperCase());
      return unrated.length ? `Not rated yet: ${unrated.join(", ")}.` : "";
    };
    view.answer = () => ({
      ratings: trial.shown.map(function (condition, place) {
        const name = LETTERS[place].toLowerCase();
        return { condition: condition.name, shown: LETTERS[place], score: view.scores[name], plays: view.plays[name] };
      }),
    });
    return view;
  }

  // Only the sound that is heard, or was heard last, can be rated (BS.1534-3).
  function onlyHeard(name) {
    for (const input of part("sounds").querySelectorAll("[data-slider]")) {
      input.disabled = input.dataset.slider !== name;
      // A disabled control that keeps the focus would swallow the keys.
      if (input.disabled && input === document.activeElement) input.blur();
    }
  }

  function slider(view, parent, letter, condition) {
    const name = letter.toLowerCase();
    const row = box(parent, "sound");
    playButton(row, name, letter, name);
    const holder = box(row, "slider");
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: "0", max: "100", step: "1", value: "50", disabled: true });
    input.setAttribute("aria-label", `Quality of ${letter}`);
    input.dataset.slider = name;
    const output = document.createElement("output");
    output.textContent = "–";
    const rated = function () {
      view.moved[name] = true;
      view.scores[name] = Number(input.value);
      output.textContent = input.value;
      update();
    };
    // A click that leaves the slider at 50 is a rating too.
    for (const kind of ["input", "change", "click"]) input.addEventListener(kind, rated);
    holder.append(input, output);
    view.sounds[name] = condition.sound;
    view.keys[name] = function () {
      play(name);
      input.focus();
    };
  }

  // --- The end.

  function finish() {
    const document_ = {
      kind: test.kind, format: design.format, test: design.test, run: design.run,
      codecs: Object.fromEntries(design.codecs.map((codec) => [codec.spec, codec.label])),
      anchor: design.anchor, mid_anchor: design.mid_anchor, listener: test.listener, seed: test.seed,
      started: test.started, finished: new Date().toISOString(), trials: test.answers,
    };
    const text = JSON.stringify(document_, null, 1);
    show("end");
    part("end-title").focus();
    part("answers").value = text;
    const save = part("save");
    save.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const safe = test.listener.replace(/[^A-Za-z0-9-]+/g, "_").slice(0, 40) || "listener";
    save.download = `answers-${test.kind}-${safe}.json`;
    save.addEventListener("click", () => window.removeEventListener("beforeunload", warn));
  }

  document.addEventListener("keydown", function (event) {
    if (!test.view || event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target.closest("button, a, input[type=checkbox], input[type=radio]");
    if (event.key === "Enter" && !isButton) return advance();
    if (event.key === " " && !isButton) {
      event.preventDefault();
      return test.player.stop();
    }
    const action = test.view.keys[event.key.toLowerCase()];
    if (action) action();
  });

  part("begin").addEventListener("submit", begin);
  part("next").addEventListener("click", advance);
  part("stop").addEventListener("click", () => test.player && test.player.stop());
  part("loop").addEventListener("change", () => test.player && test.player.setLoop(part("loop").checked));

  const form = part("begin");
  const abxOnly = form.querySelector(".abx-only");
  const kindChanged = () => (abxOnly.hidden = form.elements.kind.value !== "abx");
  for (const radio of form.querySelectorAll("[name=kind]")) radio.addEventListener("change", kindChanged);
  form.elements.seed.value = asked.get("seed") || String(crypto.getRandomValues(new Uint32Array(1))[0]);
  form.elements.listener.value = asked.get("listener") || "";
  if (["abx", "mushra"].includes(asked.get("kind"))) form.elements.kind.value = asked.get("kind");
  if (asked.get("repeats")) form.elements.repeats.value = asked.get("repeats");
  kindChanged();
  show("start");
})();
