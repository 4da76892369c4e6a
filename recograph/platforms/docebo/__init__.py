"""Docebo, or what has its schema."""

from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.platforms.platform import Platform

DOCEBO = Platform("docebo", "Docebo", CONTRACTS)
