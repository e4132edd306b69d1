"""Samples for `autograd.rules.indexing`."""

import numpy as np

from autograd.rules.indexing import compress, index, index_add, index_set, scatter
from tests.samples import Page, normal

page = Page()

rows = np.array([2, 0, 2, -1])
mask = np.array([[True, False, True, True], [False, False, True, False], [True, False, False, False]])

for key in (
    1,
    -1,
    np.int64(2),
    np.array(2),
    slice(1, 3),
    slice(None, None, -2),
    slice(5, None),
    None,
    Ellipsis,
    (),
    (1, 2),
    (slice(None), -1),
    (Ellipsis, 0),
    (slice(None, None, -1), None, slice(0, 4, 3)),
    (None, Ellipsis, 1, None),
    rows,
    [0, 2],
    [],
    np.zeros(0, int),
    np.array([[0, 1], [1, 1]]),
    (rows, [1, 1, 1, 1]),
    (rows, 1),
    (rows, slice(None)),
    (slice(1, None), [3, 3, 0]),
    (Ellipsis, [3, 3, 0]),
    ([0, 0], None, slice(None, None, 2)),
    (np.array([[0], [2]]), np.array([1, 1, 3])),
    np.ix_([0, 2, 2], [1, 3]),
    mask,
    ~mask,
    mask[:, 0],
    (slice(None), mask[0]),
    (mask[:, 2], [1, 1]),
    np.zeros((3, 4), bool),
    True,
):
    page(index, normal(3, 4), key)
page(index, normal(), ())
page(index, normal(), None)
page(index, normal(), ...)
page(index, normal(5), 3)
page(index, normal(5), np.array([4, 4, 4]))
page(index, normal(2, 3, 2), ([0, 1, 1], slice(None), [0, 1, 1]))
page(index, normal(2, 3, 2), (slice(None), [0, 2, 2], slice(None)))
page(index, normal(2, 3, 2), (1, slice(None), [0, 0, 1]))
page(index, normal(2, 3, 2), (..., mask[:, 0], [0, 0]))
page(index, normal(2, 3, 2), (slice(None), np.array([[True, False], [True, True], [False, True]])))
page(index, normal(3, 0), rows)
page(index, normal(3, 0), (slice(None), np.zeros(0, int)))
page(index, normal(3, 4).T, rows)
page(index, normal(6, 4)[::-2, ::2], rows)
page(index, normal(3, 2, dtype=np.float32), rows)
page(index, normal(3, 2, dtype=np.float32), (1, 1))

page(scatter, normal(4), rows, (3,))
page(scatter, normal(4, 2), rows, (3, 2))
page(scatter, normal(2), slice(1, None), (3,))
page(scatter, normal(2, 2, dtype=np.float32), [1, 1], (3, 2))

for key, shape in (
    (1, (4,)),
    (1, ()),
    (slice(0, 2), (2, 4)),
    (slice(0, 2), (1, 1, 4)),
    ((slice(None), 2), (3,)),
    ((slice(None, None, -1), [3, 0]), (3, 1)),
    (mask, ()),
    (mask, (5,)),
    (rows, (4, 4)),
    (rows, (4, 1)),
    (rows, (4,)),
    ((rows, 1), (4,)),
    (([0, 0], [1, 1]), (2,)),
    ([], (4,)),
    (..., (4,)),
    ((), ()),
):
    page(index_set, normal(3, 4), key, normal(*shape))
    page(index_add, normal(3, 4), key, normal(*(shape[1:] if len(shape) == 3 else shape)))
page(index_set, normal(), (), normal())
page(index_set, normal(3), 1, 2.5)
page(index_set, normal(3, dtype=np.float32), 1, normal())
page(index_set, normal(3, dtype=np.float32), [0, 2], normal(2, dtype=np.float32))
page(index_set, np.ones(3), [0, 2], normal(2), wrt=(2,))
page(index_add, normal(3, dtype=np.float32), [0, 0], normal(2, dtype=np.float32))
page(index_add, [1.0, 2.0], [0, 0], normal(2), wrt=(2,))

page(np.take, normal(3, 4), 1)
page(np.take, normal(3, 4), [11, -1, 0, 0])
page(np.take, normal(3, 4), rows, 0)
page(np.take, normal(3, 4), [[1, 1], [0, -2]], axis=1)
page(np.take, normal(3, 4), rows, axis=-2)
page(np.take, normal(3, 4), [True, False], axis=-1)
page(np.take, normal(3, 4), 2, axis=1)
page(np.take, normal(3, 4), [-1, 7, 3, 3], axis=1, mode="clip")
page(np.take, normal(3, 4), [-1, 7, 3, 3], axis=1, mode="wrap")
page(np.take, normal(3, 4), [-1, 17], mode="wrap")
page(np.take, normal(3, 4), np.zeros(0, int), 0)
page(np.take, normal(), [0, 0])
page(np.take, normal(), 0, axis=0)
page(np.take, normal(3, dtype=np.float32), rows)

along = np.array([[0, 3, 3, -1], [1, 1, 1, 1], [2, 0, 3, 1]])
page(np.take_along_axis, normal(3, 4), along, 1)
page(np.take_along_axis, normal(3, 4), along, axis=-1)
page(np.take_along_axis, normal(3, 4), along[:1] % 3, 0)
page(np.take_along_axis, normal(3, 4), along[:, :1], -1)
page(np.take_along_axis, normal(3, 1, 4), along[:, :2, None], -1)
page(np.take_along_axis, normal(3, 4), along[0], None)
page(np.take_along_axis, normal(3, 4), along[:, :0], 1)
page(np.take_along_axis, normal(3, 4, dtype=np.float32), along, 1)

page(np.compress, [True, False, True], normal(3, 4), 0, wrt=(1,))
page(np.compress, [0, 1], normal(3, 4), axis=-1, wrt=(1,))
page(np.compress, [0, 1, 1, 0, 0, 1], normal(3, 4), wrt=(1,))
page(np.compress, np.zeros(3, bool), normal(3, dtype=np.float32), wrt=(1,))
page(compress, normal(3, 4), [0, 1, 1], 0)
page(np.extract, mask, normal(3, 4), wrt=(1,))
page(np.extract, [True, False, True], normal(3), wrt=(1,))

page(np.bincount, np.array([2, 0, 2, 5]))
page(np.bincount, np.array([2, 0, 2, 5]), normal(4), 8)
page(np.bincount, np.array([2, 0, 2]), weights=normal(3), wrt=("weights",))
