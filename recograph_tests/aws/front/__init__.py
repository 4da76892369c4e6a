"""A front that speaks Athena's API over Trino, and mends what the emulator's Glue lacks.

It translates what is Athena's own (CTAS properties, UNLOAD, Hive's DDL) and refuses what Athena refuses though Trino
takes it. Workgroups and whatever else isn't a query stay with the emulator.
"""
