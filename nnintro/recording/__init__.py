"""What a training shows and writes while it runs."""
