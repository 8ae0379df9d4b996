"""One update of gradient descent with all its numbers, each with its formula, and a check against torch."""
