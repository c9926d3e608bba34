// The exact number of affine pieces and activation regions of a network on [0, 1].
//
// A float64 is an integer times a power of two.  So on each region every neuron is (A t + B) 2^e with BigInts A and B
// and one e for each layer, and its zero is the quotient -B / A: signs and comparisons need no rounding anywhere.

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

// x = integer * 2^exponent; the integer is odd, or 0.
function dyadic(x) {
  if (!Number.isFinite(x)) throw new RangeError(`a parameter is ${x}: the training has diverged`);
  if (x === 0) return { integer: 0n, exponent: Infinity };
  float[0] = x;
  const biased = Number((bits[0] >> 52n) & 0x7ffn);
  let integer = (bits[0] & 0xfffffffffffffn) | (biased ? 0x10000000000000n : 0n);
  let exponent = Math.max(biased, 1) - 1075;
  while (!(integer & 1n)) {
    integer >>= 1n;
    exponent += 1;
  }
  return { integer: x < 0 ? -integer : integer, exponent };
}

const scaled = ({ integer, exponent }, to) => (integer ? integer << BigInt(exponent - to) : 0n);
const lowest = (numbers) => Math.min(0, ...numbers.map((v) => v.exponent));

// Weights and biases of a layer as integers: z = (weights x 2^-below... + biases) 2^exponent, for x = integers 2^below.
function integers({ weights, biases, columns }, below) {
  const w = Array.from(weights, dyadic);
  const b = Array.from(biases, dyadic);
  const unit = lowest(w);
  const exponent = Math.min(unit + below, lowest(b));
  const shift = BigInt(unit + below - exponent);
  const rows = b.map((bias, k) => ({
    inputs: w.slice(k * columns, (k + 1) * columns).map((v) => scaled(v, unit) << shift),
    bias: scaled(bias, exponent),
  }));
  return { rows, exponent };
}

const sign = (v) => (v > 0n) - (v < 0n);
const less = (p, q) => sign(p.n * q.d - q.n * p.d); // compares the fractions n / d, d > 0
const at = ({ a, b }, p) => sign(a * p.n + b * p.d);
const zeroOf = ({ a, b }) => (a > 0n ? { n: -b, d: a } : { n: b, d: -a });

// The regions that a layer makes of one region; z: its neurons there.
function split(region, z) {
  const { left, right } = region;
  const ends = z.map((f) => [at(f, left), at(f, right)]);
  const crossed = z.flatMap((f, k) => (ends[k][0] * ends[k][1] < 0 ? [{ k, zero: zeroOf(f) }] : []));
  crossed.sort((p, q) => less(p.zero, q.zero));
  const active = ends.map(([l, r], k) => (l * r < 0 ? l > 0 : l > 0 || r > 0));
  const out = [];
  const close = (from, to) => out.push({
    left: from, right: to, active: [...active], x: z.map((f, k) => (active[k] ? f : { a: 0n, b: 0n })),
  });
  let from = left;
  crossed.forEach(({ k, zero }, i) => {
    if (i === 0 || less(crossed[i - 1].zero, zero) < 0) {
      close(from, zero);
      from = zero;
    }
    active[k] = !active[k];
  });
  close(from, right);
  return out;
}

function apply(rows, x) {
  return rows.map(({ inputs, bias }) => {
    let [a, b] = [0n, bias];
    inputs.forEach((w, i) => {
      if (!w) return;
      a += w * x[i].a;
      b += w * x[i].b;
    });
    return { a, b };
  });
}

// n / d as a float64, right up to a few last bits.
export function quotient(n, d) {
  const size = (v) => (v < 0n ? -v : v).toString(16).length * 4;
  const shift = size(d) - size(n) + 64;
  const q = shift >= 0 ? (n << BigInt(shift)) / d : n / (d << BigInt(-shift));
  return Number(q) * 2 ** -shift;
}

// What the network is on [0, 1]: { pieces, regions, breakpoints, kinks, variations, changes }.
//   breakpoints: 0, the boundaries of the regions, 1;  kinks: for each inner boundary, whether the output bends there;
//   variations: layer by layer, for each hidden neuron, the total variation of its preactivation;
//   changes: likewise, at how many inner points it becomes active or inactive.
// More than `limit` regions are refused: the page would stand still.
export function count(net, limit = 20000) {
  let regions = [{ left: { n: 0n, d: 1n }, right: { n: 1n, d: 1n }, x: [{ a: 1n, b: 0n }] }];
  let exponent = 0;
  const variations = [];
  const changes = [];
  net.forEach((layer, j) => {
    const made = integers(layer, exponent);
    exponent = made.exponent;
    const pre = regions.map((region) => apply(made.rows, region.x));
    if (j === net.length - 1) {
      regions.forEach((region, i) => { region.x = pre[i]; });
      return;
    }
    variations.push(variation(regions, pre, exponent));
    regions = regions.flatMap((region, i) => split(region, pre[i]));
    changes.push(pre[0].map((_, k) => regions.slice(1).filter((r, i) => r.active[k] !== regions[i].active[k]).length));
    if (regions.length > limit) throw new RangeError(`more than ${limit} regions: take fewer layers or neurons`);
  });
  const inner = regions.slice(1);
  const kinks = inner.map((region, i) => region.x.some((f, k) => f.a !== regions[i].x[k].a));
  const breakpoints = [0, ...inner.map(({ left }) => quotient(left.n, left.d)), 1];
  return { pieces: 1 + kinks.filter(Boolean).length, regions: regions.length, breakpoints, kinks, variations, changes };
}

function variation(regions, pre, exponent) {
  const [up, down] = [BigInt(Math.max(exponent, 0)), 1n << BigInt(Math.max(-exponent, 0))];
  const lengths = regions.map(({ left, right }) => quotient(right.n * left.d - left.n * right.d, left.d * right.d));
  return pre[0].map((_, k) => pre.reduce((sum, z, i) => {
    const a = z[k].a < 0n ? -z[k].a : z[k].a;
    return sum + (a ? quotient(a << up, down) : 0) * lengths[i];
  }, 0));
}
