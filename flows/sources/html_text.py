"""The text of a piece of HTML: paragraphs and line breaks kept, quotations and what no reader sees left out."""

from html.parser import HTMLParser

BLOCKS = frozenset("address article blockquote dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul".split())
# Others' words, and what is not read.
LEFT_OUT = frozenset({"aside", "blockquote", "head", "noscript", "script", "style", "template"})
# Tags that never close.
VOID = frozenset("area br col embed hr img input link meta source track wbr".split())
INVISIBLE = frozenset({"invisible", "quote-inline"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        # Tags that are open within something left out; the outermost first.
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = set((dict(attrs).get("class") or "").split())
        if self._hidden:
            if tag == self._hidden[0]:
                self._hidden.append(tag)
        elif tag not in VOID and (tag in LEFT_OUT or classes & INVISIBLE):
            self._hidden.append(tag)
        elif tag == "br":
            self.parts.append("\n")
        if tag in BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[0]:
            self._hidden.pop()
        if tag in BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def html_text(html: str) -> str:
    """Readable text, with at most one empty line in a row."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.parts).splitlines()]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()
