"""Which yes of the access service NGINX keeps for a moment, so that a busy program's every request asks nobody.

Rules, each with a test of like name in `tests/integration/server/test_kept_decisions.py`:

- only a request for answers that shows a token is kept a yes; one with a header that the access service refuses, or
  that browsers send, is asked about each time, and so is every other route;
- a refusal is never kept, whatever number of tokens somebody tries;
- a yes holds for one connection, method, target and token: another is asked about;
- it ends with the second of the connection's life in which it was asked for, which no change of the clock makes longer.
  Who somebody is was read one second before at most (`sirena.access.authentication.FRESH_SECONDS`), so whoever loses a
  right is refused within two seconds;
- no credential stands in a file: the access service answers ``Vary: Authorization``, and NGINX keeps of such a header a
  hash alone, from which nobody guesses the 256 random bits of a token. So it is no way to keep passwords.
"""

from typing import Final

SINCE: Final = (1, 19, 10)
"""NGINX that knows how long a connection has been open; an earlier one asks about each request."""
KEPT_REQUEST: Final = (
    r"^POST:/(invocations|models/[A-Za-z0-9_.-]+/invocations|v2/models/[A-Za-z0-9_.-]+/infer)"
    r"([?]ground=(none|short|full))?:Bearer sir_[A-Za-z0-9_-]+:$"
)
"""Method, target, ``Authorization`` and the values of `ASKED_ABOUT` of requests that are kept a yes. NGINX writes the
target into a file: so it has no query but this one."""
ASKED_ABOUT: Final = (
    *("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"),
    *("x-sirena-user", "x-sirena-role", "x-sirena-roles", "x-sirena-session", "x-sirena-places"),
    *("cookie", "origin", "sec-fetch-site", "x-sirena-csrf"),
)
"""Headers for whose sake a request is asked about: tricks, the entry's own, and what only browsers send."""
