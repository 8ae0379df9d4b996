"""What must hold in every process of the tests before torch is imported or a test begins."""

import os
import signal

# Two workers share the cores out by the test; every process they start reads this as well.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores SIGINT, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
