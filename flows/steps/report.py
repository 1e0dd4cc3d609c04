"""Report: what is stored, as files an officer can open."""

from collections import Counter
from pathlib import Path

import networkx as nx
from sqlalchemy import Connection

from coprod_nlp.drawing.picture import network_graph
from coprod_nlp.vocabulary import RunStage
from flows.job import Job
from flows.progress import listener
from flows.reports.content import ReportContent, gather
from flows.reports.files import write_report
from flows.reports.keys import KeyRequest, NumberedVoice, check_request, keys_csv
from flows.reports.opportunity import council_gazetteer
from flows.reports.register import registered_report
from models import queries, report_queries
from models.report_actions import replace_lead_places


def report(job: Job, *, keys_for: KeyRequest | None = None) -> Path:
    """Write the report of the run's scope; done again each time, as it is cheap and its folder may have changed."""
    if keys_for:
        check_request(job, keys_for)
    with job.stage(RunStage.REPORT), registered_report(job):
        listener().stage("Report", total=None, unit="")
        with job.engine.connect() as connection:
            content = gather(connection, job, job.run())
            graph, voices = _exported_graph(connection, content)
            places = _place_rows(connection, job)
        with job.engine.begin() as connection:
            replace_lead_places(connection, job.scope_id(), places)
        keys = keys_csv(job, keys_for, voices) if keys_for else None
        return write_report(job.out, content, graph, keys=keys)


def _exported_graph(connection: Connection, content: ReportContent) -> tuple["nx.Graph[str]", list[NumberedVoice]]:
    """All networks with a lead as one graph. Nodes are numbered within their network: author keys are left out of exports."""
    exported: nx.Graph[str] = nx.Graph()
    numbered: list[NumberedVoice] = []
    for place, lead in enumerate(sorted(content.leads, key=lambda lead: lead.network_id), start=1):
        network_id = lead.network_id
        graph = network_graph(queries.network_ties(connection, network_id), queries.network_voices(connection, network_id))
        names = {key: f"network {place} voice {number}" for number, key in enumerate(sorted(graph), start=1)}
        for key, is_willing in graph.nodes(data="willing"):
            exported.add_node(names[key], network=place, network_id=network_id, areas=lead.area_key, willing=is_willing)
            numbered.append(NumberedVoice(names[key], network_id, key))
        for first, second, weight in graph.edges(data="weight"):
            exported.add_edge(names[first], names[second], weight=weight)
    return exported, numbered


def _place_rows(connection: Connection, job: Job) -> list[dict[str, object]]:
    """Places that the messages of each lead name, of all leads and not only of those shown."""
    gazetteer, scope_id = council_gazetteer(job), job.scope_id()
    counts: Counter[tuple[str, str, str | None]] = Counter()
    for row in report_queries.lead_texts(connection, scope_id):
        counts.update((row.lead_id, place.name, place.ward) for place in gazetteer.find(f"{row.title}\n{row.body}"))
    return [
        {"lead_id": lead_id, "place": place, "scope": scope_id, "ward": ward, "messages": messages}
        for (lead_id, place, ward), messages in sorted(counts.items(), key=lambda item: item[0][:2])
    ]
