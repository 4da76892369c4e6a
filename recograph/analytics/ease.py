"""Which items lead to which: EASE, a linear model in closed form, with one more term for features of the items.

With X the users by items matrix of 0 and 1, F the items by features matrix (rows of length 1) and

    P = (XᵀX + ω F Fᵀ + λ I)⁻¹

item i speaks for item j by B_ij = -P_ij / P_jj; no item speaks for itself. Without features this is H. Steck,
"Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019; with them it follows O. Jeunen, J. Van Balen and
B. Goethals, "Closed-Form Models for Collaborative Filtering with Side-Information", RecSys 2020.

It needs one symmetric matrix of items by items, whatever the number of users: n² numbers and n³ steps for n items. So
only the most used items are in it; the others are compared by the cosine over users.
"""

from collections.abc import Iterator, Sequence
from typing import Required, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import lapack

from recograph.errors import RecographError

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Triples = tuple[Ints, Ints, Floats]
"""Source items, target items, weights."""

PER_ITEM = 20
"""How many items an item speaks for at most: so many relationships of each item the graph holds."""
LIMIT = 10_000
"""How many items the closed form has at most: so many take 0.6 GB and, with 2 cores, half a minute."""
_SINGLE = 4_000
"""With this many items or more, numbers have 4 bytes instead of 8."""
_BLOCK = 500
"""How many rows or columns are computed at once."""


class Options(TypedDict, total=False):
    """How weights are learnt; see the arguments of `weights_by_currency`, which has what is left out by default."""

    regularisation: Required[float]
    content: float
    per_item: int
    limit: int
    signed: bool


def weights(
    matrix: sparse.csr_matrix,
    features: sparse.csr_matrix,
    currency: Floats,
    **options: Unpack[Options],
) -> sparse.csr_matrix:
    """See `weights_by_currency`, of which this is one."""
    return next(weights_by_currency(matrix, features, [currency], **options))


def weights_by_currency(
    matrix: sparse.csr_matrix,
    features: sparse.csr_matrix,
    currencies: Sequence[Floats],
    *,
    regularisation: float,
    content: float = 0,
    per_item: int = PER_ITEM,
    limit: int = LIMIT,
    signed: bool = False,
) -> Iterator[sparse.csr_matrix]:
    """The strongest positive weights of each item, with each of some currencies: row i holds what i speaks for.

    The strongest weights of each speaking item are kept. If instead the strongest weights towards each item were kept,
    most items would speak for nothing.

    Args:
        matrix: X, users by items, of 0 and 1.
        features: F, items by features, each row of length 1 or 0.
        currencies: how current each item is, 0 to 1; the weights towards the item are multiplied by it.
        regularisation: λ; the more, the more users must have had two items before their weight is believed.
        content: ω; having the same features counts as much as so many users who had both items.
        per_item: how many weights of each item are kept.
        limit: how many items the closed form may have.
        signed: keep negative weights, too, as EASE was published; for comparing only.

    Raises:
        RecographError: λ is so small that the matrix can't be inverted.
    """
    items = matrix.shape[1]
    used = np.asarray(matrix.sum(axis=0)).ravel()
    inside = np.sort(np.lexsort((np.arange(items), -used))[:limit])
    inverse = _inverse(matrix[:, inside], features[inside], regularisation, content)
    in_closed_form = [
        [
            (inside[source], inside[target], weight)
            for source, target, weight in _weights(inverse, currency[inside], per_item, signed)
        ]
        for currency in currencies
    ]
    del inverse
    for currency, triples in zip(currencies, in_closed_form, strict=True):
        others = _cosines(matrix, used, np.setdiff1d(np.arange(items), inside), currency)
        yield _strongest([*triples, *others], items, per_item)


def cosines(matrix: sparse.csr_matrix, per_item: int = PER_ITEM) -> sparse.csr_matrix:
    """The cosines between items over the users who had them: row i holds the greatest of i."""
    items = matrix.shape[1]
    used = np.asarray(matrix.sum(axis=0)).ravel()
    triples = list(_cosines(matrix, used, np.arange(items), np.ones(items)))
    return _strongest(triples, items, per_item)


