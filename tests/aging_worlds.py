"""Loss matrices of worlds that age as stated, for what plans retrainings."""

import numpy as np


def aging(windows, rate, *, spans=2, better=0.0, seed=None):
    """Loss 100 a window and `rate` for each window of age; span 1 is `better` by so much."""
    age = np.maximum(np.arange(windows)[None, :] - np.arange(windows)[:, None], 0)
    losses = np.repeat((100 + rate * age)[:, None, :], spans, axis=1).astype(float)
    losses[:, 1:] -= better
    noise = np.random.default_rng(seed).normal(0, 1, losses.shape) if seed is not None else 0.0
    return np.concatenate([losses, losses[-1:]]) + (np.concatenate([noise, noise[-1:]]) if seed is not None else 0.0)
