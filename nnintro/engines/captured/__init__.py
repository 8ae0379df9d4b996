"""One update that runs on the device alone, so that a CUDA graph can capture it.

``step`` is the update and a tape of what differs from one to the next, ``updates`` the weights and
the optimizers' equations that move them, and ``launch`` runs it, eagerly or captured.
"""
