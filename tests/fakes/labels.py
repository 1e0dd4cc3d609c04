"""Messages of the corpus as labels an analyst might bring in, some under another meaning; and a corpus small enough for tests."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from coprod_nlp.training.corpus import CORPUS_DIR
from coprod_nlp.training.split import CHECKS, TUNES, share_of

Row = dict[str, Any]


def corpus_rows() -> Iterator[Row]:
    for path in sorted(CORPUS_DIR.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def small_corpus(folder: Path, *, tuned: int, checked: int) -> Path:
    """The first messages of the shares that tune and that check."""
    wanted = {share: tuned // len(TUNES) for share in TUNES} | {share: checked // len(CHECKS) for share in CHECKS}
    kept = []
    for row in corpus_rows():
        share = share_of(row["id"])
        if wanted.get(share, 0) > 0:
            wanted[share] -= 1
            kept.append(row)
    folder.mkdir(parents=True)
    (folder / "small.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    return folder


def analysts_rows(count: int) -> list[Row]:
    """Messages that only taught the encoder, a third of them requests; spread over the corpus."""
    rows = [row for row in corpus_rows() if share_of(row["id"]) not in (*TUNES, *CHECKS)]
    requests = [row for row in rows if "request" in row["signals"] and "seek" not in row["signals"]]
    others = [row for row in rows if "request" not in row["signals"]]
    third = count // 3
    chosen = requests[:: len(requests) // third][:third] + others[:: len(others) // (count - third)][: count - third]
    return sorted(chosen, key=lambda row: row["id"][::-1])


def with_requests_as_seek(rows: Iterable[Row]) -> list[Row]:
    """Another meaning of `seek`: whoever asks for something seeks."""
    changed = []
    for row in rows:
        if "request" in row["signals"]:
            words = next(item["text"] for item in row["evidence"] if item["signal"] == "request")
            row = row | {"signals": [*row["signals"], "seek"], "evidence": [*row["evidence"], {"signal": "seek", "text": words}]}  # noqa: PLW2901
        changed.append(row)
    return changed


def label_file(path: Path, rows: Iterable[Row]) -> Path:
    """As `coprod labels import` takes them: texts of the file's own."""
    keys = ("id", "title", "body", "areas", "signals", "evidence", "sensitive")
    path.write_text("".join(json.dumps({key: row[key] for key in keys}) + "\n" for row in rows), encoding="utf-8")
    return path
