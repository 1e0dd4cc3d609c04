"""Whether a council may listen live: a campaign in force, the platform's approval where it asks for one, and communities to listen to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from config.schema import REDDIT, Campaign, Config
from flows.sources.base import SourceRefusedError
from flows.sources.live import Target
from flows.sources.servers import path_of


@dataclass(frozen=True)
class Permission:
    """What a live run may gather, and in whose name."""

    campaign: str
    targets: tuple[Target, ...]
    terms_version: str


def permit(config: Config, *, platform: str, council: str, campaign: str | None, today: date) -> Permission:
    """The permission for one platform.

    Parameters
    ----------
    campaign
        Its key in campaigns.toml; None takes the council's only one that names a community of the platform.

    Raises
    ------
    SourceRefusedError
        With everything that is missing and where to add it. Nothing has been asked of the platform by then.
    """
    key, found = _campaign(config, platform=platform, council=council, campaign=campaign)
    targets = tuple(_targets(config, found, platform))
    if missing := list(_missing(found, platform=platform, council=council, targets=targets, today=today)):
        raise SourceRefusedError(f"{platform}: campaign {key} does not allow this run; in campaigns.toml: {'; '.join(missing)}")
    return Permission(key, targets, found.terms[platform])


def _campaign(config: Config, *, platform: str, council: str, campaign: str | None) -> tuple[str, Campaign]:
    if campaign is not None:
        if campaign not in config.campaigns:
            raise SourceRefusedError(
                f"--campaign {campaign}: not in campaigns.toml; known: {', '.join(sorted(config.campaigns)) or 'none; add one'}"
            )
        return campaign, config.campaigns[campaign]
    ours = {
        key: found
        for key, found in config.campaigns.items()
        if found.council == council and any(name.startswith(f"{platform}:") for name in found.communities)
    }
    if not ours:
        raise SourceRefusedError(
            f"{platform}: no campaign of {council} names a community there. Add the community to communities.toml, and a campaign that "
            "lists it to campaigns.toml, with purpose, lawful basis, DPIA, privacy notice and period (docs/configuration.md)"
        )
    if len(ours) > 1:
        raise SourceRefusedError(f"{platform}: several campaigns name communities there; choose with --campaign: {', '.join(sorted(ours))}")
    return next(iter(ours.items()))


def _missing(campaign: Campaign, *, platform: str, council: str, targets: tuple[Target, ...], today: date) -> Iterator[str]:
    """Each thing that stands in the way, with what to change."""
    if campaign.council != council:
        yield f"its council is {campaign.council}, and the run is for {council}"
    if today < campaign.starts:
        yield f"it begins on {campaign.starts}; wait until then, or change `starts`"
    if today > campaign.ends:
        yield f"it ended on {campaign.ends}; listen no longer, or decide anew and change `ends`"
    if today > campaign.dpia_review:
        yield f"its DPIA ({campaign.dpia_reference}) was due for review on {campaign.dpia_review}; review it and set `dpia_review`"
    if platform not in campaign.terms:
        yield f"no `terms.{platform}`; write the date or version of the platform's terms that the council has accepted"
    if platform == REDDIT and not campaign.reddit_approval:
        yield "no `reddit_approval`; ask Reddit to approve this use of its API, and write down the reference it gives"
    if not targets:
        yield f"`communities` names none of {platform}; add one as {platform}:NAME"


def _targets(config: Config, campaign: Campaign, platform: str) -> Iterator[Target]:
    for community_id in campaign.communities:
        community = config.community(community_id)
        if community is None or community.platform != platform or community.council != campaign.council:
            continue
        # What a community is called here is for the council to choose; what stands in its address is not.
        if any(config.is_refused(name) for name in (community.name, *path_of(community))):
            raise SourceRefusedError(f"{community_id}: on the list in refused_communities.toml; it may not be listened to")
        for query in community.search or ("",):
            yield Target(community, query)
