"""Every root's plugins folder as one package: ``kb.plugins.zero`` is ``plugins/zero/`` of the first root that has it.

It has no code of its own, only a path, so that a process which a demo spawned finds the same plugins as its parent.
"""

import os

from kb import roots

__path__ = [
    *(root.plugins for root in roots.content_roots(os.environ)),
    *filter(None, os.environ.get("KB_PACK_PLUGINS", "").split(os.pathsep)),  # packs' folders, set by the registry
]
