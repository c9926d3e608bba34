// The playground: settings, a guess, buttons, drawings.
import { MOST, read, whole, write } from "./address.js";
import { canvas, drawCurves, drawFunction } from "./drawing.js";
import { LAST, PRESETS, SETTINGS, Trial, complete } from "./model.js";

const BUDGET = 12; // milliseconds of computing for each frame, where many steps are to be made at once
const REST = 500; // milliseconds between two pictures for those who want less motion

const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const button = (words, act) => make("button", { type: "button", textContent: words, onclick: act });

function chooser(name, values, change) {
  return make("select", { name, autocomplete: "off", onchange: (event) => change(name, event.target.value) },
    ...Object.entries(values).map(([value, words]) => make("option", { value, textContent: words })));
}

class Playground {
  constructor(root) {
    this.root = root;
    this.build();
    if (!this.open()) this.begin(PRESETS[root.dataset.preset]?.settings ?? {});
    addEventListener("hashchange", () => this.root.isConnected && this.open());
  }

  // Which of the playgrounds of the page this is: 1, 2, ...
  place() {
    return [...document.querySelectorAll(".playground")].indexOf(this.root) + 1;
  }

  // The state that the address names; false if it names none of this playground.
  open() {
    const linked = read(location.hash);
    if (linked?.place !== this.place()) return false;
    [this.settings, this.guess, this.skipped] = [linked.settings, linked.guess, linked.skipped];
    this.restart();
    this.go(linked.step);
    this.root.scrollIntoView();
    return true;
  }

  begin(settings) {
    [this.settings, this.guess, this.skipped] = [complete(settings), null, false];
    this.restart();
  }

