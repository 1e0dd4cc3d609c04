"""The record for the Algorithmic Transparency Recording Standard, for version 4.0 of its template.

`docs/desk.md` says which names and numbers were read and which were not: compare those with the template before publishing.
"""

from desk.facts import Facts
from desk.record import Entry, Record, Section, listed
from desk.words import day, number

NAME = "coprod: networks of residents who would help run a public service"
FIGURES = {
    "willing_f1": "F1 of willing", "willing_precision": "precision of willing", "willing_recall": "recall of willing",
    "willing_ap": "average precision of willing", "willing_ece": "calibration error of willing", "areas_macro_f1":
        "macro F1 of policy areas",
    "signals_macro_f1": "macro F1 of signals", "sensitive_recall": "recall of sensitive", "sensitive_precision": "precision of sensitive",
}  # fmt: skip


def atrs(facts: Facts) -> Record:
    """Title information, tier 1 and tier 2. What depends on the council alone stays open."""
    return (
        _title(facts), _overview(facts), _owner(facts), _rationale(facts), _decisions(facts), _system(facts), _model(facts),
        _development(facts), _operation(facts), _risks(facts),
    )  # fmt: skip


def _title(facts: Facts) -> Section:
    return Section("Title information", (
        Entry("0.1", "Title", NAME),
        Entry("0.2", "Organisation name", facts.council_name),
        Entry("0.3", "Phase"),
        Entry("0.4", "Region"),
        Entry("0.5", "One sentence description", "Finds, in public posts, groups of people who offer or ask to help with a local service; "
              "officers read them and may write openly to a community."),
    ))  # fmt: skip


def _overview(facts: Facts) -> Section:
    return Section("Tier 1: overview", (
        Entry("1.1", "Name", NAME),
        Entry("1.2", "Description", f"{facts.council_name} reads public posts in {len(facts.communities)} online communities. Software "
                                    "finds posts that offer, organise or ask to give help with a local service, groups people who "
                                    "answer each other, and puts these groups in order with the reasons shown. Officers read the "
                                    "groups, decide, and may write openly to a community. No person is scored, and software "
                                    "writes to nobody. It is used because people who would share in a service often talk to each "
                                    "other where councils do not look."),
        Entry("1.3", "Website URL", facts.address),
        Entry("1.4", "Contact email", facts.desk.contact_email),
    ))  # fmt: skip


def _owner(facts: Facts) -> Section:
    return Section("2.1 Owner and responsibility", (
        Entry("2.1.1", "Organisation or department", facts.council_name),
        Entry("2.1.2", "Team", facts.desk.team),
        Entry("2.1.3", "Senior responsible owner", facts.desk.responsible_owner),
        Entry("2.1.4", "Third party involvement", "None is needed: it is open-source software (Apache-2.0) that runs on the "
              "council's own machines. If a supplier runs it, name them here, with their Companies House number, role, "
              "procurement and access to data."),
    ))  # fmt: skip


def _rationale(facts: Facts) -> Section:
    purposes = listed([f"{c.purpose} ({c.statutory_function}; {day(c.starts)} to {day(c.ends)})" for c in facts.campaigns])
    return Section("2.2 Description and rationale", (
        Entry("2.2.1", "Detailed description", "Each post is read for its policy area and for signals such as offering, already "
              "helping or asking to join, with the words that show each. Posts that reveal private matters are set aside first. "
              "Replies, mentions and shared threads join people into networks; a network of fewer than "
              f"{facts.config.ranking.minimum_voices} people is never shown. A network's score is a sum of bounded parts, each "
              "printed with its sentence, and an interval from resampling.\nPurposes:\n" + purposes),
        Entry("2.2.2", "Benefits"),
        Entry("2.2.3", "Previous process"),
        Entry("2.2.4", "Alternatives considered"),
    ))  # fmt: skip


