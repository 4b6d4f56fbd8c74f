"""Reading in parts: nothing of the text is lost, and each question stands behind the part that answers it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.knowledge.model import QuestionCard, Topic
from kb.quiz.parts import parts, split

BODY = """\
Attention compares every token with every token. The scores are divided by the root of the width.

{filler}

## Memory

The scores take quadratic memory; a fused kernel never writes them out.

```python
x = 1

y = 2
```

## Heads

Several heads attend in parallel subspaces.
"""


def topic(body: str, *asks: str) -> Topic:
    cards = [QuestionCard(id=f"q{n}", kind="recall", ask=ask, why="") for n, ask in enumerate(asks)]
    return Topic(name="t", file="t.yaml", title="T", summary="S", body=body, questions=cards)


def test_a_heading_begins_a_part_and_a_fence_stays_whole() -> None:
    texts = split(BODY.format(filler="More."))
    assert [text.split("\n")[0] for text in texts] == [
        "Attention compares every token with every token. The scores are divided by the root of the width.",
        "## Memory",
        "## Heads",
    ]
    assert "x = 1\n\ny = 2\n```" in texts[1]


def test_questions_follow_the_part_that_speaks_of_them() -> None:
    asks = ("What does a fused kernel not write?", "Why several heads?", "By what are scores divided?")
    first, memory, heads = parts(topic(BODY.format(filler="More."), *asks))
    assert (first.questions, memory.questions, heads.questions) == (("q2",), ("q0",), ("q1",))


def test_without_a_text_the_summary_is_the_one_part() -> None:
    (only,) = parts(topic("", "a", "b"))
    assert only.text == "S" and only.questions == ("q0", "q1")


PARAGRAPH = st.text(alphabet="ab c#`|-\n", max_size=60)


@given(st.lists(PARAGRAPH, max_size=12), st.integers(0, 5))
def test_no_word_and_no_question_is_lost(paragraphs: list[str], questions: int) -> None:
    body = "\n\n".join(paragraphs)
    texts = split(body)
    assert "".join("".join(texts).split()) == "".join(body.split())
    asked = [name for part in parts(topic(body, *["x"] * questions)) for name in part.questions]
    assert sorted(asked) == [f"q{n}" for n in range(questions)]
