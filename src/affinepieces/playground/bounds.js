// Bounds for the expected number of regions after a step whose updates of hidden biases receive the relative noise delta.
//
// variations, changes: of the network after the step, from `count`; updates: of the hidden biases, without noise.

// For each neuron V / (2 delta |update|), or how often it changes where its update is zero.
function crossings(variations, changes, updates, delta) {
  return variations.map((layer, j) => layer.map((v, k) => {
    const width = 2 * delta * Math.abs(updates[j][k]);
    return updates[j][k] === 0 ? changes[j][k] : v === 0 ? 0 : v / width;
  }));
}

// One region, and every crossing that the lemma allows.
export function dataDriven(variations, changes, updates, delta) {
  return 1 + crossings(variations, changes, updates, delta).flat().reduce((sum, c) => sum + c, 0);
}

// The same, but no neuron cuts more regions than there are.
export function depthBudget(variations, changes, updates, delta) {
  return crossings(variations, changes, updates, delta).reduce(
    (regions, layer) => regions + layer.reduce((sum, c) => sum + Math.min(c, regions), 0), 1);
}
