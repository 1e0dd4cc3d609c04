"""A draft of the data protection impact assessment (Article 35), by the steps and headings of the ICO's sample template."""

from desk.facts import Facts
from desk.record import Entry, Record, Section, listed
from desk.words import day, number

# What could happen; likelihood; severity; overall; measures; their effect; what is left. In the words of the template.
RISKS = (
    ("People are read who do not expect it", "possible", "significant", "medium", "Only configured public communities; a public page; "
          "notices with a clock; objection without proof of who one is", "reduced", "low"),
    ("Special category data is inferred or shown", "possible", "severe", "high", "Such messages are set aside before scoring; such "
          "communities cannot be configured", "reduced", "medium"),
    ("A person is identified or followed", "possible", "severe", "high", "No names stored, keyed codes, no search by author, limits and "
          "a log of each view, at least three voices", "reduced", "low"),
    ("What was deleted lives on", "possible", "significant", "medium", "Sources are asked again; removal reaches readings, labels, "
          "reports and exports; backups by hand", "reduced", "medium"),
    ("Some groups are left out", "probable", "significant", "high", "Coverage beside every report; no decision rests on these sources "
          "alone", "reduced", "medium"),
    ("The classifier is wrong or drifts", "probable", "minimal", "medium", "Evidence beside every claim; figures with intervals; "
          "alarms; people decide", "reduced", "low"),
    ("Somebody takes the database", "remote", "severe", "medium", "Key apart from it, roles, sign-in, no secrets or words in logs; "
          "encryption of disks is the council's", "reduced", "medium"),
)  # fmt: skip


def dpia(facts: Facts) -> Record:
    """What the system knows of itself is filled in; consultation, judgement and sign-off are people's."""
    return (
        _controller(facts), _need(facts), _processing(facts), _consultation(), _necessity(facts), _risks(), _measures(), _sign_off(),
    )  # fmt: skip


def _controller(facts: Facts) -> Section:
    references = [f"{c.dpia_reference}: to be reviewed by {day(c.dpia_review)}" for c in facts.campaigns]
    return Section("Controller details", (
        Entry("0.1", "Name of controller", facts.council_name),
        Entry("0.2", "Subject or title", "coprod: networks of residents who would help run a public service"),
        Entry("0.3", "Name of controller contact or data protection officer", facts.desk.data_protection_email),
        Entry("0.4", "Reference and review", listed(references, nothing="")),
    ))  # fmt: skip


def _need(facts: Facts) -> Section:
    return Section("Step 1: identify the need for a DPIA", (
        Entry("1.1", "Aim", listed([c.purpose for c in facts.campaigns], nothing="")),
        Entry("1.2", "Why an assessment", "Public posts of many people are collected without them and read by software: large-scale, "
              "invisible processing with new technology, each of which the ICO lists as a reason."),
    ))  # fmt: skip


def _processing(facts: Facts) -> Section:
    kept = [
        f"{row.platform}: {number(row.posts)} messages, {number(row.with_author)} with an author key; kept "
        f"{facts.config.kept_days(row.platform)} days; looked at again within {facts.config.recheck_hours(row.platform)} hours where "
        f"the source is live; training {'allowed' if facts.config.training_allowed(row.platform) else 'not allowed'}"
        for row in facts.kept
    ]
    communities = [f"{c.title} ({c.platform}, {c.category}): approach {c.approach or 'not decided'}" for c in facts.communities]
    return Section("Step 2: describe the processing", (
        Entry("2.1", "Nature", "Collected from public communities or archives; read by a classifier; linked by replies, mentions and "
                               "threads; ranked as networks; shown to officers. Account names are turned into keyed codes on the "
                               "way in. Nothing leaves the council's machines."),
        Entry("2.2", "Scope", f"Sources:\n{listed(communities)}\nStored:\n{listed(kept, nothing='Nothing yet.')}"),
        Entry("2.3", "Context", "People write for their community, not for the council. They may not expect to be read; some are "
                                "vulnerable, some may be children although such communities are refused. " + f"{number(facts.kept_out[0])} "
                                      f"accounts and {number(facts.kept_out[1])} single messages are kept out for good."),
        Entry("2.4", "Purposes", listed([f"{c.purpose} Lawful basis: {c.lawful_basis.replace('_', ' ')}; {c.statutory_function}; "
              f"{day(c.starts)} to {day(c.ends)}; notice: {c.privacy_notice}" for c in facts.campaigns], nothing="")),
        Entry("2.5", "Classifier", f"{facts.manifest.version}: F1 of willing {_figure(facts, 'willing_f1')}, recall of sensitive "
                                   f"{_figure(facts, 'sensitive_recall')}, on {number(facts.figure('messages') or 0)} messages it "
                                   "did not learn from."),
    ))  # fmt: skip


