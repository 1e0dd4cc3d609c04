"""How far the labellers in the store agree."""

from sqlalchemy import Engine

from coprod_nlp.training.agreement import Comparison, compare_judgements, judgement_of
from models import label_queries


def compare_labellers(engine: Engine) -> Comparison:
    """Of labels of words that the posts still hold."""
    with engine.connect() as connection:
        return compare_judgements(map(judgement_of, label_queries.labelled_posts(connection)))
