"""What a policy costs and brings, in the simulator: ``python bench/policies.py [--write bench/policies.md]``.

The learners are drawn around the published weights of FSRS-6 (each weight times e^N(0, 0.3²)); the schedules do not
know them. Every number is a mean over the learners named; the same seeds give the same table.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path

from kb.memory import credit, fsrs, history, metrics, optimise, placement
from kb.memory.fsrs import DEFAULT_WEIGHTS
from kb.memory.history import Answer
from kb.memory.learners import Learner, draw_learner
from kb.memory.scheduler import Scheduler
from kb.memory.simulate import FIRST_DAY, Course, Outcome, Policy, compare, distances, simulate
from kb.memory.sm2 import Sm2

Table = list[str]
RETENTIONS = (0.8, 0.85, 0.9, 0.95)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows), ""]


def over(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> float:
    return mean([value(outcome) for outcome in outcomes])


def heard(learner: Learner, policy: Policy, course: Course) -> list[Answer]:
    """The answers of ``learner`` in ``course``."""
    answers: list[Answer] = []
    simulate(learner, policy, course, lambda answer, _: answers.append(answer))
    return answers


def schedules() -> Table:
    learners = [draw_learner(seed) for seed in range(10)]
    policies = [Policy(f"FSRS-6, retention {r:.2f}", Scheduler(desired_retention=r)) for r in RETENTIONS]
    rows = []
    for name, outcomes in compare(learners, [*policies, Policy("SM-2", Sm2())], Course()).items():
        rows.append(
            (
                name,
                f"{over(outcomes, lambda o: o.reviews):,.0f}",
                f"{over(outcomes, lambda o: o.retention):.3f}",
                f"{over(outcomes, lambda o: o.recall):.0f}",
                f"{over(outcomes, lambda o: o.mean_recall):.0f}",
                f"{over(outcomes, lambda o: o.minutes) / 60:.0f}",
                f"{over(outcomes, lambda o: o.minutes_per_recalled):.2f}",
            )
        )
    head = ("schedule", "reviews", "recalled at review", "known at the end", "known, mean", "hours", "minutes each")
    return [
        "## Schedules",
        "",
        "A year, 1,000 questions, 20 new ones a day, 10 learners, default weights.",
        "",
        *table(head, rows),
    ]


def own_weights() -> Table:
    """A first course teaches the weights, a second one uses them."""
    rows = []
    outcomes: dict[str, list[Outcome]] = {"defaults": [], "fitted by kb": [], "the learner's own": []}
    for seed in range(10):
        learner = draw_learner(seed)
        learned = optimise.learn(history.items(heard(learner, Policy("first"), Course(500, 180))))
        again = Learner(learner.weights, seed + 1000)
        for name, w in zip(outcomes, (DEFAULT_WEIGHTS, learned, learner.weights), strict=True):
            outcomes[name].append(simulate(again, Policy(name, Scheduler(w)), Course(500, 180)))
    for name, each in outcomes.items():
        off = mean([abs(outcome.foreseen - outcome.retention) for outcome in each])
        rows.append(
            (
                name,
                f"{off:.3f}",
                f"{over(each, lambda o: o.retention):.3f}",
                f"{over(each, lambda o: o.recall):.0f}",
                f"{over(each, lambda o: o.minutes) / 60:.1f}",
            )
        )
    return [
        "## Weights of one's own",
        "",
        "500 questions in 180 days teach the weights; another 500 use them. 10 learners, retention 0.90 wanted.",
        "",
        *table(("weights", "foreseen − recalled, size", "recalled at review", "known at the end", "hours"), rows),
    ]


def moving_towards_the_defaults() -> Table:
    """Log loss above that of the learner's own weights, on the last 1,000 items."""
    head = (
        "spread of the learners",
        "training items",
        "defaults",
        "fit",
        *(f"halfway at {n}" for n in (250, 500, 1000, 2000)),
    )
    rows = []
    for spread in (0.15, 0.3, 0.5):
        losses: dict[int, list[list[float]]] = {}
        for seed in range(8):
            learner = draw_learner(seed, spread)
            items = history.items(heard(learner, Policy("any"), Course(700, 300)))
            test = items[-1000:]
            outcomes = [item.recalled for item in test]

            def loss(w: fsrs.Weights, test: list[history.Item] = test, outcomes: list[bool] = outcomes) -> float:
                return metrics.log_loss(outcomes, history.predictions(test, w))

            own = loss(learner.weights)
            for size in (200, 500, 1000, 2000):
                fitted = optimise.fit(items[:size])
                shares = (0.0, 1.0, *(size / (size + half) for half in (250, 500, 1000, 2000)))
                mixed = [
                    tuple((1 - t) * a + t * b for a, b in zip(DEFAULT_WEIGHTS, fitted, strict=True)) for t in shares
                ]
                losses.setdefault(size, []).append([loss(w) - own for w in mixed])
        for size, each in losses.items():
            rows.append((spread, size, *(f"{mean(column):.4f}" for column in zip(*each, strict=True))))
    return [
        "## Moving fitted weights towards the defaults",
        "",
        "Log loss above that of the learner's own weights, on the last 1,000 items; 8 learners for each spread. They",
        "follow FSRS-6 exactly, so that the fit is of the true model: the wider the spread and the fewer the items,",
        "the more is lost by moving. On the real log (`bench/memory.md`), where the model is not exact, moving wins.",
        "",
        *table(head, rows),
    ]


