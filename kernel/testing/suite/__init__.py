"""The rules that hold for every plugin, as tests that one class turns on:

```python
from kernel.testing.suite import PluginSuite

class TestConformance(PluginSuite):
    plugin = "loyalty"
```

Every message says what to do. What the rules look at is made by `fill` of the plugin's `testing.py`, or, without one,
by its own POST routes. There are no downgrades in Duka: a migration is undone by the next one, so upgrades are tested
from nothing and from every revision there ever was.
"""

from kernel.testing.suite.tests import PluginSuite

__all__ = ["PluginSuite"]
