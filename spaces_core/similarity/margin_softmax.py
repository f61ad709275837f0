r"""Softmax losses with a margin, what a margin means as a distance, and the two measurements that a margin is for."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from torch.utils.checkpoint import checkpoint

KINDS = ("cosine", "angular", "distance")
REDUCTIONS = ("mean", "sum", "none")


def cosine_margin(m: float, own: float = math.sqrt(2)) -> float:
    r"""The additive cosine margin that forces a margin `m` between distances.

    $m' = m\,(m + 2a)$ with $a = \min(r, \sqrt2 - m)$ is the smallest with
    $\cos_1 - \cos_2 > m' \implies d_2 - d_1 > m$, where $d = \sqrt{1-\cos}$ and $d_1 \le r$. Where nothing is known
    about $d_1$ it is $2\sqrt2\,m - m^2$.

    Args:
        m: margin in the distance $\sqrt{1-\cos}$, from 0 to $\sqrt2$ (its largest value).
        own: r, how far a sample is at most from its own class vector, in the same distance; at least 0.

    Returns:
        the margin in cosines, from 0 to 2.

    Raises:
        ValueError: `m` is outside [0, √2], or `own` is negative.

    >>> round(cosine_margin(0.13), 4)
    0.3508
    >>> round(cosine_margin(0.2, own=0.1), 4)    # three samples within 0.1 of their class vectors: 8 r²
    0.08
    >>> cosine_margin(0.0)
    0.0

    Implements: eq-ms-cosine-margin, and eq-ms-own with `own`.
    Source: https://kexue.fm/archives/8656; the constants are this book's.
    """
    if not 0 <= m <= math.sqrt(2):
        raise ValueError(f"a margin in the distance sqrt(1 - cos) lies in [0, sqrt(2)], got {m}")
    if not own >= 0:
        raise ValueError(f"own is a distance, at least 0, got {own}")
    return m * (2 * math.sqrt(2) - m) if own + m >= math.sqrt(2) else m * (m + 2 * own)


def metric_margin(m_cos: float) -> float:
    r"""The margin between distances $\sqrt{1-\cos}$ that an additive cosine margin forces: $\sqrt2-\sqrt{2-m'}$.

    Args:
        m_cos: margin in cosines, from 0 to 2.

    Returns:
        the margin in the distance, from 0 to √2.

    Raises:
        ValueError: `m_cos` is outside [0, 2].

    >>> round(metric_margin(0.35), 4)
    0.1297
    >>> cosine_margin(metric_margin(0.5))
    0.5

    Implements: the worst case of eq-ms-sharp, the inverse of eq-ms-cosine-margin.
    Source: https://kexue.fm/archives/8656.
    """
    if not 0 <= m_cos <= 2:
        raise ValueError(f"a margin between cosines lies in [0, 2], got {m_cos}")
    return m_cos / (math.sqrt(2) + math.sqrt(2 - m_cos))


def margin_from_degrees(degrees: float) -> float:
    r"""An angular margin in radians from one in degrees (pytorch-metric-learning's `ArcFaceLoss` takes degrees).

    Args:
        degrees: from 0 to below 180.

    Raises:
        ValueError: outside of that range.

    >>> round(margin_from_degrees(28.6), 4)
    0.4992
    """
    if not 0 <= degrees < 180:
        raise ValueError(f"an angular margin lies in [0, 180) degrees, got {degrees}")
    return math.radians(degrees)


def margin_softmax_loss(
    embeddings: Float[Tensor, "batch dim"],
    weight: Float[Tensor, "classes width"],
    labels: Int[Tensor, " labels"],
    *,
    margin: float = 0.35,
    scale: float | Tensor = 64.0,
    kind: str = "cosine",
    reduction: str = "mean",
    chunk: int | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Cross-entropy of scaled cosines, with a margin taken from the cosine of the true class.

    $$ \ell = \log\Big(1 + \sum_{j\ne y} e^{s(\cos\theta_j - t)}\Big), \qquad
       t = \cos\theta_y - m \ \text{(cosine)}, \quad t = \cos(\theta_y + m) \ \text{(angular)} $$

    With `"distance"` the scores are $-\sqrt{1-\cos\theta_j}$, a metric, and $t = -\sqrt{1-\cos\theta_y} - m$.

    Beyond $\theta_y = \pi - m$ the angular target goes on as $\cos\theta_y - m\sin m$, so that it falls all the way.
    $\sin\theta$ is taken as $\|\hat x - \hat w\|\,\|\hat x + \hat w\|/2$: no cancellation, and finite gradients, where
    $\cos\theta = \pm1$.

    Args:
        embeddings: any length but zero; they are normalized.
        weight: one row a class, as in `nn.Linear`, `width` equal to `dim`; rows are normalized.
        labels: from 0 to classes - 1.
        margin: in cosines (at most 2) for `"cosine"`, in radians (below π) for `"angular"`, in the distance
            (at most 2√2, twice its largest value) for `"distance"`.
        scale: the inverse temperature s > 0.
        kind: `"cosine"` (AM-Softmax, CosFace), `"angular"` (ArcFace) or `"distance"`.
        reduction: `"mean"`, `"sum"` or `"none"`.
        chunk: None to hold the matrix of batch × classes logits; a number to take that many classes at a time and
            compute them again in the backward pass.

    Returns:
        a scalar, or `(batch,)` with `reduction="none"`.

    Raises:
        ValueError: a zero or non-finite embedding or class vector, shapes or labels that do not fit, a margin outside
            its range, a scale that is not positive, an unknown `kind` or `reduction`.

    >>> x, w = torch.tensor([[3.0, 0.0]]), torch.eye(2)
    >>> margin_softmax_loss(x, w, torch.tensor([0]), margin=0.5, scale=2.0)    # log(1 + exp(2 (0 - 0.5)))
    tensor(0.3133)
    >>> margin_softmax_loss(x, w, torch.tensor([0]), margin=0.5, scale=2.0, kind="angular")
    tensor(0.1595)
    >>> margin_softmax_loss(x, w, torch.tensor([0]), margin=0.5, scale=2.0, kind="distance")    # the same numbers here
    tensor(0.3133)

    Implements: eq-ms-amsoftmax, eq-ms-arcface and eq-ms-loss.
    Source: https://kexue.fm/archives/8656; Wang et al. 2018 (AM-Softmax, CosFace), Deng et al. 2019 (ArcFace).
    """
    _check_margin(margin, kind)
    x, w = _units(embeddings, weight, labels, scale, reduction, chunk)
    labels = labels.long()
    target = scale * _target(x, w[labels], margin, kind)
    if chunk is None:
        logits = _scores(x, w, scale, kind).scatter_(1, labels[:, None], target[:, None])
        return cross_entropy(logits, labels, reduction=reduction)
    total = target
    for start in range(0, len(w), chunk):
        others = checkpoint(_others, x, w[start : start + chunk], labels - start, scale, kind, use_reentrant=False)
        total = torch.logaddexp(total, others)
    losses = total - target
    return losses if reduction == "none" else getattr(losses, reduction)()


def _scores(x, w, scale, kind):
    """Scaled cosines, or scaled distances with a minus; a difference of rows loses no digits where they agree."""
    if kind != "distance":
        return torch.mm(scale * x, w.T)
    return torch.cdist(x, w, compute_mode="donot_use_mm_for_euclid_dist") * (-scale / math.sqrt(2))


def _others(x, w, labels, scale, kind):
    """Log of the sum of exponentials over the classes of one chunk, the true class left out."""
    logits = _scores(x, w, scale, kind)
    own = torch.arange(len(w), device=w.device) == labels[:, None]
    return logits.masked_fill(own, -math.inf).logsumexp(1)


def _target(x, own, margin, kind):
    """The score of the true class less the margin."""
    if kind == "distance":
        return -_distance(x, own, kind) - margin
    cos = (x * own).sum(1)
    if kind == "cosine":
        return cos - margin
    sin = torch.linalg.vector_norm(x - own, dim=1) * torch.linalg.vector_norm(x + own, dim=1) / 2
    shifted = cos * math.cos(margin) - sin * math.sin(margin)
    return torch.where(cos >= -math.cos(margin), shifted, cos - margin * math.sin(margin))


def _distance(x, own, kind):
    """Between unit rows, the root of one minus the cosine, or the angle."""
    chord = torch.linalg.vector_norm(x - own, dim=1)
    return 2 * torch.asin((chord / 2).clamp(max=1)) if kind == "angular" else chord / math.sqrt(2)


class MarginSoftmaxLoss(nn.Module):
    r"""`margin_softmax_loss` with its class vectors: in place of pytorch-metric-learning's CosFaceLoss and ArcFaceLoss.

    Args:
        num_classes, embedding_size: shape of `weight`, as `nn.Linear(embedding_size, num_classes)` has it (the peer
            keeps the transpose: `loss.weight.data = peer.W.data.T`).
        margin: in cosines, in radians for `kind="angular"` (from degrees by `margin_from_degrees`), or in the distance
            for `kind="distance"`; an attribute that training may set anew (`mean_diameter` estimates it).
        scale: the inverse temperature, or its start where it is learned.
        kind: `"cosine"`, `"angular"` or `"distance"`.
        learn_scale: make the logarithm of the scale a parameter.
        reduction, chunk: as in `margin_softmax_loss`.

    Shape: `embeddings (batch, embedding_size)`, `labels (batch,)`; result as in `margin_softmax_loss`.

    Raises:
        ValueError: as `margin_softmax_loss`, at construction where it can be known then.

    >>> _ = torch.manual_seed(0)
    >>> loss = MarginSoftmaxLoss(num_classes=3, embedding_size=2, margin=0.35, scale=30.0)
    >>> tuple(loss.weight.shape), sorted(loss.state_dict())
    ((3, 2), ['weight'])
    >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([1])).dim()
    0

    Implements: eq-ms-amsoftmax, eq-ms-arcface and eq-ms-loss.
    Source: https://kexue.fm/archives/8656.
    """

    def __init__(
        self,
        num_classes: int,
        embedding_size: int,
        margin: float = 0.35,
        scale: float = 64.0,
        *,
        kind: str = "cosine",
        learn_scale: bool = False,
        reduction: str = "mean",
        chunk: int | None = None,
    ):
        super().__init__()
        _check_margin(margin, kind)
        if num_classes < 1 or embedding_size < 1:
            raise ValueError(f"num_classes and embedding_size are at least 1, got {num_classes} and {embedding_size}")
        _check_options(scale, reduction, chunk)
        self.margin, self.kind, self.reduction, self.chunk = margin, kind, reduction, chunk
        self.weight = nn.Parameter(torch.randn(num_classes, embedding_size))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale))) if learn_scale else None
        self._scale = float(scale)

    @property
    def scale(self) -> float | Tensor:
        """The inverse temperature; a tensor where it is learned."""
        return self._scale if self.log_scale is None else self.log_scale.exp()

    def forward(
        self, embeddings: Float[Tensor, "batch dim"], labels: Int[Tensor, " labels"]
    ) -> Float[Tensor, "*batch"]:
        """The loss of a batch."""
        options = {"kind": self.kind, "reduction": self.reduction, "chunk": self.chunk}
        return margin_softmax_loss(embeddings, self.weight, labels, margin=self.margin, scale=self.scale, **options)

    def get_logits(self, embeddings: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """Scaled scores without a margin, to classify with: cosines, or distances with a minus."""
        return _scores(normalize(embeddings, dim=1), normalize(self.weight, dim=1), self.scale, self.kind)

    def extra_repr(self) -> str:
        shape = f"num_classes={self.weight.shape[0]}, embedding_size={self.weight.shape[1]}"
        scale = float(torch.as_tensor(self.scale).detach())
        return f"{shape}, kind={self.kind!r}, margin={self.margin:g}, scale={scale:g}"


def class_radii(
    embeddings: Float[Tensor, "batch dim"],
    weight: Float[Tensor, "classes width"],
    labels: Int[Tensor, " labels"],
    *,
    quantile: float = 1.0,
    kind: str = "cosine",
) -> Float[Tensor, " classes"]:
    r"""How far the members of each class lie from its vector: what the margin must be made of.

    $r_c = Q_q\{d(z, w_c) : z \in c\}$ with $d = \sqrt{1-\cos}$ (`"cosine"`) or the angle (`"angular"`).

    Args:
        embeddings: any length but zero.
        weight: one row a class.
        labels: from 0 to classes - 1.
        quantile: 1 for the radius proper, 0.5 for the median distance.
        kind: `"angular"` for a result in radians; the others give distances, at most √2.

    Returns:
        one radius a class; NaN for a class with no member here.

    Raises:
        ValueError: as `margin_softmax_loss`, and a quantile outside [0, 1].

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    >>> class_radii(x, torch.eye(2), torch.tensor([0, 0, 1]), kind="angular")
    tensor([0.7854, 0.0000])

    Implements: the radii of eq-ms-ball.
    Source: https://kexue.fm/archives/8656.
    """
    _check_margin(0.0, kind)
    x, w = _units(embeddings, weight, labels, 1.0, "none", None)
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile lies in [0, 1], got {quantile}")
    distance = _distance(x, w[labels], kind)
    radii = distance.new_full((len(w),), math.nan)
    for c in labels.unique().tolist():
        radii[c] = distance[labels == c].quantile(quantile)
    return radii


def mean_diameter(
    embeddings: Float[Tensor, "batch dim"],
    weight: Float[Tensor, "classes width"],
    labels: Int[Tensor, " labels"],
    *,
    kind: str = "distance",
) -> float:
    r"""The margin that the classes call for: twice the mean distance of a sample from its class vector.

    $m = 2\,\mathrm{mean}_c\,\mathrm{mean}_{z\in c}\, d(z, w_c)$, which is the mean of $d(z_3, c_1) + d(z_2, c_2)$
    over classes; train without a margin, estimate it, set it, train on, and repeat.

    Args:
        embeddings: any length but zero.
        weight: one row a class.
        labels: from 0 to classes - 1; classes without a member here are left out.
        kind: `"distance"` for $d = \sqrt{1-\cos}$, `"angular"` for the angle in radians; `"cosine"` is no metric.

    Returns:
        a number from 0 to 2√2, or to 2π in radians.

    Raises:
        ValueError: as `margin_softmax_loss`; `kind="cosine"`; no row.

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    >>> round(mean_diameter(x, torch.eye(2), torch.tensor([0, 0, 1])), 4)
    0.2706

    Implements: eq-ms-margin.
    Source: https://kexue.fm/archives/8656.
    """
    _check_margin(0.0, kind)
    if kind == "cosine":
        raise ValueError("1 - cos is no metric: use kind='distance' and, for a cosine margin, cosine_margin")
    with torch.no_grad():
        x, w = _units(embeddings, weight, labels, 1.0, "none", None)
        distance = _distance(x, w[labels.long()], kind)
        return 2 * float(torch.stack([distance[labels == c].mean() for c in labels.unique()]).mean())


def retrieval_scores(
    embeddings: Float[Tensor, "batch dim"], labels: Int[Tensor, " labels"], block: int = 1024
) -> tuple[float, float]:
    r"""Recall@1 and mean average precision when each row looks for its class among all others, by cosine.

    Args:
        embeddings: any length but zero.
        labels: any integers.
        block: queries at a time.

    Returns:
        `(recall_at_1, mean_average_precision)`, both in [0, 1]; rows whose class has no other member are left out.

    Raises:
        ValueError: a zero or non-finite row, shapes that do not fit, or no row with a companion.

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.9, 1.0]])
    >>> retrieval_scores(x, torch.tensor([0, 0, 1, 1]))
    (1.0, 1.0)

    Source: the two measures of the retrieval literature.
    """
    x = _unit_rows(embeddings.detach(), "embeddings")
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(f"one label a row: expected shape ({len(embeddings)},), got {tuple(labels.shape)}")
    ranks = torch.arange(1, len(x), device=x.device)
    hits, precisions = [], []
    for start in range(0, len(x), block):
        cos = x[start : start + block] @ x.T
        rows = torch.arange(len(cos), device=x.device)
        cos[rows, rows + start] = -math.inf
        order = cos.argsort(dim=1, descending=True, stable=True)[:, :-1]
        relevant = (labels[order] == labels[start : start + block, None]).to(x.dtype)
        count = relevant.sum(1)
        precision = (relevant.cumsum(1) / ranks * relevant).sum(1) / count
        hits.append(relevant[count > 0, 0])
        precisions.append(precision[count > 0])
    hits, precisions = torch.cat(hits), torch.cat(precisions)
    if not len(hits):
        raise ValueError("no row has a companion of its class: there is nothing to retrieve")
    return float(hits.mean()), float(precisions.mean())


def _check_margin(margin, kind):
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, got {kind!r}")
    if kind == "cosine" and not 0 <= margin <= 2:
        raise ValueError(f"a cosine margin lies in [0, 2], got {margin}")
    if kind == "distance" and not 0 <= margin <= 2 * math.sqrt(2):
        raise ValueError(f"a margin in the distance lies in [0, 2 sqrt(2)], got {margin}")
    if kind == "angular" and not 0 <= margin < math.pi:
        hint = "; it is in radians: use margin_from_degrees" if margin > math.pi else ""
        raise ValueError(f"an angular margin lies in [0, pi), got {margin}{hint}")


def _check_options(scale, reduction, chunk):
    value = float(scale.detach() if torch.is_tensor(scale) else scale)
    if not 0 < value < math.inf:
        raise ValueError(f"scale is a positive number, got {value}")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk is None or at least 1 class, got {chunk}")


def _unit_rows(x, name):
    """Rows of length one."""
    if x.dim() != 2 or not len(x):
        raise ValueError(f"{name} is a non-empty matrix, one vector a row, got shape {tuple(x.shape)}")
    norms = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    bad = ~(norms.detach().isfinite() & (norms.detach() > 0))
    if bool(bad.any()):
        raise ValueError(f"{name}[{int(bad.nonzero()[0, 0])}] is zero or not finite: it has no direction")
    return x / norms


def _units(embeddings, weight, labels, scale, reduction, chunk):
    """Unit rows of both matrices, after every check."""
    _check_options(scale, reduction, chunk)
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(f"one label a row: expected shape ({len(embeddings)},), got {tuple(labels.shape)}")
    if bool(((labels < 0) | (labels >= len(weight))).any()):
        raise ValueError(f"labels lie in 0 to {len(weight) - 1}, got {int(labels.min())} to {int(labels.max())}")
    if embeddings.shape[1:] != weight.shape[1:]:
        shapes = f"{tuple(embeddings.shape)} and {tuple(weight.shape)}"
        raise ValueError(f"embeddings and weight have rows of one length, as in nn.Linear; the shapes are {shapes}")
    return _unit_rows(embeddings, "embeddings"), _unit_rows(weight, "weight")