def _inverse(matrix: sparse.csr_matrix, features: sparse.csr_matrix, regularisation: float, content: float) -> Floats:
    """P, computed in the memory of the matrix of which it is the inverse; both are symmetric."""
    items = matrix.shape[1]
    gram: Floats = np.empty((items, items), np.float64 if items < _SINGLE else np.float32, order="F")
    by_item, by_feature = matrix.T.tocsr(), features.T.tocsc()
    columns, kinds = matrix.tocsc(), features.tocsr()
    for block in _blocks(items):
        gram[:, block] = (by_item @ columns[:, block]).toarray()
        if content:
            gram[:, block] += content * (kinds @ by_feature[:, block]).toarray()
    gram[np.diag_indices(items)] += regularisation
    if not items:
        return gram
    factor, inverse = (lapack.dpotrf, lapack.dpotri) if gram.dtype == np.float64 else (lapack.spotrf, lapack.spotri)
    gram, failed = factor(gram, lower=1, overwrite_a=1)
    if not failed:
        gram, failed = inverse(gram, lower=1, overwrite_c=1)
    if failed:
        raise RecographError(
            f"The {items} items can't be compared: with λ = {regularisation:g} their matrix has no inverse. Raise λ."
        )
    for block in _blocks(items):  # only the lower half was made
        gram[block, block] = np.tril(gram[block, block]) + np.tril(gram[block, block], -1).T
        gram[block, block.stop :] = gram[block.stop :, block].T
    return np.asarray(gram)


def _weights(inverse: Floats, currency: Floats, per_item: int, signed: bool) -> Iterator[Triples]:
    """The strongest weights of each item in the closed form, the positive ones alone unless signed."""
    items = len(inverse)
    kept = min(per_item, items)
    scale = -currency / np.diag(inverse)
    for block in _blocks(items):
        rows = inverse[:, block].T * scale
        rows[np.arange(len(rows)), np.arange(block.start, block.start + len(rows))] = 0
        best = np.argpartition(rows, items - kept, axis=1)[:, items - kept :]
        source = np.repeat(np.arange(block.start, block.start + len(rows)), kept)
        target, weight = best.ravel(), np.take_along_axis(rows, best, axis=1).ravel().astype(np.float64)
        telling = (weight != 0) if signed else (weight > 0)
        yield source[telling], target[telling], weight[telling]


def _cosines(matrix: sparse.csr_matrix, used: Floats, outside: Ints, currency: Floats) -> Iterator[Triples]:
    """The cosines between items of which one or both are outside of the closed form."""
    length = np.sqrt(np.maximum(used, 1))
    inside = np.ones(len(used), bool)
    inside[outside] = False
    for block in _blocks(len(outside)):
        sources = outside[block]
        common = (matrix[:, sources].T @ matrix).tocoo()
        source, target = sources[common.row], common.col.astype(np.int64)
        weight = common.data / (length[source] * length[target])
        other = source != target
        source, target, weight = source[other], target[other], weight[other]
        yield source, target, weight * currency[target]
        back = inside[target]
        yield target[back], source[back], weight[back] * currency[source[back]]


def _strongest(triples: list[Triples], items: int, per_item: int) -> sparse.csr_matrix:
    """The strongest weights of each source, rounded so that processors which differ in the last bits give the same."""
    if not triples:
        return sparse.csr_matrix((items, items))
    source, target, weight = (np.concatenate(part) for part in zip(*triples, strict=True))
    weight = np.round(weight, 6)
    if np.bincount(source, minlength=1).max() > per_item:  # the closed form alone gives no item more
        order = np.lexsort((target, -weight, source))
        first = np.searchsorted(source[order], source[order])
        order = order[np.arange(len(order)) - first < per_item]
        source, target, weight = source[order], target[order], weight[order]
    kept = weight != 0
    return sparse.csr_matrix((weight[kept], (source[kept], target[kept])), shape=(items, items))


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, length)) for start in range(0, length, _BLOCK))
