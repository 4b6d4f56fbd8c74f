"""The commands, one a file: the module ``name`` has a click command ``command``.

The table gives each command's line in ``kb --help``, which is thus shown without importing them.
"""

COMMANDS = {
    "quiz": "Answer what is due, then new questions.",
    "learn": "Read TOPIC part by part: each part's questions are asked after it.",
    "place": "Find where to start, in about ten questions.",
    "demo": "Run a demo: measure a claim and check it.",
    "show": "Show a topic: its text, and its claims with verdict, source and last evidence.",
    "topics": "List the topics.",
    "due": "Count what is due.",
    "next": "Say what to do next, and why.",
    "path": "Show the way to a topic: all that it rests on, in the order to learn it.",
    "search": "Search topics, bodies, claims, questions and sources.",
    "stats": "Show how memory is doing.",
    "exam": "Plan for an exam: know TOPIC well on DATE.",
    "simulate": "Compare schedules on simulated learners: what each costs, and what is known in the end.",
    "optimize": "Fit the schedule's weights to your own answers, and keep them only if they foresee better.",
    "check": "Check topic files as a compiler checks code.",
    "verify": "Run the proofs of the claims.",
    "plugins": "List the plugins, broken ones with their cause.",
    "install": "Install a pack into kb's own environment.",
    "new": "Start a topic or a pack of your own.",
    "undo": "Take the last answers back.",
    "suspend": "Stop asking QUESTION, or start again with --off.",
    "import": "Take in a review log of another program, a CSV file, as answers to questions of a topic of its own.",
    "log": "Print the log: every answer, undo, suspension and change of weights, in order.",
    "doctor": "Prove that the database is sound and agrees with its log.",
    "backup": "Copy the database into FILE and verify the copy.",
    "restore": "Make the database what is in FILE, a backup.",
    "config": "Show the settings, or change one.",
    "schema": "Print the JSON schema of topic files, with the question kinds of all plugins.",
    "completion": "Print the shell's completion script.",
}
