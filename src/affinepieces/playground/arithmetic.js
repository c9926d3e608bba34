// Numbers of a floating-point format, held in float64, and the rounding of results to it.
//
// A format has t <= 26 significand bits and exponents emin to emax, or it is float64 itself.  Sums, products and
// quotients of its numbers are formed in float64 and rounded once more, which changes nothing (Figueroa 1995).

export const FORMATS = {
  float64: { bits: 53, emin: -1022, emax: 1023 },
  float32: { bits: 24, emin: -126, emax: 127 },
  float16: { bits: 11, emin: -14, emax: 15 },
  bfloat16: { bits: 8, emin: -126, emax: 127 },
};

// "bfloat16", or "6" for six bits with the exponents of float32.
export function format(name) {
  const bits = Number(name);
  const found = FORMATS[name] ?? { bits, emin: -126, emax: 127 };
  if (!FORMATS[name] && !(Number.isInteger(bits) && bits >= 2 && bits <= 26)) {
    throw new RangeError(`format is ${name}, expected ${Object.keys(FORMATS).join(", ")}, or 2 to 26 bits`);
  }
  return { name, ...found, largest: (2 - 2 ** (1 - found.bits)) * 2 ** found.emax };
}

const float = new Float64Array(1);
const words = new Int32Array(float.buffer); // words[1]: sign, exponent, first bits (little endian)

// The exponent e of the spacing 2^e of the format around x.
function spacing(x, { bits, emin }) {
  float[0] = x;
  return Math.max(((words[1] >>> 20) & 0x7ff) - 1023, emin) - bits + 1;
}

// 2^e, for -1022 <= e <= 1023.
function power(e) {
  words[0] = 0;
  words[1] = (e + 1023) << 20;
  return float[0];
}

// x to the nearest number of the format, ties to even: adding 1.5 * 2^52 spacings makes float64 round to one spacing.
function nearest(x, fmt) {
  if (!Number.isFinite(x)) return x;
  const big = 1.5 * power(spacing(x, fmt) + 52);
  const y = x + big - big;
  if (Math.abs(y) > fmt.largest) return y * Infinity;
  return y === 0 ? x * 0 : y; // zero keeps its sign
}

// One of the two neighbours of x, the upper one with the probability that makes the result right on average.
function stochastic(x, fmt, random) {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = power(spacing(x, fmt));
  const exact = Math.abs(x) / unit;
  const below = Math.floor(exact);
  const y = (exact === below ? below : below + (random() < exact - below)) * unit;
  return Math.sign(x) * (y > fmt.largest ? Infinity : y);
}

// The function that rounds a result; random is needed for stochastic rounding: numbers uniform on [0, 1).
export function rounding(fmt, random = null) {
  if (fmt.name === "float64") return (x) => x;
  if (random) return (x) => stochastic(x, fmt, random);
  return fmt.name === "float32" ? Math.fround : (x) => nearest(x, fmt);
}

// Random numbers: uniform on [0, 1) with 53 bits, from a seed (sfc32 of Doty-Humphrey), and normal ones (Box, Muller).
export function generator(seed) {
  let [a, b, c, d] = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  const uniform = () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
