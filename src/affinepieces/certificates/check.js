// Check a certificate: check(text) is "accepted: ...", with the counts, or "rejected: ...", with the first reason.
// Network, domain and patterns are read; all else is computed anew, in integers.  A form [a, b, c] is a s + b t + c
// times a positive number, a point [x, y, w] is (x / w, y / w), a segment is checked as the strip of width 1 above it.
const [NUMBER, ROW] = ["(0|-?[1-9][0-9]*)", "(0|-?[1-9][0-9]*)( (0|[1-9][0-9]*):(0|-?[1-9][0-9]*))*"];
const abs = (a) => (a < 0n ? -a : a);
const gcd = (a, b) => (b ? gcd(b, a % b) : abs(a));
const sides = (corners) => corners.map((p, k) => [p, corners[(k + 1) % corners.length]]);
const need = (holds, reason) => { if (!holds) throw new Error(reason); };
const alike = (p, q) => [...p, ""].findIndex((c, k) => c !== q[k]); // how many characters two texts begin with alike
const lowest = (p, g = p.reduce((m, n) => gcd(m, n))) => p.map((m) => m / g);
const left = ([a, b, c], [d, e, f], [x, y, w]) => x * (b * f - c * e) + y * (c * d - a * f) + w * (a * e - b * d);

function numbers(value, form, name) {
  const wrong = (text) => typeof text !== "string" || !new RegExp(`^(${form})$`).test(text);
  const first = Array.isArray(value) && value.length ? value.findIndex(wrong) : 0;
  need(first < 0, `${name}[${first}]: expected a text of the form ${form}`);
  return value.map((text) => (text.match(/-?[0-9]+/g) ?? []).map((word) => BigInt(word)));
}

function layer({ bits, rows }, width, name) { // the bias is the weight of the last form, 1
  const pairs = (row) => row.flatMap((c, k) => (k % 2 ? [] : [[Number(c), row[k + 1]]]));
  const all = numbers(rows, (name === "domain" ? "" : "(relu )?") + ROW, `${name}.rows`).map((r) => pairs([-1, ...r]));
  need(Number.isInteger(bits) && bits >= 0 && bits <= 1074 && all.every((row) => row.every(([c]) => c < width)),
    `${name}: expected bits from 0 to 1074, and columns below ${width} in all rows`);
  return { bits: BigInt(bits), rows: all.map((row, k) => ({ relu: rows[k][0] === "r", row })) };
}

function clip(corners, [a, b, c]) { // the part of a convex polygon where the form is not negative
  const heights = corners.map(([x, y, w]) => a * x + b * y + c * w);
  const kept = sides(corners).flatMap(([p, q], k) => {
    const [u, v] = [heights[k], heights[(k + 1) % heights.length]];
    if ((u >= 0n || v <= 0n) && (u <= 0n || v >= 0n)) return u >= 0n ? [p] : [];
    return [...(u > 0n ? [p] : []), lowest(p.map((m, i) => abs(v) * m + abs(u) * q[i]))];
  });
  return kept.length > 2 ? kept : [];
}

function through({ bits, rows }, pattern, { forms, corners }) { // null for the form 0
  let [k, inside] = [0, corners];
  const out = rows.map(({ relu, row }) => {
    const z = [0n, 0n, 0n];
    for (const [c, w] of row) forms.at(c)?.forEach((v, m) => { z[m] += w * v; });
    const on = !relu || pattern[k++] === "1";
    if (relu) inside = on && z.every((v) => v === 0n) ? [] : clip(inside, on ? z : z.map((v) => -v));
    return on ? z : null;
  });
  return { forms: [...out, [0n, 0n, forms.at(-1)[2] << bits]], corners: inside };
}

function expected({ network, domain, patterns }, progress) {
  const [layers, neurons, flat] = [[], [], domain.corners.length === 2];
  const ends = numbers(domain.corners, flat ? NUMBER : `${NUMBER} ${NUMBER}`, "domain.corners");
  for (const [j, value] of [domain, ...network].entries()) {
    const [below, name] = j ? [layers[j - 1].rows.length, `network[${j - 1}]`] : [2 - flat, "domain"];
    layers.push({ start: neurons.length, ...layer(value, below, name) });
    layers[j].rows.forEach(({ relu }, k) => relu && neurons.push([j - 1, k]));
  }
  const [w, a, b, asked] = [1n << layers[0].bits, ends[0][0], ends.at(-1)[0], JSON.stringify([network, domain])];
  const polygon = flat ? [[a, 0n, w], [b, 0n, w], [b, w, w], [a, w, w]] : ends.map((p) => [...p, w]);
  const rim = sides(polygon);
  need(ends[1] && rim.every((s) => polygon.every((r) => s.includes(r) || left(...s, r) > 0n)), "corners: wrong order");
  numbers(patterns, `[01]{${neurons.length}}`, "patterns");
  const path = [{ forms: [[1n, 0n, 0n], [0n, 1n, 0n], [0n, 0n, 1n]], corners: polygon }]; // before each layer
  const regions = patterns.map((pattern, i) => { // neighbours in the list share a part of the path
    path.splice(layers.filter(({ start }) => start <= alike(patterns.at(i - 1), pattern)).length);
    for (const one of layers.slice(path.length - 1)) path.push(through(one, pattern.slice(one.start), path.at(-1)));
    need(path.at(-1).corners.length && (!i || patterns[i - 1] < pattern), `patterns[${i}]: no region, or not in order`);
    progress(i + 1, patterns.length);
    return path.at(-1);
  });
  const owner = new Map(regions.flatMap(({ corners }, i) => sides(corners).map(([p, q]) => [`${p}:${q}`, [i, p, q]])));
  const shared = [...owner.values()].flatMap(([i, p, q]) => {
    const [j] = owner.get(`${q}:${p}`) ?? [-1];
    need(j >= 0 || rim.some((s) => !left(...s, p) && !left(...s, q)), "patterns: gap");
    return j > i ? [[i, j, p]] : [];
  });
  const [maps, piece] = [regions.map(({ forms }) => `${forms}`), regions.map((_, i) => new Set([i]))];
  const boundaries = shared.sort(([i, j], [k, l]) => i - k || j - l).map(([i, j, [x, , d]]) => {
    const [kink, neuron] = [maps[i] !== maps[j], neurons[alike(patterns[i], patterns[j])]];
    if (!kink && piece[i] !== piece[j]) for (const k of piece[j]) piece[k] = piece[i].add(k);
    const at = flat && `0.${String((10n ** 20n * (x * w - a * d)) / (d * (b - a))).padStart(20, "0")}`;
    return { regions: [i, j], neuron, kink, ...(flat && { at }) };
  });
  const mark = new TextEncoder().encode(asked).reduce((n, c) => (n * 256n + BigInt(c)) % (2n ** 128n - 159n), 0n);
  return { format: "affinepieces certificate", version: 1, network, domain, fingerprint: mark.toString(16),
    regions: regions.length, pieces: new Set(piece).size, patterns, boundaries };
}

export function check(text, progress = () => {}) { // progress is called with the number of regions done, and of all
  try {
    const data = JSON.parse(text);
    need(!/[0-9][.eE]/.test(text.replace(/"[^"]*"/g, "")), "certificate: expected integers and texts alone");
    const right = expected(data, progress);
    const [found, wanted] = [data, right].map((value) => JSON.stringify(value));
    need(found === wanted, `expected ...${wanted.slice(Math.max(0, alike(found, wanted) - 80)).slice(0, 120)}`);
    return `accepted: ${right.regions} regions, ${right.pieces} pieces`;
  } catch (error) {
    return `rejected: ${error.message}`;
  }
}
