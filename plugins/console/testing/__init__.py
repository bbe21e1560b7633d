"""For tests of pages: a browser without a screen, and the rules that the suite holds plugins' pages to."""

from plugins.console.testing.browser import Browser, Form, Shown, a_newcomer
from plugins.console.testing.reading import Place, places_of
from plugins.console.testing.rules import rules_for, words_missing
from plugins.console.testing.trial import trial_of

__all__ = ["Browser", "Form", "Place", "Shown", "a_newcomer", "places_of", "rules_for", "trial_of", "words_missing"]
