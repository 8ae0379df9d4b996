"""One update as work of the device alone, fit to be captured in a CUDA graph.

``step`` is the update and a tape of what differs from one to the next, ``updates`` the weights and
the optimizers' equations that move them, and ``launch`` runs it, eagerly or captured.
"""
