// Check a certificate of affinepieces: check(text) says accepted or rejected, and why; it is check.py once more.
//
// Network, domain and patterns are read; all else is computed anew, in integers, and must be what the certificate says.
// A form [a, b, c] is a s + b t + c times a positive number; a point [x, y, w] is s = x / w, t = y / w, where w > 0.
// A segment is the strip of width 1 above it, on which no form depends on t, and is checked as a polygon.

const [NUMBER, PRIME] = ["(0|-?[1-9][0-9]*)", 2n ** 128n - 159n];
const abs = (a) => (a < 0n ? -a : a);
const gcd = (a, b) => (b ? gcd(b, a % b) : abs(a));
const same = (p, q) => { // how many characters two texts begin with alike
  let n = 0;
  while (n < p.length && p[n] === q[n]) n++;
  return n;
};
const sides = (corners) => corners.map((p, i) => [p, corners[(i + 1) % corners.length]]);
const need = (holds, reason) => { if (!holds) throw new Error(reason); };

function numbers(texts, form, name) {
  need(Array.isArray(texts) && texts.length, `${name}: expected a list that is not empty`);
  const pattern = new RegExp(`^(${form})$`);
  texts.forEach((text, i) => need(typeof text === "string" && pattern.test(text), `${name}[${i}]: expected the form ${form}`));
  return texts.map((text) => text.replace("relu ", "").split(/[ :]/).map(BigInt));
}

function layer({ bits, rows }, width, name) { // the bias is the weight of the last form, 1
  const found = numbers(rows, `(relu )?${NUMBER}( (0|[1-9][0-9]*):${NUMBER})*`, `${name}.rows`);
  need(found.every((row) => row.every((c, k) => k % 2 === 0 || c < width)), `${name}.rows: expected columns below ${width}`);
  need(Number.isInteger(bits) && bits >= 0 && bits <= 1074, `${name}.bits: expected an integer from 0 to 1074`);
  return { bits: BigInt(bits), rows: found.map((row, r) => {
    const entries = [[-1, row[0]]];
    for (let k = 1; k < row.length; k += 2) entries.push([Number(row[k]), row[k + 1]]);
    return { relu: rows[r].startsWith("relu"), entries };
  }) };
}

// Positive where r lies to the left of the line from p to q, 0 on it.
const left = (p, q, r) => r[0] * (p[1] * q[2] - p[2] * q[1]) + r[1] * (p[2] * q[0] - p[0] * q[2]) + r[2] * (p[0] * q[1] - p[1] * q[0]);

function clip(corners, [a, b, c]) { // the part of a convex polygon where the form is not negative
  const heights = corners.map(([x, y, w]) => a * x + b * y + c * w);
  const kept = [];
  sides(corners).forEach(([p, q], i) => {
    const [u, v] = [heights[i], heights[(i + 1) % heights.length]];
    if (u >= 0n) kept.push(p);
    if ((u < 0n && v > 0n) || (v < 0n && u > 0n)) {
      const cut = p.map((m, k) => abs(v) * m + abs(u) * q[k]);
      const common = cut.reduce(gcd);
      kept.push(cut.map((m) => m / common));
    }
  });
  return kept.length > 2 ? kept : [];
}

function through({ bits, rows }, pattern, { forms, corners }) { // null for 0
  let [k, inside] = [0, corners];
  const out = rows.map(({ relu, entries }) => {
    const z = [0n, 0n, 0n];
    for (const [c, w] of entries) {
      const form = forms.at(c);
      if (form) for (const m of [0, 1, 2]) z[m] += w * form[m];
    }
    const on = !relu || pattern[k++] === "1";
    if (relu) inside = on && !z.some((v) => v) ? [] : clip(inside, on ? z : z.map((v) => -v));
    return on ? z : null;
  });
  return { forms: [...out, [0n, 0n, forms.at(-1)[2] << bits]], corners: inside };
}

function regions(layers, patterns, polygon, progress) {
  const path = [{ forms: [[1n, 0n, 0n], [0n, 1n, 0n], [0n, 0n, 1n]], corners: polygon }]; // before each layer
  return patterns.map((pattern, i) => {
    const known = same(patterns.at(i - 1), pattern); // from the pattern before
    path.length = Math.min(path.length, layers.filter(({ start }) => start <= known).length);
    for (const one of layers.slice(path.length - 1)) path.push(through(one, pattern.slice(one.start), path.at(-1)));
    need(path.at(-1).corners.length, `patterns[${i}]: expected the pattern of a region`);
    progress(i + 1, patterns.length);
    return path.at(-1);
  });
}

