"""The rows of a long file dealt out into shares, each of which lies on disk by itself, in a file without a name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from sirena.whonet.spool import Spool
from sirena.whonet.streamed import StreamedFile


@contextmanager
def dealt_out(
    read: StreamedFile, columns: Sequence[str], share_of: Callable[[pl.DataFrame], pl.Series], shares: int, folder: Path
) -> Iterator[list[Spool]]:
    """Deal the rows of a file out, each share's in the order of the file.

    Args:
        read: the file.
        columns: those wanted.
        share_of: tells of the rows of a part, with these columns, of which share each is, from 0.
        shares: how many there are; so many files are open at once.
        folder: where they lie meanwhile.
    """
    spelling = read.spelling(columns)
    with ExitStack() as opened:
        spools = [opened.enter_context(Spool(folder)) for _ in range(shares)]
        for batch in read.batches(columns):
            share = share_of(spelling.frame(batch)).to_numpy()
            order = np.argsort(share, kind="stable")
            sorted_rows, ends = (
                batch.take(order),
                np.bincount(share.astype(np.int64), minlength=shares).cumsum().tolist(),
            )
            for spool, begin, end in zip(spools, [0, *ends], ends, strict=False):
                if end > begin:
                    spool.add(sorted_rows.slice(begin, end - begin))
        yield spools
