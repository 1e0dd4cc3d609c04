"""Exported files: known to the store from before they are written, and cut when posts in them go."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from flows.labels.formats import open_text, write_text
from models import right_queries, written_actions
from models.session import unit_of_work
