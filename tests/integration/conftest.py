"""The S3 server of another owner, for the tests of files there and of a stack that keeps its artifacts there."""

from collections.abc import Iterator

import pytest

from tests.foreign_s3 import ForeignS3, foreign_s3


@pytest.fixture(scope="package")
def foreign() -> Iterator[ForeignS3]:
    """Run the server, once for `test_given_s3` and `test_files_in_s3`."""
    with foreign_s3() as server:
        yield server
