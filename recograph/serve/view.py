"""A neighbourhood as one HTML file that needs no network and can reach none: the page of `serve` by itself."""

import base64
import hashlib

import neo4j

from recograph.graph.model import USER
from recograph.graph.neighbourhood import LIMIT, neighbourhood
from recograph.graph.reading import TIMEOUT
from recograph.serve.forms import environment, static
from recograph.serve.nodes import neighbourhood_json


def view(driver: neo4j.Driver, customer: str, user: int, limit: int = LIMIT, *, timeout: float = TIMEOUT) -> str:
    """Draw what is around a user.

    Args:
        driver: of the server.
        customer: id of the customer.
        user: id of the user.
        limit: how many neighbours of each kind at most, the latest first.
        timeout: seconds after which the server gives up.

    Returns:
        An HTML page with all of its script, style and data in it.

    Raises:
        RecographError: the graph hasn't the customer or the user, or the server fails.
    """
    around = neighbourhood(driver, USER, customer, user, limit, timeout=timeout)
    return (
        environment()
        .get_template("view.html")
        .render(
            title=f"User {user} of {customer}",
            around=around,
            picture=neighbourhood_json(None, around),
            hashes={name: _hash(name) for name in static()},
        )
    )


def _hash(name: str) -> str:
    """What a content security policy calls our script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(static()[name][1]).digest()).decode()}"
