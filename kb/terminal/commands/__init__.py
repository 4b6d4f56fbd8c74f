"""The commands, one a file: the module ``name`` has a click command ``command``.

The table gives each command's line in ``kb --help``, which is thus shown without importing them.
"""

COMMANDS = {
    "quiz": "Answer what is due, then new questions.",
    "learn": "Read a topic part by part, with its questions and its demo.",
    "demo": "Run a demo: measure a claim and check it.",
    "show": "Show a topic: text, claims with verdict, source and last evidence.",
    "topics": "List the topics.",
    "due": "Count what is due.",
    "next": "Say what to do next, and why.",
    "path": "Show the way to a topic through what it rests on.",
    "search": "Search topics, claims and questions.",
    "stats": "Show how memory is doing.",
    "check": "Check topic files as a compiler checks code.",
    "verify": "Run the proofs of the claims.",
    "plugins": "List the plugins, broken ones with their cause.",
    "install": "Install a pack into kb's own environment.",
    "new": "Start a topic or a pack of your own.",
    "undo": "Take the last answers back.",
    "suspend": "Stop asking a question, or start again.",
    "log": "Print the log, every event in order.",
    "doctor": "Prove that the database is sound and agrees with its log.",
    "backup": "Copy the database, verified.",
    "restore": "Bring a backup back, verified.",
    "config": "Show or change the settings.",
    "schema": "Print the JSON schema of topic files for editors.",
    "completion": "Print the shell's completion script.",
}