def load() -> Table:
    learners = [draw_learner(seed) for seed in range(6)]
    policies = [
        Policy("no fuzz", Scheduler(fuzz=False)),
        Policy("fuzz"),
        Policy("fuzz, balanced", balance=True),
        Policy("fuzz, balanced, weekends easy", balance=True, easy_days=(5, 6)),
    ]
    rows = []
    for name, outcomes in compare(learners, policies, Course()).items():
        rows.append(
            (
                name,
                f"{over(outcomes, lambda o: o.reviews):,.0f}",
                f"{over(outcomes, lambda o: o.mean_recall):.0f}",
                f"{over(outcomes, spread_of_days):.1f}",
                f"{over(outcomes, lambda o: o.busiest):.0f}",
                f"{over(outcomes, weekend_share):.2f}",
            )
        )
    head = ("policy", "reviews", "known, mean", "deviation of days", "busiest day", "weekend/weekday")
    text = "The same course, 6 learners; answers a day in the second half of the year."
    return ["## Evening out the days", "", text, "", *table(head, rows)]


def second_half(outcome: Outcome) -> list[tuple[int, int]]:
    """(study day, answers) of the second half of the course."""
    days = list(enumerate(outcome.daily, FIRST_DAY))
    return days[len(days) // 2 :]


def spread_of_days(outcome: Outcome) -> float:
    counts = [count for _, count in second_half(outcome)]
    return sqrt(mean([(count - mean(counts)) ** 2 for count in counts]))


def weekend_share(outcome: Outcome) -> float:
    from kb.memory.days import weekday

    weekends = [count for day, count in second_half(outcome) if weekday(day) >= 5]
    workdays = [count for day, count in second_half(outcome) if weekday(day) < 5]
    return mean(weekends) / mean(workdays)


def curriculum(questions: int, seed: int = 0) -> list[tuple[int, ...]]:
    """From the 20th on, each question rests on two that came ten to sixty places before it."""
    draw = random.Random(seed)
    return [tuple(sorted(draw.sample(range(max(0, q - 60), q - 9), 2))) if q >= 20 else () for q in range(questions)]


def credits() -> Table:
    learners = [draw_learner(seed) for seed in range(4)]
    requires = curriculum(600)
    policies = [
        Policy("no credit"),
        *(Policy(f"credit {share:.2f}", credit=share) for share in (0.1, 0.25, 0.5)),
        *(Policy(f"no credit, retention {r:.2f}", Scheduler(desired_retention=r)) for r in (0.88, 0.86, 0.84)),
    ]
    rows = []
    for transfer in (0.0, 0.1, 0.25, 0.5):
        course = Course(600, 270, requires=requires, transfer=transfer)
        for name, outcomes in compare(learners, policies, course).items():
            rows.append(
                (
                    f"{transfer:.2f}",
                    name,
                    f"{over(outcomes, lambda o: o.reviews):,.0f}",
                    f"{over(outcomes, lambda o: o.recall):.0f}",
                    f"{over(outcomes, lambda o: o.mean_recall):.0f}",
                    f"{over(outcomes, lambda o: o.minutes) / 60:.1f}",
                )
            )
    head = ("real carry-over", "policy", "reviews", "known at the end", "known, mean", "hours")
    return [
        "## Credit to prerequisites",
        "",
        "600 questions in 270 days, each resting on two earlier ones; 4 learners. The real carry-over is the share of",
        "a Good answer that passing a question is to those below it. Where there is none, the smallest credit costs",
        "an eighth of what is known. From 0.25 on, a credit of about half of it knows a little more for the same",
        "work than no credit with a lower retention. So little to gain and so much to lose: credit is off. What the",
        "carry-over of a learner is, `credit.carry_over` finds in a log, if a little low:",
        "",
        *detection(learners, requires),
        *table(head, rows),
    ]


def detection(learners: Sequence[Learner], requires: Sequence[tuple[int, ...]]) -> Table:
    below = distances(requires)

    def rests_on(question: str) -> list[tuple[str, int]]:
        return [(f"q/{other}", distance) for other, distance in below[int(question[2:])]]

    rows = []
    for transfer in (0.0, 0.1, 0.25, 0.5):
        found = []
        for learner in learners:
            answers = heard(learner, Policy("any"), Course(600, 270, requires=requires, transfer=transfer))
            losses = credit.carry_over(answers, rests_on, optimise.learn(history.items(answers)))
            found.append(min(losses, key=losses.__getitem__))
        rows.append((f"{transfer:.2f}", ", ".join(f"{share:.2f}" for share in found)))
    return table(("real carry-over", "found for each learner"), rows)


def exams() -> Table:
    learners = [draw_learner(seed) for seed in range(6)]
    policies = [
        Policy("usual"),
        Policy("exam, floor 0.90", exam=0.9),
        Policy("exam, floor 0.95", exam=0.95),
        Policy("retention 0.95 throughout", Scheduler(desired_retention=0.95)),
    ]
    rows = []
    for length in (30, 90, 180):
        for name, outcomes in compare(learners, policies, Course(300, length)).items():
            rows.append(
                (
                    length,
                    name,
                    f"{over(outcomes, lambda o: o.recall / o.introduced):.3f}",
                    f"{over(outcomes, lambda o: o.reviews):,.0f}",
                    f"{over(outcomes, lambda o: sum(o.daily[-7:])):.0f}",
                )
            )
    head = ("days to the exam", "policy", "recall on the day", "reviews", "answers in the last week")
    text = "300 questions, 6 learners whom the schedule takes for average. The floor holds for every question."
    return ["## An exam", "", text, "", *table(head, rows)]


def places() -> Table:
    rows = []
    for size in (12, 30, 60):
        scores: dict[str, list[float]] = {"chosen": [], "by lot": [], "none": []}
        asked = []
        for seed in range(40):
            draw = random.Random(seed)
            graph = {
                f"t{i:02}": {
                    f"t{j:02}" for j in draw.sample(range(max(0, i - 12), i), min(i, draw.choice((0, 1, 1, 2))))
                }
                for i in range(size)
            }
            start = placement.begin(graph, seed=seed)
            truth = placement.begin(graph, states=1, seed=seed + 10_000).states[0]

            def reply(
                topic: str, start: placement.Placement = start, truth: int = truth, draw: random.Random = draw
            ) -> bool:
                known = truth >> start.topics.index(topic) & 1
                return draw.random() < (1 - placement.SLIP if known else placement.GUESS)

            chosen = start
            while (topic := chosen.next_topic()) is not None:
                chosen = chosen.answer(topic, reply(topic))
            asked.append(len(chosen.asked))
            by_lot = start
            for topic in draw.sample(start.topics, len(chosen.asked)):
                by_lot = by_lot.answer(topic, reply(topic))
            for name, each in zip(scores, (chosen, by_lot, start), strict=True):
                right = [(p >= 0.5) == bool(truth >> bit & 1) for bit, p in enumerate(each.known().values())]
                scores[name].append(mean(right))
        rows.append((size, f"{mean(asked):.1f}", *(f"{mean(each):.3f}" for each in scores.values())))
    return [
        "## Placement",
        "",
        "Topics rightly told known from unknown, 40 random graphs and people; one answer in ten slips, one in five is",
        "guessed.",
        "",
        *table(("topics", "questions", "chosen one by one", "as many by lot", "none asked"), rows),
    ]


PARTS = (schedules, own_weights, moving_towards_the_defaults, load, credits, exams, places)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the report there and not to stdout")
    options = parser.parse_args()
    started = time.process_time()
    simulate(draw_learner(0), Policy("one"), Course())
    seconds = time.process_time() - started
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    lines = [
        "# Policies in the simulator",
        "",
        f"Made by `python bench/policies.py` on {machine}.",
        f"One learner's year of 1,000 questions took {seconds:.1f} s of CPU.",
        "",
    ]
    for part in PARTS:
        lines += part()
        print(f"{part.__name__}: {time.process_time() - started:.0f} s", file=sys.stderr)
    text = "\n".join(lines)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
