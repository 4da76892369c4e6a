"""Keeping an installation in order: deploying, checking, alerting, cleaning, erasing. No Dagster in here."""
