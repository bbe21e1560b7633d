"""What holds for every plugin holds for this one."""

from kernel.testing.suite import PluginSuite


class TestConformance(PluginSuite):
    plugin = "loyalty"
