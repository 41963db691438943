"""Why something about one's own data cannot be done now, in a sentence."""

from django.utils.functional import Promise


class Refused(Exception):
    """`sentence` is for the person."""

    def __init__(self, sentence: "str | Promise") -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
