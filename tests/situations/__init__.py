"""Whole situations of users: the files and configs that they have, the command that they give, and what is right."""