  build() {
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "playground");
    this.play = button("Play", () => this.toggle());
    this.at = make("input", { type: "range", min: 0, max: LAST, autocomplete: "off" });
    this.at.oninput = () => this.go(+this.at.value, false);
    this.at.onchange = () => this.announce();
    this.at.setAttribute("aria-label", "step");
    this.status = make("p", { className: "status" });
    this.status.setAttribute("aria-live", "polite");
    this.panels = make("div", { className: "panels" });
    this.legend = make("p", { className: "legend" });
    this.curves = canvas("pieces against the step");
    this.root.replaceChildren(
      make("div", { className: "buttons" }, ...Object.values(PRESETS).map(({ title, settings }) => button(title, () => this.begin(settings)))),
      this.buildSettings(), ...this.buildGuess(),
      make("div", { className: "buttons" }, this.play, button("Step", () => this.go(this.now + 1)),
        button("Back", () => this.go(this.now - 1)), button("Reset", () => this.restart()), button("Copy link", () => this.share()), this.at),
      this.status, this.panels, make("figure", {}, this.curves, make("figcaption", {}, this.legend)));
  }

  buildSettings() {
    const all = { ...SETTINGS, beside: { label: "beside it", values: { "": "nothing", ...SETTINGS.arithmetic.values } } };
    this.choices = Object.entries(all).map(([name, { values }]) => chooser(name, values, (...to) => this.set(...to)));
    return make("details", { open: !this.root.dataset.preset }, make("summary", { textContent: "Settings" }),
      make("div", { className: "settings" }, ...this.choices.map((choice) => make("label", {}, `${all[choice.name].label} `, choice))));
  }

  buildGuess() {
    this.number = make("input", { type: "number", min: 1, max: MOST, required: true, placeholder: "pieces", autocomplete: "off" });
    this.asked = make("form", { onsubmit: (event) => { event.preventDefault(); this.commit(whole(this.number.value, 1, MOST)); } },
      make("label", {}, `Guess first: how many pieces will be left after ${LAST} steps? `, this.number),
      make("button", { textContent: "That is my guess" }), button("No guess", () => this.commit(null)));
    this.kept = make("p");
    return [this.asked, this.kept];
  }

  // Trials from the settings, at their start.
  restart() {
    this.pause();
    const { arithmetic, beside } = this.settings;
    this.trials = [arithmetic, ...(beside ? [beside] : [])].map((name) => new Trial(this.settings, name));
    [this.now, this.ended, this.problem] = [0, LAST, ""];
    for (const choice of this.choices) choice.value = this.settings[choice.name];
    this.panels.replaceChildren(...this.trials.map((trial) => {
      trial.svg = canvas(trial.name);
      trial.caption = make("figcaption");
      return make("figure", {}, trial.svg, trial.caption);
    }));
    this.show();
    this.announce();
  }

  set(name, value) {
    this.settings = complete({ ...this.settings, [name]: value });
    this.restart();
  }

  // null: no guess.
  commit(guess) {
    [this.guess, this.skipped] = [guess, guess === null];
    this.show();
    this.play.focus(); // the form, where the focus was, is gone
    if (!this.timer) this.toggle();
  }

  // Step k; at once if it is known or the next, otherwise in the frames to come.
  go(k, announced = true) {
    if (this.hurry) this.pause();
    const target = Math.max(0, Math.min(k, this.ended));
    if (target > Math.max(this.now + 1, ...this.trials.map(({ states }) => states.length))) {
      this.run(target, true);
    } else {
      this.reach(target);
      this.show();
    }
    if (announced && !this.timer) this.announce();
  }

  // The states up to step k; a run ends early where its numbers overflow.
  reach(k) {
    try {
      for (const trial of this.trials) while (trial.states.length <= k) trial.next();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.ended = Math.min(...this.trials.map(({ states }) => states.length - 1));
      this.problem = error.message;
    }
    this.now = Math.min(k, this.ended);
  }

  toggle() {
    if (this.timer) {
      this.pause();
    } else {
      if (this.now >= this.ended) this.go(0);
      this.run(LAST, calm());
    }
    this.announce();
  }

  // One step for each frame; in a hurry, as many as there is time for.
  run(goal, hurry) {
    this.pause();
    [this.goal, this.hurry, this.shown] = [goal, hurry, 0];
    this.play.textContent = "Pause";
    this.timer = requestAnimationFrame(() => this.frame());
  }

  frame() {
    if (!this.root.isConnected) return;
    const [began, goal] = [performance.now(), () => this.now >= Math.min(this.goal, this.ended)];
    do this.reach(this.now + 1); while (this.hurry && !goal() && performance.now() < began + BUDGET);
    if (goal()) this.pause();
    else this.timer = requestAnimationFrame(() => this.frame());
    if (!this.timer || !calm() || began > this.shown + REST) this.show();
    if (!this.timer) this.announce();
  }

  pause() {
    cancelAnimationFrame(this.timer);
    [this.timer, this.hurry] = [null, false];
    this.play.textContent = "Play";
  }

  show() {
    this.shown = performance.now();
    for (const trial of this.trials) {
      const { pieces, regions, bound, budget } = trial.states[this.now];
      const limits = bound === null ? "" : `; bound ${bound.toPrecision(3)}, depth budget ${budget.toPrecision(3)}`;
      trial.words = `${trial.name}: ${many(pieces, "piece")}, ${many(regions, "region")}${limits}`;
      trial.caption.textContent = trial.words;
      drawFunction(trial.svg, trial.states[this.now], `graph of the network, ${trial.words}`);
    }
    this.at.value = this.now;
    this.at.setAttribute("aria-valuetext", `step ${this.now}`);
    this.asked.hidden = Boolean(this.guess || this.skipped);
    this.kept.textContent = this.guess ? `Your guess: ${many(this.guess, "piece")} after ${LAST} steps.` : "";
    this.plot();
  }

  // The curves; hidden until a guess is made or refused, and then only as far as the run has come.
  plot() {
    const drawn = this.guess || this.skipped ? this.now + 1 : 1;
    const [main, other] = this.trials.map(({ states }) => states.slice(0, drawn));
    const curve = (kind, states, name) => ({ kind, values: states.map((state) => state[name]) });
    const curves = [curve("pieces", main, "pieces"), ...(other ? [curve("beside", other, "pieces")] : [curve("regions", main, "regions")]),
      ...(this.trials[0].delta ? [curve("bound", main, "bound"), curve("budget", main, "budget")] : [])];
    const names = { pieces: other ? `pieces, ${this.trials[0].name}` : "pieces", beside: `pieces, ${this.trials[1]?.name}`,
      regions: "regions", bound: "bound of the theorem", budget: "depth budget" };
    this.legend.replaceChildren(...curves.map(({ kind }) => make("span", { className: kind, textContent: names[kind] })),
      ...(this.guess ? [make("span", { className: "guess", textContent: "your guess" })] : []));
    drawCurves(this.curves, curves, { last: LAST, now: this.now, guess: this.guess }, `pieces against the step; ${this.summary()}`);
  }

  summary() {
    return `step ${this.now}: ${this.trials.map(({ words }) => words).join("; ")}`;
  }

  // Not while it plays: a screen reader would be told of every step.
  announce() {
    const stopped = this.problem && this.now === this.ended;
    this.status.textContent = stopped ? `${this.problem}. The run ends after step ${this.now}.` : `At ${this.summary()}.`;
  }

  share() {
    const { settings, guess, skipped, now } = this;
    history.replaceState(null, "", write({ place: this.place(), settings, guess, skipped, step: now }));
    const done = () => { this.status.textContent = "The address of this page now holds the whole state; it has been copied."; };
    navigator.clipboard?.writeText(location.href).then(done, () => this.byHand()) ?? this.byHand();
  }

  byHand() {
    this.status.textContent = "The address of this page now holds the whole state: copy it from there.";
  }
}

// A page may hold this script several times; a page that was saved while it was open is built anew.
export function mount() {
  for (const root of document.querySelectorAll(".playground")) root.instance ??= new Playground(root);
}
