"""The programs that carry out updates."""