def _consultation() -> Section:
    names = ("Residents and communities", "Moderators of the communities", "Data protection officer", "Security", "Councillors and unions")
    return Section("Step 3: consultation process", tuple(Entry(f"3.{place}", name) for place, name in enumerate(names, start=1)))


def _necessity(facts: Facts) -> Section:
    answered = [f"{row.kind}, {(row.outcome or 'open').replace('_', ' ')}: {number(row.requests)}" for row in facts.requests]
    return Section("Step 4: assess necessity and proportionality", (
        Entry("4.1", "Lawful basis", listed(sorted({c.lawful_basis.replace("_", " ") for c in facts.campaigns}), nothing="")),
        Entry("4.2", "Could the aim be reached otherwise?", ""),
        Entry("4.3", "No more than is needed", "No names, no private messages, no profile of a person, no matching across platforms; "
              f"networks under {facts.config.ranking.minimum_voices} voices stay hidden; a voice is shown to one officer at most "
              f"{facts.desk.voice_views_a_week} times a week."),
        Entry("4.4", "Quality", "Evidence is shown with each claim; deleted and changed posts are followed; figures carry intervals."),
        Entry("4.5", "Rights", f"Public page: {facts.address}. Each request has a clock of one month. So far:\n{listed(answered)}"),
        Entry("4.6", "Processors and transfers", "None by the software. If a supplier hosts it, name them and where."),
        Entry("4.7", "No automated decisions", "People decide on every lead, every message and every classifier; decisions are logged "
              "by name."),
    ))  # fmt: skip


def _risks() -> Section:
    return Section("Step 5: identify and assess risks (a proposal to be judged)", tuple(
        Entry(f"5.{place}", risk, f"Likelihood of harm: {chance}. Severity of harm: {severity}. Overall risk: {overall}.")
        for place, (risk, chance, severity, overall, *_) in enumerate(RISKS, start=1)
    ))  # fmt: skip


def _measures() -> Section:
    """Whether a measure is approved is for people to say."""
    return Section("Step 6: identify measures to reduce risk (a proposal to be judged)", tuple(
        Entry(f"6.{place}", risk, f"Measures: {measures}.\nEffect on the risk: {effect}. Residual risk: {left}. Measure approved: open.")
        for place, (risk, _, _, _, measures, effect, left) in enumerate(RISKS, start=1)
    ))  # fmt: skip


def _sign_off() -> Section:
    return Section("Step 7: sign off and record outcomes", (
        Entry("7.1", "Measures approved by"),
        Entry("7.2", "Residual risks approved by"),
        Entry("7.3", "DPO advice provided"),
        Entry("7.4", "Summary of DPO advice"),
        Entry("7.5", "DPO advice accepted or overruled by"),
        Entry("7.6", "Consultation responses reviewed by"),
        Entry("7.7", "This DPIA will be kept under review by"),
    ))  # fmt: skip


def _figure(facts: Facts, name: str) -> str:
    value = facts.figure(name)
    return "not measured" if value is None else f"{value:.3f}"
