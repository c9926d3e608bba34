// From settings to a run: where it starts, what it learns, and one state after the other.
import { format, generator, rounding } from "./arithmetic.js";
import { dataDriven, depthBudget } from "./bounds.js";
import { count } from "./pieces.js";
import { forward, step } from "./training.js";

export const POINTS = 32;
export const LAST = 200; // steps of a run

// Every setting: its label, its values with their names, and the value at the beginning.
export const SETTINGS = {
  start: { label: "start", values: { gentle: "gentle sawtooth", steep: "steep sawtooth", random: "random network" } },
  depth: { label: "hidden layers", values: Object.fromEntries([2, 3, 4, 5, 6, 8, 10].map((n) => [n, `${n}`])) },
  width: { label: "neurons in a layer (random network)", values: { 2: "2", 4: "4", 8: "8", 16: "16" } },
  target: {
    label: "labels",
    values: { own: "values of the start", square: "x²", kink: "|x − 1/2|", sine: "sin 2πx" },
  },
  noise: { label: "noise of the labels", values: { 0: "none", 0.01: "0.01", 0.1: "0.1" } },
  rate: { label: "learning rate", values: Object.fromEntries([-12, -10, -8, -6, -4].map((k) => [k, `2^${k}`])) },
  arithmetic: {
    label: "arithmetic",
    values: {
      float64: "float64", float32: "float32", bfloat16: "bfloat16", float16: "float16", 6: "6 bits", 4: "4 bits", 3: "3 bits",
    },
  },
  rounding: { label: "rounding", values: { nearest: "to nearest", stochastic: "stochastic" } },
  delta: { label: "noise of the updates δ", values: { 0: "none", 0.1: "0.1", 1: "1", 10: "10" } },
  seed: { label: "random numbers", values: Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n, `seed ${n}`])) },
};

export const PRESETS = {
  collapse: {
    title: "The pieces collapse",
    settings: { start: "gentle", depth: 10, target: "own", noise: 0.1, rate: -8, delta: 1 },
  },
  stay: {
    title: "The pieces stay: why?",
    settings: { start: "gentle", depth: 10, target: "own", noise: 0, rate: -8, delta: 1 },
  },
  chance: {
    title: "A start by chance",
    settings: { start: "random", depth: 8, width: 8, target: "square", noise: 0, rate: -6 },
  },
  pair: {
    title: "Same start, two arithmetics",
    settings: { start: "gentle", depth: 10, target: "own", noise: 0.1, rate: -8, delta: 0, arithmetic: 3, beside: "float64", seed: 4 },
  },
};

const USUAL = {
  start: "gentle", depth: 8, width: 8, target: "own", noise: 0.1, rate: -8, arithmetic: "float64", rounding: "nearest",
  delta: 0, seed: 0, beside: "",
};

// All settings as strings; what is missing or unknown has its usual value.
export function complete(settings) {
  return Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => {
    const value = String(settings[name] ?? usual);
    const known = name === "beside" ? value === "" || Object.hasOwn(SETTINGS.arithmetic.values, value)
      : Object.hasOwn(SETTINGS[name].values, value);
    return [name, known ? value : String(usual)];
  }));
}

function layer(rows, columns, weight, bias) {
  return {
    rows, columns,
    weights: Float64Array.from({ length: rows * columns }, weight),
    biases: Float64Array.from({ length: rows }, bias),
  };
}

// Weights of variance 2 / inputs (He et al. 2015), biases of standard deviation 0.1.
export function heRandom(depth, width, random) {
  const widths = [1, ...Array(depth).fill(width), 1];
  return widths.slice(1).map((rows, j) => layer(rows, widths[j], () => random.normal() * Math.sqrt(2 / widths[j]),
    () => 0.1 * random.normal()));
}

// 2^n teeth on [0, 1] from n layers of two neurons (Telgarsky 2015); the gentle one has small teeth and small slopes.
export function sawtooth(n, peak, gentle) {
  const [up, turn, half] = [1 / peak, -(1 / peak + 1 / (1 - peak)), gentle ? 0.5 : 1];
  const inner = Array.from({ length: n - 1 }, (_, j) => layer(2, 2, (__, i) => [up, turn][i % 2] * half,
    (__, i) => [0, -peak * half ** (j + 1)][i]));
  return [layer(2, 1, () => 1, (_, i) => [0, -peak][i]), ...inner, layer(1, 2, (_, i) => [up, turn][i], () => 0)];
}

function beginning({ start, depth, width }, random) {
  return start === "random" ? heRandom(+depth, +width, random) : sawtooth(+depth, 0.4, start === "gentle");
}

const TARGETS = { square: (x) => x * x, kink: (x) => Math.abs(x - 0.5), sine: (x) => Math.sin(2 * Math.PI * x) };
const exactly = (x) => x;

// A run of these settings in one arithmetic: states[k] after step k, and next() to make the next one.
export class Trial {
  constructor(settings, arithmetic) {
    const random = generator(+settings.seed + 1);
    const fmt = format(arithmetic);
    const net = beginning(settings, random);
    const x = Float64Array.from({ length: POINTS }, random.uniform);
    const values = settings.target === "own" ? forward(net, x, exactly).output : x.map(TARGETS[settings.target]);
    const y = values.map((v) => v + settings.noise * random.normal());
    this.nearest = rounding(fmt);
    this.round = settings.rounding === "stochastic" ? rounding(fmt, random.uniform) : this.nearest;
    [this.x, this.y, this.rate, this.delta] = [x.map(this.nearest), y.map(this.nearest), 2 ** settings.rate, +settings.delta];
    this.noise = this.delta ? (u) => u * (1 + this.delta * (2 * random.uniform() - 1)) : exactly;
    this.name = SETTINGS.arithmetic.values[arithmetic];
    const rounded = net.map((l) => ({ ...l, weights: l.weights.map(this.nearest), biases: l.biases.map(this.nearest) }));
    this.states = [this.state(rounded)];
  }

  // Counts and bounds of a network; updates: of the step that led to it.
  state(net, updates = null) {
    const { pieces, regions, breakpoints, kinks, variations, changes } = count(net);
    const values = forward(net, Float64Array.from(breakpoints), exactly).output;
    if (!Number.isFinite(Math.max(...values) - Math.min(...values))) {
      throw new RangeError("a value of the network is too large: the training has diverged");
    }
    const noisy = updates && this.delta > 0;
    return {
      net, pieces, regions, breakpoints, kinks, values,
      bound: noisy ? dataDriven(variations, changes, updates, this.delta) : null,
      budget: noisy ? depthBudget(variations, changes, updates, this.delta) : null,
    };
  }

  next() {
    const { net, updates } = step(this.states.at(-1).net, this.x, this.y, this.rate, this.round, this.noise, this.nearest);
    this.states.push(this.state(net, updates));
  }
}
