"""A run that went well, made by hand, and every way to spoil it that the checker has to see."""
