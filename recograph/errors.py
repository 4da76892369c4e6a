"""The one kind of error that a user of recograph can cause and mend."""


class RecographError(Exception):
    """Something outside the code is wrong: a dump, a setting, a server.

    The message is written for the person who reads it: it names what is wrong and where, and says what to do.
    The command line prints it without a traceback; Dagster shows it as the failure's description.
    """


class UnavailableError(RecographError):
    """A server doesn't answer or is overloaded, so that trying again later may succeed without anybody's help."""
