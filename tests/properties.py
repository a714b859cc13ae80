"""How properties are tried: the same examples in every run, however slow the machine.

A run that may be refused because of a rare example that has nothing to do with the change tells nobody anything. Other
examples, and many more of them, are for whoever looks for them: `pytest --hypothesis-profile=search`.
"""

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("search", deadline=None, max_examples=2000, suppress_health_check=_SLOW)
settings.load_profile("same")


def dear() -> settings:
    """Return for whose examples cost tens of milliseconds a third of the usual number; `search` tries as many more."""
    return settings(max_examples=settings().max_examples // 3)
