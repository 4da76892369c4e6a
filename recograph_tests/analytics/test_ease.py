import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from recograph.analytics import ease
from recograph.analytics.ease import cosines, weights
from recograph.errors import RecographError
from recograph_tests.analytics.interactions import drawn

DATA = drawn(300, 40)
ONES = np.ones(40)
NO_FEATURES = sparse.csr_matrix((40, 0))


def by_definition(regularisation: float, content: float = 0) -> np.ndarray:
    x, f = DATA.matrix.toarray().astype(float), DATA.features.toarray().astype(float)
    p = np.linalg.inv(x.T @ x + content * f @ f.T + regularisation * np.eye(40))
    b: np.ndarray = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    return b


@pytest.mark.parametrize("single", [False, True])
def test_all_weights_are_those_of_the_published_formula(single: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "_SINGLE", 0 if single else 1000)
    monkeypatch.setattr(ease, "_BLOCK", 7)
    learned = weights(DATA.matrix, NO_FEATURES, ONES, regularisation=20, per_item=40, signed=True)
    assert learned.toarray() == pytest.approx(by_definition(20), abs=2e-5 if single else 1e-6)
    learned = weights(DATA.matrix, DATA.features, ONES, regularisation=20, content=10, per_item=40, signed=True)
    assert learned.toarray() == pytest.approx(by_definition(20, 10), abs=2e-5 if single else 1e-6)


def test_weights_minimise_what_the_paper_minimises() -> None:
    """No weight can be changed so that squared error and penalty become less: the gradient is 0 off the diagonal."""
    x = DATA.matrix.toarray().astype(float)
    b = by_definition(20)
    gradient = x.T @ (x @ b - x) + 20 * b
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-9


def test_the_strongest_positive_of_each_source_are_kept() -> None:
    currency = np.linspace(0.5, 1, 40)
    learned = weights(DATA.matrix, NO_FEATURES, currency, regularisation=20, per_item=5).toarray()
    all_ = by_definition(20) * currency
    for source in range(40):
        best = np.sort(all_[source][all_[source] > 0])[::-1][:5]
        assert np.sort(learned[source][learned[source] > 0])[::-1] == pytest.approx(best, abs=1e-6)
        assert learned[source, source] == 0


def test_beyond_the_limit_the_least_used_are_compared_by_cosine() -> None:
    learned = weights(DATA.matrix, NO_FEATURES, ONES, regularisation=20, per_item=40, limit=25).toarray()
    used = np.asarray(DATA.matrix.sum(axis=0)).ravel()
    inside = np.sort(np.argsort(-used, kind="stable")[:25])
    alone = weights(DATA.matrix[:, inside], NO_FEATURES[:25], ONES[:25], regularisation=20, per_item=40).toarray()
    assert learned[np.ix_(inside, inside)] == pytest.approx(alone)
    outside = np.setdiff1d(np.arange(40), inside)
    cosine = cosines(DATA.matrix, per_item=40).toarray()
    assert learned[outside] == pytest.approx(cosine[outside])
    assert learned[:, outside] == pytest.approx(cosine[:, outside])
    x = DATA.matrix.toarray().astype(float)
    lengths = np.sqrt((x**2).sum(axis=0))
    expected = x.T @ x / np.outer(lengths, lengths)
    np.fill_diagonal(expected, 0)
    assert cosine == pytest.approx(expected, abs=1e-6)


def test_nothing_and_what_cannot_be_inverted() -> None:
    assert weights(sparse.csr_matrix((3, 0)), sparse.csr_matrix((0, 0)), np.ones(0), regularisation=1).shape == (0, 0)
    nobody = sparse.csr_matrix((2, 2))
    with pytest.raises(RecographError, match=r"2 items can't be compared: with λ = 0 .*Raise λ"):
        weights(nobody, sparse.csr_matrix((2, 0)), np.ones(2), regularisation=0)


IDLE = """
import os, time
os.environ.pop("OPENBLAS_THREAD_TIMEOUT", None)
import recograph, numpy, scipy.linalg
time.sleep(0.3)
print(time.process_time() - time.thread_time())
"""


def test_threads_that_have_nothing_to_compute_take_no_processor() -> None:
    ran = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 0.01
