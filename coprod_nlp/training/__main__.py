"""`python -m coprod_nlp.training`: rebuild the shipped artefact from the project's corpus."""

import sys

from coprod_nlp.training.fit import fit_reading

manifest = fit_reading(report=lambda line: print(line, file=sys.stderr))  # noqa: T201
print(f"{manifest.version}: {manifest.figures}")  # noqa: T201
