"""A record in numbered fields: what the system can say itself, and what is left for the council to say."""

from dataclasses import dataclass

OPEN = "To be filled in by the council."


@dataclass(frozen=True)
class Entry:
    """One field. Blank text is a field that only people can fill."""

    number: str
    name: str
    text: str = ""

    @property
    def is_open(self) -> bool:
        return not self.text.strip()


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


Record = tuple[Section, ...]


def as_markdown(title: str, record: Record) -> str:
    """A text to go on with in any editor."""
    lines = [f"# {title}", ""]
    for section in record:
        lines += [f"## {section.title}", ""]
        for entry in section.entries:
            lines += [f"### {entry.number} {entry.name}".replace("  ", " "), "", _plain(entry.text) or f"*{OPEN}*", ""]
    return "\n".join(lines)


def as_values(record: Record) -> list[dict[str, str]]:
    """Rows of section, number, name and text, for machines; open fields are blank."""
    return [
        {"section": section.title, "number": entry.number, "name": entry.name, "text": entry.text}
        for section in record
        for entry in section.entries
    ]


def count_open(record: Record) -> int:
    return sum(entry.is_open for section in record for entry in section.entries)


def listed(lines: list[str], *, nothing: str = "None.") -> str:
    """One line each, or a sentence where there is none."""
    return "\n".join(f"• {line}" for line in lines) if lines else nothing


def _plain(text: str) -> str:
    return "\n".join(f"- {line[2:]}" if line.startswith("• ") else line for line in text.strip().splitlines())
