"""How fast Segue is, and against whom: `make bench`, `make bench-peers`. The targets stand on the rows themselves.

A number here is a ratio of two subjects that took turns in one process, or an amount. Absolute times are recorded, and
mean nothing beyond the machine that they come from. Nothing in this folder is part of the package, and no test times
anything: `tests/python/test_benches.py` runs every row at a tiny size, and looks only at what it comes to.

Whole programs are in `effect_handlers_bench`: `make bench-suite`.
"""
