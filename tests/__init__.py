"""The tests share the machine's cores out by the test, so each process calculates on one thread."""

import os

# torch reads it when it is imported, here and in every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")
