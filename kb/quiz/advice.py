"""What to do next, and why: read off what is due, what has been begun, and how topics rest on each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from kb.memory.days import Moment

if TYPE_CHECKING:
    from kb.knowledge.catalog import Entry
    from kb.knowledge.library import Library
    from kb.store.store import Row, Store


class Suggestion(NamedTuple):
    """A command to type, and the reason in a sentence. ``kind`` tells scripts what it is about."""

    kind: str  # "review", "exam", "continue", "begin", "strengthen", "prove"
    command: str
    why: str


def suggestions(library: Library, store: Store, now: Moment) -> list[Suggestion]:
    """What could be done now, the most useful first; each command once, for the best of its reasons."""
    found: dict[str, Suggestion] = {}
    for one in Advisor(library, store, now).all():
        found.setdefault(one.command, one)
    return list(found.values())


class Advisor:
    """Looks at every topic once and tells what it sees."""

    def __init__(self, library: Library, store: Store, now: Moment) -> None:
        self.library = library
        self.store = store
        self.now = now
        self.day = store.study_day(now)
        self.entries: dict[str, Entry] = {entry.name: entry for entry in library.entries()}
        self.questions = {
            name: [f"{name}/{identity}" for identity in entry.questions] for name, entry in self.entries.items()
        }
        everything = [question for names in self.questions.values() for question in names]
        self.rows: dict[str, Row] = store.states(everything)
        self.placed = store.placed()
        self.due = [row.question for row in store.due(now, everything)]

    def all(self) -> Iterator[Suggestion]:
        """The suggestions, in their order."""
        if self.due:
            yield self._review()
        yield from self._exam()
        yield from self._continue()
        yield from self._begin()
        yield from self._strengthen()
        yield from self._prove()

    def unseen(self, topic: str) -> list[str]:
        """The questions of ``topic`` that were never answered and are not set aside."""
        return [name for name in self.questions[topic] if not self._is_seen(name) and not self._is_held(name)]

    def unmet(self, topic: str) -> list[str]:
        """The topics that ``topic`` rests on, not placed as known, that have questions never answered."""
        needed = self.library.requires(topic)
        return [below for below in needed if below not in self.placed and self.unseen(below)]

    def _is_seen(self, name: str) -> bool:
        return name in self.rows and self.rows[name].state is not None

    def _is_held(self, name: str) -> bool:
        return name in self.rows and self.rows[name].is_held(self.day)

    def _review(self) -> Suggestion:
        topics: dict[str, int] = {}
        for name in self.due:
            topic = name.partition("/")[0]
            topics[topic] = topics.get(topic, 0) + 1
        most = sorted(topics, key=lambda topic: (-topics[topic], topic))
        named = ", ".join(f"{topic} {topics[topic]}" for topic in most[:3])
        rest = f" and {len(most) - 3} more topics" if len(most) > 3 else ""
        recall, weakest = min((self._recall(name), name) for name in self.due)
        are = "1 question is" if len(self.due) == 1 else f"{len(self.due):,} questions are"
        why = f"{are} due ({named}{rest}); the weakest, {weakest}, is remembered with {recall:.0%} by now"
        return Suggestion("review", "kb quiz", why)

    def _exam(self) -> Iterator[Suggestion]:
        """What is still new of the next exam that has something new, or what that rests on."""
        for exam in self.store.exams():
            topics = [topic for topic in exam.topics if topic in self.questions] if exam.day > self.day else []
            unseen = {topic: names for topic in topics if (names := self.unseen(topic))}
            if not unseen:
                continue
            days = exam.day - self.day
            count = sum(map(len, unseen.values()))
            when = "tomorrow" if days == 1 else f"in {days} days"
            are = "is" if count == 1 else "are"
            why = f"the exam {exam.name} is {when}, and {count} of its questions {are} new to you"
            # in the order in which its topics rest on each other
            topic = min(unseen, key=lambda topic: (len(self.library.requires(topic)), topic))
            unmet = self.first_unmet(topic)
            if unmet is not None:
                yield Suggestion("exam", f"kb learn {unmet}", f"{why}; {topic} rests on it")
            else:
                untouched = len(unseen[topic]) == len(self.questions[topic])
                yield Suggestion("exam", f"kb {'learn' if untouched else 'quiz'} {topic}", why)
            return

    def _recall(self, name: str) -> float:
        state = self.rows[name].state
        return 1.0 if state is None else self.store.scheduler(name).retrievability(state, self.now)

    def _continue(self) -> Iterator[Suggestion]:
        """Topics that were begun, the one nearest to its end first."""
        begun = []
        for topic, names in self.questions.items():
            unseen = self.unseen(topic)
            if unseen and any(map(self._is_seen, names)):
                begun.append((topic in self.placed, len(unseen) / len(names), len(unseen), topic))
        for _, _, count, topic in sorted(begun)[:2]:
            total = len(self.questions[topic])
            unmet = self.first_unmet(topic)
            if unmet is not None:
                why = f"you have begun {topic}, which rests on it: {self.progress(unmet)}"
                yield Suggestion("begin", f"kb learn {unmet}", why)
                continue
            yield Suggestion("continue", f"kb quiz {topic}", f"{count} of its {total} questions you have not seen yet")

    def first_unmet(self, topic: str) -> str | None:
        """The first topic on the way to ``topic`` that has not been met; all that it rests on in turn has been."""
        return next((needed for needed in self.unmet(topic) if not self.unmet(needed)), None)

    def progress(self, topic: str) -> str:
        """How many of a topic's questions have been seen, in a few words."""
        total, unseen = len(self.questions[topic]), len(self.unseen(topic))
        return f"you have seen {total - unseen} of its {total} questions" if unseen < total else "it is new to you"

    def _begin(self) -> Iterator[Suggestion]:
        """Untouched topics whose prerequisites have been met, those that most others rest on first."""
        ready = []
        for topic, names in self.questions.items():
            untouched = names and len(self.unseen(topic)) == len(names) and topic not in self.placed
            if untouched and not self.unmet(topic):
                opens = [other for other in self.entries if topic in self.library.requires(other)]
                ready.append((-len(opens), topic, opens))
        for _, topic, opens in sorted(ready)[:2]:
            needs = self.library.requires(topic)
            why = f"you have met all it rests on ({', '.join(needs[:4])})" if needs else "it rests on nothing else"
            if opens:
                why += f", and {', '.join(opens[:3])} {'rests' if len(opens) == 1 else 'rest'} on it"
            yield Suggestion("begin", f"kb learn {topic}", why)

    def _strengthen(self) -> Iterator[Suggestion]:
        """The topic that is remembered worst."""
        means = []
        for topic, names in self.questions.items():
            recalls = [self._recall(name) for name in names if self._is_seen(name)]
            if len(recalls) >= 3:
                means.append((sum(recalls) / len(recalls), topic))
        if means and min(means)[0] < 0.85:
            recall, topic = min(means)
            why = f"it is your weakest topic: remembered with {recall:.0%} on average"
            yield Suggestion("strengthen", f"kb quiz {topic} --cram", why)

    def _prove(self) -> Iterator[Suggestion]:
        """A demo of a topic that was begun, whose checks were never seen to hold here."""
        for topic, names in self.questions.items():
            if not any(map(self._is_seen, names)):
                continue
            for demo in self.entries[topic].demos:
                if self.store.evidence_of(demo) is None:
                    why = f"it proves claims of {topic} and has not been run here yet"
                    yield Suggestion("prove", f"kb demo {demo}", why)
                    return


