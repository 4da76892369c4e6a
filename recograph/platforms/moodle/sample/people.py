"""Moodle's users, roles and the places where they have them."""

from collections.abc import Iterator

import numpy as np

from recograph.platforms.moodle.sample import places
from recograph.sample_data.chunks import users
from recograph.sample_data.draws import Ints
from recograph.sample_data.people import closed, emails, entered, language, names
from recograph.sample_data.schema import Chunk
from recograph.sample_data.world import World

GUEST, ADMIN = 1, 2
MANAGER, STUDENT, SUPERVISOR = 1, 5, 9
_LANGUAGES = ("en", "it", "pt_br", "fr", "de", "es", "ja", "pl")
"""The codes of `texts.LANGUAGES`, in their order."""
_SPELT_OTHERWISE = {"en": "en_us", "de": "de_du", "es": "es_mx"}
_BCRYPT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROLES = (
    ("manager", "manager"),
    ("coursecreator", "coursecreator"),
    ("editingteacher", "editingteacher"),
    ("teacher", "teacher"),
    ("student", "student"),
    ("guest", "guest"),
    ("user", "user"),
    ("frontpage", "frontpage"),
    ("supervisor", ""),
)


def user_rows(world: World, day: int) -> Iterator[Chunk]:
    """`user`: the guest and the administrator, then everybody."""
    yield {
        "id": np.array([GUEST, ADMIN]),
        "deleted": np.zeros(2, np.int64),
        "suspended": np.zeros(2, np.int64),
        "confirmed": np.ones(2, np.int64),
        "username": ["guest", "admin"],
        "password": ["", "$2y$10$not.a.hash"],
        "firstname": ["Guest user", "Admin"],
        "lastname": [" ", "User"],
        "email": ["root@localhost", "admin@example.com"],
        "city": ["", ""],
        "lang": ["en", "en"],
        "lastaccess": np.zeros(2, np.int64),
        "lastip": ["", "203.0.113.1"],
        "timecreated": np.zeros(2, np.int64),
    }
    for number in users(world, day):
        draws = world.draws
        first, last, logins = names(world, number)
        codes = [_LANGUAGES[at] for at in language(world, number, day).tolist()]
        other = draws.chance("spelling", number, 0.2).tolist()
        shut = closed(world, number, day)
        gone = shut & draws.chance("deleted", number, 0.3)
        yield {
            "id": world.users.ids(number),
            "deleted": gone.astype(np.int64),
            "suspended": (shut & ~gone).astype(np.int64),
            "confirmed": (~draws.chance("unconfirmed", number, 0.02)).astype(np.int64),
            "username": list(logins),
            "password": [f"$2y$10${text}" for text in draws.characters("password", number, _BCRYPT, 53)],
            "firstname": list(first),
            "lastname": list(last),
            "email": list(emails(logins)),
            "city": draws.pick("city", number, ("", "Leeds", "Verona", "L'Aquila", "São Paulo")),
            "lang": [_SPELT_OTHERWISE.get(code, code) if o else code for code, o in zip(codes, other, strict=True)],
            "lastaccess": entered(world, number, day) // 1000,
            "lastip": [f"203.0.113.{i}" for i in draws.integers("address", number, 256).tolist()],
            "timecreated": world.users.registered(number) // 1000,
        }


def role_rows() -> Iterator[Chunk]:
    """`role`: Moodle's own, and one that a company adds for those who look after others."""
    shortnames = [name for name, _ in _ROLES]
    number = np.arange(len(_ROLES)) + 1
    yield {
        "id": number,
        "name": ["" if archetype else "Supervisor" for _, archetype in _ROLES],
        "shortname": list(shortnames),
        "sortorder": number,
        "archetype": [archetype for _, archetype in _ROLES],
    }


def managers(world: World, number: Ints) -> tuple[Ints, Ints]:
    """Who of the users manages the site, and who looks after a colleague."""
    site = number[world.draws.chance("manager", number, 0.02)]
    return site, number[world.draws.chance("supervisor", number, 0.06)]


def assignment_rows(world: World, number: Ints) -> Chunk:
    """`role_assignments` of the managers and supervisors among some users."""
    site, supervisors = managers(world, number)
    ids = world.users.ids
    colleagues = ids((supervisors + 1) % world.users.count)
    user = np.concatenate([ids(site), ids(supervisors)])
    return {
        "id": user * 2 + 1,
        "roleid": np.repeat([MANAGER, SUPERVISOR], [len(site), len(supervisors)]),
        "contextid": np.concatenate([np.full(len(site), places.SITE), places.of_user(colleagues)]),
        "userid": user,
    }
