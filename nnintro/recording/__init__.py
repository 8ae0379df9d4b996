"""Record and display a training while it runs."""
