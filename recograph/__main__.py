"""``python -m recograph`` is the `recograph` command."""

from recograph.cli import main

main()
