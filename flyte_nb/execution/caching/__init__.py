"""Results of tasks, kept for calls that are the same: by code, by inputs, across kernels."""
