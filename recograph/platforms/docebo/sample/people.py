"""Users and their settings: invented people, and the sensitive columns that must never leave a dump."""

import numpy as np

from recograph.sample_data.draws import Ints
from recograph.sample_data.histories import NULL
from recograph.sample_data.people import closed, emails, entered, language, names
from recograph.sample_data.texts import LANGUAGES, TIME_ZONES
from recograph.sample_data.world import DAY, World

_HEX = "0123456789abcdef"
_BCRYPT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SIGNATURES = (None, None, None, "", "Kind regards,\n-- \nsent from my phone", 'It\'s "team work" that counts; always')


def user_rows(world: World, number: Ints, day: int) -> dict[str, Ints | list[str | None] | list[str]]:
    """`core_user` for the users of those numbers at the end of a day."""
    draws, ids = world.draws, world.users.ids(number)
    first, last, logins = names(world, number)
    registered, last_seen = world.users.registered(number), entered(world, number, day)
    uuid = draws.characters("uuid", number, _HEX, 32)
    return {
        "idst": ids,
        "userid": [f"/{login}" for login in logins],
        "firstname": first,
        "lastname": last,
        "pass": [f"$2y$10${text}" for text in draws.characters("password", number, _BCRYPT, 53)],
        "email": emails(logins),
        "avatar": [f"{i}.png" if i % 5 == 0 else "" for i in ids.tolist()],
        "signature": draws.pick("signature", number, _SIGNATURES),
        "lastenter": np.where(draws.chance("never entered", number, 0.1), NULL, last_seen),
        "valid": (~closed(world, number, day)).astype(np.int64),
        "register_date": np.where(draws.chance("unknown registration", number, 0.01), NULL, registered),
        "google_id": [f"1{i:020d}" if i % 11 == 0 else None for i in ids.tolist()],
        "uuid": [f"{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}" for u in uuid],
        "can_manage_subordinates": np.where(
            draws.chance("unknown manager", number, 0.02), NULL, draws.chance("manager", number, 0.08)
        ),
        "password_changed_at": np.minimum(registered + 90 * DAY, last_seen),
        "profile_color": [f"#{text}" for text in draws.characters("profile colour", number, _HEX, 6)],
        "last_ip": [f"203.0.113.{i}" for i in draws.integers("address", number, 256).tolist()],
        "employee_number": [f"E{7 * i:06d}" for i in ids.tolist()],
    }


def setting_rows(world: World, number: Ints, day: int) -> dict[str, Ints | list[str | None] | list[str]]:
    """`core_setting_user`: the language of nearly everybody, the time zone of most, a date format of some."""
    draws, ids = world.draws, world.users.ids(number)
    spelling = draws.integers("spelling", number, 3) == 0
    languages = [
        LANGUAGES[i][int(s)] for i, s in zip(language(world, number, day).tolist(), spelling.tolist(), strict=True)
    ]
    empty = draws.chance("empty language", number, 0.015).tolist()
    values = np.array(
        [
            draws.pick("date format", number, ("d/m/Y", "m/d/Y")),
            draws.pick("time zone", number, TIME_ZONES),
            ["" if blank else text for blank, text in zip(empty, languages, strict=True)],
        ]
    )
    has = np.stack(
        [draws.chance(f"has {what}", number, p) for what, p in (("format", 0.1), ("zone", 0.6), ("language", 0.96))]
    )
    paths = np.array(["date_format", "timezone", "ui.language"])
    user, which = np.nonzero(has.T)
    return {"id_user": ids[user], "path_name": paths[which].tolist(), "value": values[which, user].tolist()}
