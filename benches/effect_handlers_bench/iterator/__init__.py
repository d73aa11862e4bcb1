"""Emitting: the numbers from 0 to n, added up outside. Each clause answers at once."""
