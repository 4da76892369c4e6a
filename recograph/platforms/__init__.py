"""What may leave a dump: one declaration a source table.

The contracts are an allow-list. A column that isn't declared here (a password, an e-mail address, a name) never
reaches the lake, the warehouse or the graph. Every declared table is landed for every customer and day; an optional
table that a customer doesn't have is landed with no rows.
"""

from recograph.platforms.contract import Column, Contract
from recograph.platforms.docebo.contracts import CONTRACTS

__all__ = ["CONTRACTS", "Column", "Contract"]
