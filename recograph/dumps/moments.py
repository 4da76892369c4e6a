"""Moments as PostgreSQL and MySQL write them, however far away."""

import datetime
import re

_MOMENT = re.compile(
    r"(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d):?(\d\d)?(?::?(\d\d))?)?( BC)?"
)
_EPOCH_DAYS = datetime.date(1970, 1, 1).toordinal()
_ERA_DAYS = 146_097


def days(value: bytes) -> int:
    """Days since 1970 of any date.

    Raises:
        ValueError: it isn't one, or has a time of day.
    """
    whole, rest = divmod(microseconds(value), 86_400_000_000)
    if rest:
        raise ValueError(value)
    return whole


def microseconds(value: bytes, *, zoneless: bool = False) -> int:
    """Microseconds since 1970 of any moment.

    Args:
        value: the moment, as a server writes it.
        zoneless: whether its type has no time zone, so that it may have no offset.

    Raises:
        ValueError: it isn't one.
    """
    match = _MOMENT.fullmatch(value.decode())
    if not match or (match[8] and zoneless):
        raise ValueError(value)
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[12]:
        year = 1 - year
    eras, year_of_era = divmod(year - 1, 400)
    day_number = datetime.date(year_of_era + 1, month, day).toordinal() + eras * _ERA_DAYS - _EPOCH_DAYS
    hour, minute, second = (int(match[group] or 0) for group in (4, 5, 6))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(value)
    fraction = int((match[7] or "0").ljust(6, "0"))
    sign = -1 if match[8] == "-" else 1
    away = sign * sum(int(match[group] or 0) * factor for group, factor in ((9, 3600), (10, 60), (11, 1)))
    return ((day_number * 24 + hour) * 60 + minute) * 60_000_000 + (second - away) * 1_000_000 + fraction
