"""What is decided of posts and of sentences, in the order of the classifiers' columns."""

from coprod_nlp.vocabulary import PolicyArea, Signal

SENSITIVE, WILLING = "sensitive", "willing"
AREAS = tuple(area.value for area in PolicyArea)
SENTENCE_LABELS = (*(signal.value for signal in Signal), WILLING)
POST_LABELS = (*AREAS, SENSITIVE, *SENTENCE_LABELS)
FIRST_STACKED = POST_LABELS.index(SENTENCE_LABELS[0])
