"""Parameters of statements as the command line takes them."""

from recograph.errors import RecographError


def name_and_value(text: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE.

    Raises:
        RecographError: there is no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise RecographError(f"--param {text!r} must be NAME=VALUE.")
    return name, value
