"""Settings of property tests: the same examples in every run, and no deadline on slow machines.

Random examples could fail a run for a reason unrelated to the change. `pytest --hypothesis-profile=search` tries other
examples, and many more of them.
"""

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("search", deadline=None, max_examples=2000, suppress_health_check=_SLOW)
settings.load_profile("same")


def dear() -> settings:
    """Return settings for a test whose examples cost tens of milliseconds: a third of the usual number of examples."""
    return settings(max_examples=settings().max_examples // 3)
