// Two drawings in SVG: a function with its breakpoints, and counts against the step.
const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [360, 200, 46, 34];

function element(name, attributes, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const text = (x, y, words, anchor = "middle") => element("text", { x, y, "text-anchor": anchor }, words);
const line = (x1, y1, x2, y2, kind) => element("line", { x1, y1, x2, y2, class: kind });

function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e4) ? value.toExponential(0).replace("e+", "e") : `${+value.toPrecision(2)}`;
}

export function canvas(label) {
  return element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
}

// The graph over [0, 1]; dots where it bends, as long as they can be told apart.
export function drawFunction(svg, { breakpoints, values, kinks }, label) {
  const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  const range = high - low || 1;
  const px = (t) => LEFT + t * (WIDTH - LEFT - 8);
  const py = (v) => HEIGHT - BOTTOM - ((v - low) / range) * (HEIGHT - BOTTOM - 10);
  const points = breakpoints.map((t, i) => `${px(t).toFixed(2)},${py(values[i]).toFixed(2)}`).join(" ");
  const bends = breakpoints.slice(1, -1).flatMap((t, i) => (kinks[i] ? [[t, values[i + 1]]] : []));
  svg.replaceChildren(
    line(LEFT, HEIGHT - BOTTOM, WIDTH - 8, HEIGHT - BOTTOM, "axis"), line(LEFT, 8, LEFT, HEIGHT - BOTTOM, "axis"),
    text(LEFT, HEIGHT - BOTTOM + 14, "0"), text(WIDTH - 12, HEIGHT - BOTTOM + 14, "1"),
    text((LEFT + WIDTH) / 2, HEIGHT - 6, "input"), text(LEFT - 5, 16, short(high), "end"),
    text(LEFT - 5, HEIGHT - BOTTOM, short(low), "end"),
    element("polyline", { points, class: "graph" }),
    ...(bends.length <= 80 ? bends.map(([t, v]) => element("circle", { cx: px(t), cy: py(v), r: 2.5, class: "bend" })) : []),
  );
  svg.setAttribute("aria-label", label);
}

// Curves against the step, logarithmic.  curves: [{ kind, values }]; values null: nothing there.
export function drawCurves(svg, curves, { last, now, guess }, label) {
  const all = [...curves.flatMap(({ values }) => values), guess].filter((v) => v > 0 && Number.isFinite(v));
  const top = Math.ceil(Math.log10(Math.max(10, ...all.map((v) => Math.min(v, 1e7)))) + 0.05);
  const px = (k) => LEFT + (k / last) * (WIDTH - LEFT - 12);
  const py = (v) => HEIGHT - BOTTOM - (Math.log10(v) / top) * (HEIGHT - BOTTOM - 10);
  const decades = Array.from({ length: top + 1 }, (_, e) => 10 ** e);
  svg.replaceChildren(
    ...decades.map((v) => line(LEFT, py(v), WIDTH - 12, py(v), "grid")),
    ...decades.map((v) => text(LEFT - 5, py(v) + 4, v < 1e4 ? `${v}` : `1e${Math.log10(v)}`, "end")),
    line(px(now), 8, px(now), HEIGHT - BOTTOM, "now"),
    ...curves.map(({ kind, values }) => {
      const points = values.flatMap((v, k) => (v > 0 && v < 10 ** top ? [`${px(k).toFixed(1)},${py(v).toFixed(1)}`] : []));
      return element("polyline", { points: points.join(" "), class: `curve ${kind}` });
    }),
    ...(guess ? [element("circle", { cx: px(last), cy: py(guess), r: 5, class: "guess" })] : []),
    ...[0, last / 2, last].map((k) => text(px(k), HEIGHT - BOTTOM + 14, `${k}`)), text((LEFT + WIDTH) / 2, HEIGHT - 6, "step"),
  );
  svg.setAttribute("aria-label", label);
}
