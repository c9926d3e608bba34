"""Assumption (A) excludes good fits: what a bounded mean reciprocal says about the residuals before the step."""
from __future__ import annotations

from affinepieces.arguments import number


def residual_lower_bound(learning_rate: float, mean_reciprocal: float, sensitivity: float) -> float:
    """(1/m) sum_i |f(x_i) - y_i| >= 1 / (2 lambda p G) before a step whose mean of 1 / |Delta_b| is at most p.

    The step is -lambda times the gradient of (1/m) sum_i |f(x_i) - y_i|^2, and at least one hidden bias moves.
    learning_rate: lambda > 0, finite.  mean_reciprocal: p > 0, per unit of z; inf gives 0.
    sensitivity: G > 0, finite, the mean of max_i |df(x_i)/db| over the hidden biases that move.
    Attained by one data point and one bias that moves.  Raises ValueError for other arguments.
    Source: companion, chapter "Perturbed gradient descent".

    >>> residual_lower_bound(learning_rate=0.25, mean_reciprocal=8.0, sensitivity=0.5)
    0.5
    """
    number(learning_rate, "learning_rate", above=0)
    number(sensitivity, "sensitivity", above=0)
    number(mean_reciprocal, "mean_reciprocal", above=0, finite=False,
           remedy="where no bias moves the residuals may be zero")
    return float(1 / (2 * learning_rate * mean_reciprocal * sensitivity))
