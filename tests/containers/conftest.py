"""These tests build an image of 3 GB and belong to `make test-containers`; `make test` collects none of them."""

import os

collect_ignore_glob = [] if os.environ.get("TESTS_OF_CONTAINERS") else ["test_*.py"]
