"""Runs code that may be wrong or hostile.

``sandbox.Sandbox`` is the way in; ``levels`` says what shuts the code in here, ``view`` what it may see, ``bubblewrap``
and ``confine`` shut it in, ``worker`` runs it.
"""