def explain(library: Library, store: Store, topic: str, now: Moment) -> Suggestion:
    """What to do to get on with ``topic``, and why."""
    advisor = Advisor(library, store, now)
    name = library.resolve(topic)
    first = advisor.first_unmet(name)
    if first is not None:
        more = len(advisor.unmet(name)) - 1
        also = f", and on {more} more {'topic' if more == 1 else 'topics'} after it (kb path {name})" if more else ""
        return Suggestion(
            "begin", f"kb learn {first}", f"the topic {name} rests on it{also}; {advisor.progress(first)}"
        )
    names = [question for one in library.expand([name]) for question in advisor.questions[one]]
    due = [question for question in advisor.due if question in names]
    if due:
        return Suggestion("review", f"kb quiz {name}", f"{len(due)} of its {len(names)} questions are due")
    unseen = [question for one in library.expand([name]) for question in advisor.unseen(one)]
    if unseen and len(unseen) == len(names):
        return Suggestion("begin", f"kb learn {name}", "you have not begun it, and have met all it rests on")
    if unseen:
        return Suggestion("continue", f"kb quiz {name}", f"{len(unseen)} of its {len(names)} questions are new to you")
    return Suggestion("strengthen", f"kb quiz {name} --cram", "you have seen all of it, and nothing is due")
