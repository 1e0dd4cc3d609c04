"""Report: what the steps before stored, as files an officer can open."""

from pathlib import Path

import networkx as nx

from coprod_nlp.vocabulary import RunStage
from flows.job import Job
from flows.progress import listener
from flows.reports.content import gather
from flows.reports.files import write_report
from flows.reports.picture import network_graph
from flows.reports.register import registered_report
from models import queries


def report(job: Job) -> Path:
    """Write the report of the run's scope; done again each time, as it is cheap and its folder may have changed."""
    with job.stage(RunStage.REPORT), registered_report(job):
        listener().stage("Report", total=None, unit="")
        with job.engine.connect() as connection:
            content = gather(connection, job, job.run())
            graph = _exported_graph(job, [lead.lead_id for lead in content.leads])
        return write_report(job.out, content, graph)


def _exported_graph(job: Job, lead_ids: list[str]) -> "nx.Graph[str]":
    """All networks with a lead as one graph. Nodes are numbered: author keys are left out of exports."""
    exported: nx.Graph[str] = nx.Graph()
    with job.engine.connect() as connection:
        leads = [lead for lead in queries.leads(connection, job.scope_id()) if lead.lead_id in lead_ids]
        for place, network_id in enumerate(sorted({lead.network_id for lead in leads}), start=1):
            areas = sorted(lead.area for lead in leads if lead.network_id == network_id)
            willing = {
                message.author_key
                for lead in leads
                if lead.network_id == network_id
                for message in queries.lead_evidence(connection, lead.lead_id)
                if message.is_willing
            }
            graph = network_graph(queries.network_ties(connection, network_id), willing)
            names = {key: f"network {place} voice {number}" for number, key in enumerate(sorted(graph), start=1)}
            for key, data in graph.nodes(data=True):
                exported.add_node(names[key], network=place, areas=", ".join(areas), willing=data["willing"])
            for first, second, data in graph.edges(data=True):
                exported.add_edge(names[first], names[second], weight=data["weight"])
    return exported
