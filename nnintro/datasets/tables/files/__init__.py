"""The formats of tables, a file each."""