function checked(network, domain, patterns, progress) {
  const ends = numbers(domain.corners, `${NUMBER}( ${NUMBER})?`, "domain.corners");
  const [layers, neurons, flat] = [[], [], ends.length === 2];
  [domain, ...network].forEach((value, j) => {
    const width = j ? layers[j - 1].rows.length : ends[0].length;
    layers.push({ start: neurons.length, ...layer(value, width, j ? `network[${j - 1}]` : "domain") });
    layers[j].rows.forEach(({ relu }, k) => relu && neurons.push([j - 1, k]));
  });
  const [w, a, b] = [1n << layers[0].bits, ends[0][0], ends.at(-1)[0]];
  const polygon = flat ? [[a, 0n, w], [b, 0n, w], [b, w, w], [a, w, w]] : ends.map((p) => [...p, w]);
  need(ends.every((p) => p.length === 2 - flat) && polygon.length > 2 && sides(polygon).every(([p, q], i) => polygon.every(
    (r, k) => k === i || k === (i + 1) % polygon.length || left(p, q, r) > 0n)), "domain.corners: expected a convex polygon");
  numbers(patterns, `[01]{${neurons.length}}`, "patterns");
  need(patterns.every((p, i) => i === 0 || patterns[i - 1] < p), "patterns: expected different ones, sorted");
  const found = regions(layers, patterns, polygon, progress);
  const owner = new Map(found.flatMap(({ corners }, i) => sides(corners).map(([p, q]) => [`${p} ${q}`, { i, p, q }])));
  const shared = [];
  for (const { i, p, q } of owner.values()) {
    const other = owner.get(`${q} ${p}`);
    need(other || sides(polygon).some((side) => !left(...side, p) && !left(...side, q)), "patterns: expected regions that fill the domain");
    if (other?.i > i) shared.push([i, other.i, p]);
  }
  const piece = found.map((_, i) => new Set([i]));
  const maps = found.map(({ forms }) => forms.map(String).join(";"));
  const boundaries = shared.sort(([i, j], [k, l]) => i - k || j - l).map(([i, j, [x, , d]]) => {
    const kink = maps[i] !== maps[j];
    if (!kink && piece[i] !== piece[j]) for (const k of piece[j]) piece[k] = piece[i].add(k);
    const at = flat && { at: `0.${String(10n ** 20n * (x * w - a * d) / (d * (b - a))).padStart(20, "0")}` };
    return { regions: [i, j], neuron: neurons[same(patterns[i], patterns[j])], kink, ...at };
  });
  return { regions: found.length, pieces: new Set(piece).size, patterns, boundaries };
}

// What check.py prints of the text; progress is called with the regions that are done and the number of all.
export function check(text, progress = () => {}) {
  try {
    const data = JSON.parse(text);
    need(!/[0-9][.eE]/.test(text.replace(/"[^"]*"/g, "")), "certificate: expected integers and texts alone");
    let mark = 0n;
    for (const c of JSON.stringify([data.network, data.domain])) mark = (mark * 256n + BigInt(c.codePointAt(0))) % PRIME;
    const { network, domain } = data;
    need(data.fingerprint === mark.toString(16), "fingerprint: network or domain are not those that it was made for");
    const right = { format: "affinepieces certificate", version: 1, network, domain, fingerprint: data.fingerprint,
      ...checked(network, domain, data.patterns, progress) };
    need(`${Object.keys(data)}` === `${Object.keys(right)}`, `certificate: expected the keys ${Object.keys(right)}`);
    for (const key of Object.keys(right)) {
      const [given, expected] = [JSON.stringify(data[key]), JSON.stringify(right[key])];
      const n = same(given, expected);
      need(given === expected, `${key}: expected ...${expected.slice(Math.max(0, n - 60), n + 30)}`);
    }
    return `accepted: ${right.regions} regions, ${right.pieces} pieces`;
  } catch (error) {
    return `rejected: ${error.message}`;
  }
}
