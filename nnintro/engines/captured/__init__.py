"""One update as work of the device alone, fit to be captured in a CUDA graph.

``step`` is the update, ``updates`` the optimizers' equations in it, ``memory`` what they remember,
``tape`` what differs from update to update, and ``launch`` runs it, eagerly or captured.
"""
