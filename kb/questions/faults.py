"""Where and why code failed. Its text is sent into the sandbox: nothing of kb is imported."""

from __future__ import annotations

OWN = ("<given>", "<reference>", "<tests>", "<answer>")


def fault(part: str, error: BaseException) -> tuple[str, int | None, str]:
    """The part and the line of the deepest own source that ``error`` passed through, and its message."""
    line: int | None = None
    if isinstance(error, SyntaxError) and error.filename in OWN:
        return error.filename[1:-1], error.lineno, _message(error)
    frame = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file in OWN:
            part, line = file[1:-1], frame.tb_lineno
        frame = frame.tb_next
    return part, line, _message(error)


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # an exception of the learner's may do anything when it is printed
        text = ""
    name = type(error).__name__
    return f"{name}: {text}"[:1000] if text else name
