"""All that plugins bring in. A plugin that is broken is named and left out; it never takes kb down."""

from kb.registry.loading import PluginInfo
from kb.registry.registry import Registry

__all__ = ["PluginInfo", "Registry"]
