"""The one error that the preparation reports as a sentence, without a stack: something the user can act on."""


class Failure(Exception):
    """What was expected, what was found, where, what to do."""
