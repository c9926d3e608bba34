// Trains and counts in JavaScript what Python asks for: JSON lines in, one JSON line out for each.
// Parameters go as the 16 hexadecimal digits of each float64.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(process.argv[2] + "/");
const { format, generator, rounding } = await import(new URL("arithmetic.js", folder));
const { step } = await import(new URL("training.js", folder));
const { count } = await import(new URL("pieces.js", folder));
const { dataDriven, depthBudget } = await import(new URL("bounds.js", folder));
const { Trial, sawtooth } = await import(new URL("model.js", folder));
const { read, write } = await import(new URL("address.js", folder));

const view = new DataView(new ArrayBuffer(8));

function numbers(hex) {
  return Float64Array.from(hex.match(/.{16}/g) ?? [], (digits) => {
    view.setBigUint64(0, BigInt(`0x${digits}`));
    return view.getFloat64(0);
  });
}

function hex(values) {
  return Array.from(values, (v) => {
    view.setFloat64(0, v);
    return view.getBigUint64(0).toString(16).padStart(16, "0");
  }).join("");
}

const network = ({ widths, weights, biases }) => weights.map((w, j) => ({
  rows: widths[j + 1], columns: widths[j], weights: numbers(w), biases: numbers(biases[j]),
}));

// All steps with the counts of each network; ends before a parameter that is not finite.
function trained({ net, x, y, rate, fmt, steps }) {
  const round = rounding(format(fmt));
  const [points, labels] = [numbers(x), numbers(y)];
  let now = network(net);
  const counts = [counted(now)];
  for (let k = 0; k < steps; k++) {
    const { net: next } = step(now, points, labels, rate, round);
    if (!next.every(({ weights, biases }) => [...weights, ...biases].every(Number.isFinite))) break;
    now = next;
    counts.push(counted(now));
  }
  return { counts, weights: now.map((layer) => hex(layer.weights)), biases: now.map((layer) => hex(layer.biases)) };
}

function counted(net) {
  const { pieces, regions } = count(net);
  return { pieces, regions };
}

function rounded({ x, fmt, seed }) {
  const random = seed === undefined ? null : generator(seed).uniform;
  return { x: hex(numbers(x).map(rounding(format(fmt), random))) };
}

function bounded({ net, updates, delta }) {
  const { variations, changes } = count(network(net));
  return { bound: dataDriven(variations, changes, updates, delta), budget: depthBudget(variations, changes, updates, delta) };
}

function constructed({ n, peak, gentle }) {
  const net = sawtooth(n, peak, gentle);
  return { weights: net.map((layer) => hex(layer.weights)), biases: net.map((layer) => hex(layer.biases)) };
}

// What is wrong with this network as a state of a run; "" if nothing is.
function refused({ net }) {
  try {
    Trial.prototype.state.call({ delta: 0 }, network(net));
    return "";
  } catch (error) {
    return error.message;
  }
}

const tasks = { bounded, constructed, trained, refused, rounded,
  counted: ({ net }) => count(network(net)), opened: ({ hash }) => read(hash), shared: ({ state }) => write(state) };
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify(tasks[asked.task](asked)));
}