def _decisions(facts: Facts) -> Section:
    made = listed([f"{name.replace('_', ' ')}: {number(count)}" for name, count in facts.decisions.items()], nothing="No decision yet.")
    last = f"The newest run began on {day(facts.run.started_at)}." if facts.run else "It has not been run yet."
    return Section("2.3 Decision-making process", (
        Entry("2.3.1", "Process integration", "The output is a list for officers to read. They shortlist, reject with a reason or put "
              "off; a message needs a checklist and the sign-off of a second person, and an officer posts it by hand. They are shown "
              "messages with the words that count marked, the parts of the score with a sentence each, an interval, how many people "
              "and messages, and what these sources cannot see."),
        Entry("2.3.2", "Human review", "Every decision is a person's and is kept with who, when and why. Analysts "
              "promote a classifier by name, after it was measured beside the one in use; a worse one needs a reason."),
        Entry("2.3.3", "Frequency and scale of usage", f"{last} {number(facts.posts)} messages are stored and {number(facts.leads)} "
              f"leads are open to officers. Messages prepared or sent: {number(sum(facts.contacts.values()))}. Decisions so "
              f"far:\n{made}"),
        Entry("2.3.4", "Required training", ""),
        Entry("2.3.5", "Appeals and review", f"The tool decides nothing about anybody. Anybody can object at {facts.address} without "
              f"saying who they are, and ask for erasure or a copy. Requests so far:\n{_requests(facts)}"),
    ))  # fmt: skip


def _system(facts: Facts) -> Section:
    return Section("2.4.1 Tool specification: system", (
        Entry("2.4.1.1", "System architecture", "Scheduled steps: collect, read, link, rank, report; a database; a web application "
              "for staff. It runs on the council's machines and reaches no host but the configured sources."),
        Entry("2.4.1.2", "System-level input", "Public messages of the configured communities, with their time, thread and link."),
        Entry("2.4.1.3", "System-level output", "A ranked list of networks with reasons and evidence, an opportunity map, coverage."),
        Entry("2.4.1.4", "Maintenance", "Each run compares its readings with the messages the classifier was checked on and with the "
                                        "run before. "
              + _drift(facts)),
        Entry("2.4.1.5", "Models", "One text classifier with two encoders of text; grouping and ranking are fixed arithmetic."),
    ))  # fmt: skip


def _model(facts: Facts) -> Section:
    manifest = facts.manifest
    figures = [f"{words}: {value:.3f}" for name, words in FIGURES.items() if (value := facts.figure(name)) is not None]
    by = f"Promoted by a member of staff on {day(facts.promoted.promoted_at)}." if facts.promoted else "Shipped with the project."
    return Section("2.4.2 Tool specification: model", (
        Entry("2.4.2.1", "Model name", "coprod reading"),
        Entry("2.4.2.2", "Model version", f"{manifest.version}, made on {manifest.made_on}. {by}"),
        Entry("2.4.2.3", "Model task", f"For each message, the probability of {len(manifest.labels)} labels: policy areas, signals, "
                                       "sensitive, willing."),
        Entry("2.4.2.4", "Model input", "Title and words of one public message in English. Not its author."),
        Entry("2.4.2.5", "Model output", "Probabilities, decisions by threshold, and the words that support each signal."),
        Entry("2.4.2.6", "Model architecture", "A wide linear gate, then a small fine-tuned transformer encoder (MiniLM), then for what "
              "may be willing a large one (MPNet with low-rank adapters); each with a logistic regression for each label."),
        Entry("2.4.2.7", "Model performance", listed(figures, nothing="Not measured.") +
              f"\nOn a fixed set of {number(facts.figure('messages') or 0)} messages that it did not learn from."),
        Entry("2.4.2.8", "Datasets", listed([f"{name}: {number(count)} messages" for name, count in manifest.messages.items()])),
        Entry("2.4.2.9", "Dataset purposes", "learned: training; tuned: heads and thresholds; checked: testing; labels: of this "
              "installation's own staff."),
    ))  # fmt: skip


