"""The version, on its own: the lowest layer may know it, and asking costs no import."""

__version__ = "0.1.0"
