"""Invented companies that learn, day after day, for the sample dumps of any platform.

The same seed gives the same bytes, and more days leave the earlier ones as they are. Rows are made in chunks and
written at once, so that memory doesn't grow with the scale. `world.py` says who is there, `interactions.py` who takes
what and why, `histories.py` what becomes of it; a platform makes tables of it, `mysqldump.py` and `pg_dump.py` text.
"""
