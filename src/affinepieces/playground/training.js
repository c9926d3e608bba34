// Gradient descent for the mean squared error with every operation rounded.  The order of all operations is that of
// affinepieces.descent.specification: sums from left to right, products over the inputs, gradients over the points.
//
// A network is a list of layers { weights: Float64Array (rows * columns, row by row), biases, rows, columns }.
// Points are columns: activations are { rows, values: Float64Array (rows * points) }.

// a (rows x depth) times b (depth x columns), each product and each partial sum rounded.
function product(a, rows, depth, b, columns, round) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < depth; k++) {
      const v = a[i * depth + k];
      for (let j = 0; j < columns; j++) {
        const p = round(v * b[k * columns + j]);
        out[i * columns + j] = k === 0 ? p : round(out[i * columns + j] + p);
      }
    }
  }
  return out;
}

function transposed(a, rows, columns) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}

function rowSums(a, rows, columns, round) {
  const out = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    out[i] = a[i * columns];
    for (let j = 1; j < columns; j++) out[i] = round(out[i] + a[i * columns + j]);
  }
  return out;
}

// Activations of layers 0 to L - 1, and the output: x has one input for each point.
export function forward(net, x, round) {
  const hidden = [x];
  let z = x;
  net.forEach(({ weights, biases, rows, columns }, j) => {
    z = product(weights, rows, columns, z, x.length / net[0].columns, round);
    const points = z.length / rows;
    for (let i = 0; i < z.length; i++) z[i] = round(z[i] + biases[Math.floor(i / points)]);
    if (j < net.length - 1) {
      for (let i = 0; i < z.length; i++) if (z[i] <= 0) z[i] = 0;
      hidden.push(z);
    }
  });
  return { hidden, output: z };
}

// { loss, layers: gradients of each layer's weights and biases }.
export function gradient(net, x, y, round) {
  const { hidden, output } = forward(net, x, round);
  const points = y.length;
  let loss = 0;
  let delta = new Float64Array(points);
  for (let s = 0; s < points; s++) {
    const residual = round(output[s] - y[s]);
    const square = round(residual * residual);
    loss = s === 0 ? square : round(loss + square);
    delta[s] = round(round(residual * 2) / points);
  }
  const deltas = [delta];
  for (let j = net.length - 1; j > 0; j--) {
    const { weights, rows, columns } = net[j];
    delta = product(transposed(weights, rows, columns), columns, rows, delta, points, round);
    for (let i = 0; i < delta.length; i++) if (hidden[j][i] <= 0) delta[i] = 0;
    deltas.unshift(delta);
  }
  const layers = net.map(({ rows, columns }, j) => ({
    weights: product(deltas[j], rows, points, transposed(hidden[j], columns, points), columns, round),
    biases: rowSums(deltas[j], rows, points, round),
  }));
  return { loss: round(loss / points), layers };
}

// One step of descent.  noise(u) is what becomes of the update of a hidden bias, before it is rounded to nearest.
// Returns { loss, updates: of the hidden biases without noise, layer by layer, net }; the old network stays.
export function step(net, x, y, rate, round, noise = (u) => u, nearest = round) {
  const found = gradient(net, x, y, round);
  const factor = nearest(rate);
  const updates = found.layers.map((g) => g.biases.map((v) => round(factor * v)));
  const next = net.map((layer, j) => ({
    ...layer,
    weights: layer.weights.map((p, i) => round(p - round(factor * found.layers[j].weights[i]))),
    biases: layer.biases.map((p, i) => {
      const u = updates[j][i];
      return round(p - (j < net.length - 1 ? nearest(noise(u)) : u));
    }),
  }));
  return { loss: found.loss, updates: updates.slice(0, -1), net: next };
}
