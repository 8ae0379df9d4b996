"""Gradient descent: mini-batches, optimizers, learning rate schedules and random streams."""
