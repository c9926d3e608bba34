"""The experiments of the study, by name."""
from affinepieces.study.experiment import Experiment
from affinepieces.study.experiments import (
    digits,
    formats,
    long_runs,
    noise,
    optimisers,
    precision,
    random_networks,
    training,
    triangles,
    updates,
)

EXPERIMENTS: dict[str, Experiment] = {e.name: e for e in (
    updates.EXPERIMENT, training.EXPERIMENT, precision.EXPERIMENT, precision.ABLATION, long_runs.EXPERIMENT,
    long_runs.WANDERING, noise.EXPERIMENT, noise.DELTA, random_networks.EXPERIMENT, digits.EXPERIMENT,
    triangles.EXPERIMENT, optimisers.EXPERIMENT, formats.UPDATES, formats.ZEROS)}
