"""One update as work of the device alone, fit to be captured in a CUDA graph.

``step`` is the update, ``updates`` the weights and the optimizers' equations that move them,
``tape`` what differs from update to update, and ``launch`` runs it, eagerly or captured.
"""