def _development(facts: Facts) -> Section:
    manifest = facts.manifest
    return Section("2.4.3 Development data", (
        Entry("2.4.3.1", "Development data description", f"Sources: {', '.join(manifest.sources)}. The shipped classifier learned only "
              "from text that the project wrote."),
        Entry("2.4.3.2", "Data modality", "Text"),
        Entry("2.4.3.3", "Data quantities", f"{number(sum(manifest.messages.values()))} messages"),
        Entry("2.4.3.4", "Sensitive attributes", "None of real people in the shipped data. Messages that stand for sensitive ones "
              "were written for it."),
        Entry("2.4.3.5", "Data completeness and representativeness", "Written English of the United Kingdom. How well it reads other "
              "ways of writing is not known; label posts of each community and look at its own figures."),
        Entry("2.4.3.6", "Source data URL"),
        Entry("2.4.3.7", "Data collection", "Written by hand for this purpose; labels of staff where a source's terms allow training."),
        Entry("2.4.3.8", "Data cleaning", "Markup and quotations of others are taken out before reading."),
        Entry("2.4.3.9", "Data sharing agreements", "None needed for the shipped data."),
        Entry("2.4.3.10", "Data access and storage", "In the repository; labels in the council's own database."),
    ))  # fmt: skip


def _operation(facts: Facts) -> Section:
    kept = [f"{row.platform}: {number(row.posts)} messages, kept {facts.config.kept_days(row.platform)} days" for row in facts.kept]
    return Section("2.4.4 Operational data", (
        Entry("2.4.4.1", "Data sources", listed([f"{c.title} ({c.platform})" for c in facts.communities], nothing=
            "No community is configured.")),
        Entry("2.4.4.2", "Sensitive attributes", "Messages that reveal health, religion, sexuality, ethnicity, party politics, union "
              "membership, immigration status or crimes of a private person are set aside before anything is scored."),
        Entry("2.4.4.3", "Data processing methods", "Account names become keyed codes when a message is read in; the key is kept "
              "apart from the database."),
        Entry("2.4.4.4", "Data access and storage", f"Staff with a role, each view written down. {listed(kept)}"),
        Entry("2.4.4.5", "Data sharing agreements", listed(sorted({f"Terms accepted for {name}: {version}" for c in facts.campaigns
                                                                  for name, version in c.terms.items()}), nothing="")),
    ))  # fmt: skip


def _risks(facts: Facts) -> Section:
    references = sorted({f"DPIA {c.dpia_reference}, to be reviewed by {day(c.dpia_review)}" for c in facts.campaigns})
    return Section("2.5 Risks, mitigations and impact assessments", (
        Entry("2.5.1", "Impact assessments", listed(references, nothing="")),
        Entry("2.5.2", "Risks and mitigations", listed([
            "People feel watched: communities are named on a public page, nobody is scored, and objecting takes a minute.",
            "Some residents are not heard: each report lists which places, services and groups these sources cannot see.",
            "Words are misread: evidence is shown beside each claim, sensitive messages are set aside, drift raises an alarm.",
            f"A person is singled out: no network under {facts.config.ranking.minimum_voices} people, no page about a person, views of "
            f"one voice are limited to {facts.desk.voice_views_a_week} a week.",
            "Messages outlive their time: they go by retention, deletion at the source and objection, from reports and files too.",
        ])),
    ))  # fmt: skip


def _requests(facts: Facts) -> str:
    return listed([f"{row.kind}, {(row.outcome or 'open').replace('_', ' ')}: {number(row.requests)}" for row in facts.requests])


def _drift(facts: Facts) -> str:
    """What the newest run says of drift; a run without figures is no run without drift."""
    if facts.drift_alarms is None:
        return "The newest run has no such figures."
    return "Alarms of the newest run: " + " ".join(facts.drift_alarms) if facts.drift_alarms else "No alarm in the newest run."
