// The playground: settings, a guess, buttons, drawings.  Its whole state stands in the address, behind #play?
import { canvas, drawCurves, drawFunction } from "./drawing.js";
import { PRESETS, SETTINGS, Trial, complete } from "./model.js";

const LAST = 200; // steps of a run
const BUDGET = 12; // milliseconds of computing for each frame
const MARK = "#play?";

const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function chooser(name, { label, values }, value, change) {
  const select = make("select", { name, onchange: () => change(name, select.value) },
    ...Object.entries(values).map(([v, words]) => make("option", { value: v, textContent: words, selected: v === value })));
  return make("label", {}, `${label} `, select);
}

class Playground {
  constructor(root) {
    this.root = root;
    const linked = location.hash.startsWith(MARK) && document.querySelector(".playground") === root;
    const search = new URLSearchParams(linked ? location.hash.slice(MARK.length) : "");
    this.settings = complete(linked ? Object.fromEntries(search) : PRESETS[root.dataset.preset]?.settings ?? {});
    this.guess = Number(search.get("guess")) || null;
    this.build();
    this.restart(Number(search.get("step")) || 0);
  }

  build() {
    const button = (words, act) => make("button", { type: "button", textContent: words, onclick: act });
    this.play = button("Play", () => this.toggle());
    this.copy = button("Copy link", () => this.share());
    this.at = make("input", { type: "range", min: 0, max: LAST, oninput: () => this.go(+this.at.value) });
    this.at.setAttribute("aria-label", "step");
    this.number = make("input", { type: "number", min: 1, max: 20000, placeholder: "pieces" });
    this.asked = make("form", { onsubmit: (event) => { event.preventDefault(); this.commit(); } },
      make("label", {}, `Guess first: how many pieces will be left after ${LAST} steps? `, this.number),
      make("button", { textContent: "That is my guess" }), button("No guess", () => this.commit(true)));
    this.kept = make("p");
    this.status = make("p", { className: "status" });
    this.status.setAttribute("aria-live", "polite");
    this.controls = make("div", { className: "settings" });
    this.panels = make("div", { className: "panels" });
    this.legend = make("p", { className: "legend" });
    this.curves = canvas("pieces against the step");
    const presets = Object.values(PRESETS).map(({ title, settings }) => button(title, () => {
      this.settings = complete(settings);
      this.guess = null;
      this.restart();
    }));
    const settings = make("details", { open: !this.root.dataset.preset }, make("summary", { textContent: "Settings" }), this.controls);
    this.root.replaceChildren(make("div", { className: "buttons" }, ...presets), settings, this.asked, this.kept,
      make("div", { className: "buttons" }, this.play, button("Step", () => this.go(this.now + 1)),
        button("Back", () => this.go(this.now - 1)), button("Reset", () => this.restart()), this.copy, this.at),
      this.status, this.panels, make("figure", {}, this.curves, make("figcaption", {}, this.legend)));
  }

  // Trials from the settings, with the first steps made; a run may end early where its numbers overflow.
  restart(step = 0) {
    this.pause();
    const { arithmetic, beside } = this.settings;
    this.trials = [arithmetic, ...(beside ? [beside] : [])].map((name) => new Trial(this.settings, name));
    this.now = 0;
    this.ended = LAST;
    this.controls.replaceChildren(...Object.entries(SETTINGS).map(([name, setting]) => chooser(name, setting, this.settings[name], (...to) => this.set(...to))),
      chooser("beside", { label: "beside it", values: { "": "nothing", ...SETTINGS.arithmetic.values } }, beside, (...to) => this.set(...to)));
    this.panels.replaceChildren(...this.trials.map((trial) => {
      trial.svg = canvas(trial.name);
      trial.caption = make("figcaption");
      return make("figure", {}, trial.svg, trial.caption);
    }));
    this.go(Math.min(step, LAST));
  }

  set(name, value) {
    this.settings = complete({ ...this.settings, [name]: value });
    this.restart();
    this.controls.querySelector(`[name=${name}]`).focus();
  }

  commit(none = false) {
    this.guess = none ? null : Math.max(1, Math.round(Number(this.number.value))) || null;
    this.skipped = none;
    this.show();
    if (none || this.guess) this.toggle();
  }

  // Step k, computed where it is not known yet.
  go(k) {
    const target = Math.max(0, Math.min(k, this.ended));
    try {
      for (const trial of this.trials) while (trial.states.length <= target) trial.next();
      this.now = target;
      this.show();
    } catch (error) {
      this.ended = Math.min(...this.trials.map((trial) => trial.states.length - 1));
      this.pause();
      this.now = this.ended;
      this.show(error.message);
    }
  }

  toggle() {
    if (this.timer) {
      this.pause();
    } else {
      if (this.now >= this.ended) this.go(0);
      this.play.textContent = "Pause";
      this.timer = requestAnimationFrame(() => this.frame());
    }
    this.announce();
  }

  frame() {
    const until = performance.now() + BUDGET;
    do this.go(this.now + 1); while (this.timer && this.now < this.ended && performance.now() < until && document.hidden);
    if (this.timer) this.timer = this.now < this.ended ? requestAnimationFrame(() => this.frame()) : this.pause();
    if (!this.timer) this.announce();
  }

  pause() {
    if (this.timer) cancelAnimationFrame(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  show(problem = "") {
    for (const trial of this.trials) {
      const { pieces, regions, bound, budget } = trial.states[this.now];
      const limits = bound === null ? "" : `; bound ${bound.toPrecision(3)}, depth budget ${budget.toPrecision(3)}`;
      trial.words = `${trial.name}: ${many(pieces, "piece")}, ${many(regions, "region")}${limits}`;
      trial.caption.textContent = trial.words;
      drawFunction(trial.svg, trial.states[this.now], `graph of the network, ${trial.words}`);
    }
    this.at.value = this.now;
    this.at.setAttribute("aria-valuetext", `step ${this.now}`);
    this.problem = problem;
    this.asked.hidden = Boolean(this.guess || this.skipped);
    this.kept.textContent = this.guess ? `Your guess: ${this.guess} pieces after ${LAST} steps.` : "";
    this.plot();
    if (!this.timer) this.announce();
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

  announce() {
    this.status.textContent = this.problem ? `${this.problem}. The run ends after step ${this.now}.` : `At ${this.summary()}.`;
  }

  share() {
    const chosen = new URLSearchParams({ ...this.settings, step: this.now, ...(this.guess ? { guess: this.guess } : {}) });
    history.replaceState(null, "", `${MARK}${chosen}`);
    const done = () => { this.status.textContent = "The address of this page now holds the whole state; it has been copied."; };
    navigator.clipboard?.writeText(location.href).then(done, () => this.byHand()) ?? this.byHand();
  }

  byHand() {
    this.status.textContent = "The address of this page now holds the whole state: copy it from there.";
  }
}

export function mount() {
  for (const root of document.querySelectorAll(".playground:not([data-ready])")) {
    root.dataset.ready = "";
    root.instance = new Playground(root);
  }
}
