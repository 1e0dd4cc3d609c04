"""Texts to wordpieces, the parts of words that gate and encoder are fitted on (Wu et al. 2016, arXiv:1609.08144)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The wordpieces of one text: (pieces,) their ids, and the characters each covers, end exclusive."""

    ids: Ids
    starts: Ids
    ends: Ids

    def __len__(self) -> int:
        return len(self.ids)


class Wordpieces:
    """A fitted vocabulary of wordpieces.

    Parameters
    ----------
    definition
        The JSON that the `tokenizers` library writes.
    """

    def __init__(self, definition: str) -> None:
        self._tokenizer = Tokenizer.from_str(definition)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True  # "[SEP]" in a post is no mark of ours
        self.start, self.end = (self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))

    def pieces(self, text: str) -> Pieces:
        """Ids with their places, without marks of start and end."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        places = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        return Pieces(np.array(encoding.ids, dtype=np.int64), places[:, 0], places[:, 1])
