"""Live runs need a campaign in force; without one they stop and say what is missing, before any request."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.load import ConfigError, load_config
from flows.sources.base import SourceRefusedError
from flows.sources.permission import permit
from flows.sources.reddit import pace_of
from flows.steps.collect import collect
from models.base import utc_now
from tests.fakes.live import SimulatedClock, live_job, live_settings, write_config
from tests.fakes.reddit import CLIENT_ID, FakeReddit
from tests.fakes.reddit_world import World

TODAY = utc_now().date()
NAME = "marlowick"
pace_of(CLIENT_ID, clock=SimulatedClock())


def day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


MISSING = [
    pytest.param(f"starts = {day(1)}", [f"begins on {day(1)}", "`starts`"], id="not begun"),
    pytest.param(f"ends = {day(-1)}", [f"ended on {day(-1)}", "`ends`"], id="ended"),
    pytest.param(f"dpia_review = {day(-1)}", ["FICTIONAL-DPIA-2", f"due for review on {day(-1)}", "`dpia_review`"], id="DPIA not reviewed"),
    pytest.param("reddit_approval = ", ["no `reddit_approval`", "ask Reddit to approve"], id="no approval"),
    pytest.param("terms = ", ["no `terms.reddit`"], id="terms not accepted"),
    pytest.param('communities = ["sample:marlowick"]', ["no campaign of marlowick names a community there"], id="no community"),
    pytest.param(
        f"reddit_approval = \nterms = \nends = {day(-1)}", ["no `reddit_approval`", "no `terms.reddit`", "ended on"], id="all at once"
    ),
]


@pytest.mark.parametrize(("campaign", "said"), MISSING)
def test_a_live_run_without_a_valid_campaign_says_what_is_missing_before_any_request(
    campaign: str, said: list[str], tmp_path: Path
) -> None:
    write_config(tmp_path / "config", NAME, campaign=campaign)
    with FakeReddit(World()) as reddit:
        job = live_job(live_settings(tmp_path, tmp_path / "config", reddit.address))
        with pytest.raises(SourceRefusedError) as refused:
            collect(job)
        assert reddit.requests == []
    assert not [words for words in said if words not in str(refused.value)]


@pytest.mark.parametrize(
    "edge", [f"starts = {day(0)}", f"ends = {day(0)}", f"dpia_review = {day(0)}"], ids=["first day", "last day", "review"]
)
def test_a_campaign_is_in_force_on_its_first_and_its_last_day(edge: str, tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path / "config", NAME, campaign=edge))
    found = permit(config, platform="reddit", council="marlowick", campaign=None, today=TODAY)
    assert [target.place for target in found.targets] == [f"reddit:{NAME}"]
    assert (found.campaign, found.terms_version) == ("listening", "2025-11")


def test_search_terms_are_targets_of_their_own(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path / "config", NAME, community='search = ["litter pick", "garden"]'))
    targets = permit(config, platform="reddit", council="marlowick", campaign="listening", today=TODAY).targets
    assert [target.query for target in targets] == ["litter pick", "garden"]


@pytest.mark.parametrize(
    ("campaign", "said"),
    [
        pytest.param("atlantis", "--campaign atlantis: not in campaigns.toml; known: listening, marlowick_2026", id="unknown"),
        pytest.param("marlowick_2026", "`communities` names none of reddit", id="of another platform"),
    ],
)
def test_a_campaign_that_does_not_fit_is_refused_by_name(campaign: str, said: str, tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path / "config", NAME))
    with pytest.raises(SourceRefusedError, match=said):
        permit(config, platform="reddit", council="marlowick", campaign=campaign, today=TODAY)


def test_of_several_campaigns_one_has_to_be_chosen(tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", NAME)
    text = (folder / "campaigns.toml").read_text(encoding="utf-8")
    (folder / "campaigns.toml").write_text(text + text[text.index("[listening]") :].replace("[listening]", "[other]"), encoding="utf-8")
    with pytest.raises(SourceRefusedError, match="choose with --campaign: listening, other"):
        permit(load_config(folder), platform="reddit", council="marlowick", campaign=None, today=TODAY)
    assert permit(load_config(folder), platform="reddit", council="marlowick", campaign="other", today=TODAY).campaign == "other"


REFUSED = [
    pytest.param("SuicideWatch", "", "refused_communities.toml", id="on the list"),
    pytest.param("Mental_Health_UK", "", "refused_communities.toml", id="on the list, written otherwise"),
    pytest.param("autism_support", "", "refused_communities.toml", id="on the list, with an ending"),
    pytest.param("u_somebody", "", "a person's page is no community", id="a person's page"),
    pytest.param("r/marlowick", "", "without `r/`", id="with r/"),
    pytest.param("marlowick", 'search = ["author:somebody"]', "asks for what one person wrote", id="search by author"),
    pytest.param("marlowick", 'search = ["what u/somebody says"]', "asks for what one person wrote", id="search for a person"),
]


@pytest.mark.parametrize(("name", "community", "said"), REFUSED)
def test_communities_that_may_not_be_listened_to_and_searches_for_persons_are_refused(
    name: str, community: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(write_config(tmp_path / "config", name, community=community))


@pytest.mark.parametrize("category", ["health", "faith", "sexuality", "party_politics", "immigration", "minors"])
def test_every_category_of_rule_3_is_refused(category: str, tmp_path: Path) -> None:
    folder = write_config(tmp_path / "config", NAME)
    text = (folder / "communities.toml").read_text(encoding="utf-8")
    head, mark, tail = text.partition('name = "marlowick"\ntitle = "marlowick"')
    (folder / "communities.toml").write_text(head + mark + tail.replace('"place"', f'"{category}"', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="may not be listened to"):
        load_config(folder)


ADDRESSES = [
    pytest.param("discourse", "https://forum.example/c/mental-health/7", id="category"),
    pytest.param("mastodon", "https://social.example/tags/MentalHealth", id="hashtag"),
    pytest.param("lemmy", "https://lemmy.example/c/labouruk", id="community"),
]


@pytest.mark.parametrize(("platform", "url"), ADDRESSES)
def test_a_harmless_name_does_not_open_an_address_that_may_not_be_listened_to(platform: str, url: str, tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path / "config", "gardens", platform=platform, url=lambda _name: url))
    with pytest.raises(SourceRefusedError, match=f"{platform}:gardens: on the list in refused_communities.toml"):
        permit(config, platform=platform, council="marlowick", campaign=None, today=TODAY)


MISSING_SETTINGS = ["reddit_client_id", "reddit_client_secret", "reddit_account"]


@pytest.mark.parametrize("setting", MISSING_SETTINGS)
def test_a_missing_credential_is_named_before_any_request(setting: str, tmp_path: Path) -> None:
    write_config(tmp_path / "config", NAME)
    with FakeReddit(World()) as reddit:
        settings = live_settings(tmp_path, tmp_path / "config", reddit.address).model_copy(update={setting: None})
        with pytest.raises(SourceRefusedError, match=f"not set: COPROD_{setting.upper()};"):
            collect(live_job(settings))
        assert reddit.requests == []
