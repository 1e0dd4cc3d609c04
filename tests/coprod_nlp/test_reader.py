"""The reader: each post by itself, nothing said without evidence, nothing scored that was set aside."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import batched
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coprod_nlp.reading.artefact import load_artefact
from coprod_nlp.reading.reader import Reader
from coprod_nlp.records import PostText, Reading
from coprod_nlp.text.clean import prose
from coprod_nlp.vocabulary import WILLING_SIGNALS, PolicyArea, PostState, ReadingStatus, Signal
from flows.sources.base import Problems
from flows.sources.table import open_source
