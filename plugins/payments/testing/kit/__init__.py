"""What every payment gateway must withstand: the fault cases of the trade, against the simulator of its provider.

```python
from plugins.payments.testing.kit import GatewaySuite

class TestGateway(GatewaySuite):
    plugin = "mpesa"
```

The cases are numbered as in Duka's list of them; what a provider cannot do, by the gateway's own `capabilities`, is
left out aloud. After each case the same is looked at: no money is counted twice, none is counted that no provider
vouched for, provider and books agree, the facts alone give the same state again, and no secret stands in a log.
"""

from plugins.payments.testing.kit.failing import Failing
from plugins.payments.testing.kit.forging import Forging
from plugins.payments.testing.kit.noticing import Noticing
from plugins.payments.testing.kit.opening import Staged, a_stage
from plugins.payments.testing.kit.paying import Paying
from plugins.payments.testing.kit.reading import Reading
from plugins.payments.testing.kit.refunding import Refunding
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.kit.stating import Stating

__all__ = ["GatewaySuite", "Stage", "Staged", "a_stage"]


class GatewaySuite(Paying, Noticing, Forging, Failing, Refunding, Reading, Stating, Staged):
    """All cases. Set `plugin` to the name of the plugin that offers the gateway."""
