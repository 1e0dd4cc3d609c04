"""Author keys for a named purpose: the one file that ties the numbered voices of the graphs to the store, and its audit row."""

from dataclasses import dataclass

from flows.job import Job, RequestError
from flows.reports.exports import table
from models.base import utc_now
from models.report_actions import record_key_export
from models.session import unit_of_work

KEY_COLUMNS = ("voice", "network", "author_key", "purpose")


@dataclass(frozen=True)
class KeyRequest:
    """Who asks for author keys, and for which campaign."""

    campaign: str
    by: str


@dataclass(frozen=True)
class NumberedVoice:
    """A voice as the graphs call it, with its network and key."""

    voice: str
    network_id: str
    author_key: str


def check_request(job: Job, request: KeyRequest) -> None:
    """Author keys are personal data: they leave the store for a campaign of this council that is in force, for a named person.

    Raises
    ------
    RequestError
        With what is wrong and what to give instead.
    """
    if not request.by.strip():
        raise RequestError("--by: empty; author keys are given to a named person only")
    theirs = {name: campaign for name, campaign in job.config.campaigns.items() if campaign.council == job.request.council}
    if request.campaign not in theirs:
        known = ", ".join(sorted(theirs)) or "none yet; add one"
        raise RequestError(f"--keys-for {request.campaign}: not a campaign of this council in campaigns.toml; there: {known}")
    campaign, today = theirs[request.campaign], utc_now().date()
    if not campaign.starts <= today <= campaign.ends:
        raise RequestError(f"--keys-for {request.campaign}: runs from {campaign.starts} to {campaign.ends}; name one that is in force")


def keys_csv(job: Job, request: KeyRequest, voices: list[NumberedVoice]) -> str:
    """The table of keys. It is in the audit log before it is anywhere else."""
    check_request(job, request)
    with unit_of_work(job.engine) as session:
        record_key_export(session, run_id=job.run_id, purpose=request.campaign, voices=len(voices), by=request.by.strip())
    rows = (
        {"voice": voice.voice, "network": voice.network_id, "author_key": voice.author_key, "purpose": request.campaign} for voice in voices
    )  # fmt: skip
    return table(rows, KEY_COLUMNS)
