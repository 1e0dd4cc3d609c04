"""What is decided of a post, in the order of every table of probabilities."""

from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, Signal

SENSITIVE, WILLING = "sensitive", "willing"
AREAS = tuple(area.value for area in PolicyArea)
SIGNALS = tuple(signal.value for signal in Signal)
# What stands in one sentence, so that a sentence can be shown for it.
SPAN_LABELS = (*SIGNALS, WILLING)
LABELS = (*AREAS, SENSITIVE, *SPAN_LABELS)
FIRST_SPAN = LABELS.index(SPAN_LABELS[0])
WILLING_VALUES = tuple(signal.value for signal in WILLING_SIGNALS)
