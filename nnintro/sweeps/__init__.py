"""Many trainings of one config: sweeps over the values of keys, and how each training is judged."""
