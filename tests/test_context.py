"""What an agent is told for a question: the right things, in order, and never more than it asked for."""

from __future__ import annotations

import json
import string

import pytest
from domain_helpers import Shell, few, mail, people
from hypothesis import given, settings
from hypothesis import strategies as st
from transcript_helpers import said, write

from sbfs import context, conversations, graph, messages, projects, quality, reflections, verbs
from sbfs.errors import Error, Invalid, NotFound
from sbfs.store import Store


def ask(store: Store, query: str = "the cache is slow", agent_id: str = "web", **more: object) -> dict:
    """The document of an answer, which is never larger than it says, nor than its budget."""
    document = verbs.run("context", store, agent_id=agent_id, query=query, **more)
    for indent in (None, 2):
        taken = context.tokens(json.dumps(document, ensure_ascii=False, indent=indent))
        assert taken <= document["tokens"] <= document["budget"]
    return document


def ids(document: dict, part: str) -> list[str]:
    """Of the items of a part."""
    return [item["id"] for item in document["context"][part]["items"]]


def test_an_empty_store_says_what_to_do(store):
    """An answer that fails, or looks complete, where there is nothing yet."""
    people(store, "web")
    document = ask(store)
    assert {*document["context"]} == {"conversations", "code_graph", "quality", "mail", "reflections", "docs"}
    assert not any(part["items"] or part["truncated"] for part in document["context"].values())
    assert all(part["read_on"].startswith("sbfs ") for part in document["context"].values())
    assert "graph index web" in document["context"]["code_graph"]["read_on"]


def test_what_presses_comes_first(store):
    """Urgent mail behind old mail that happens to match; a message that is named twice."""
    people(store, "web", "api")
    old = mail(store, sender="api", to="web", subject="Cache", message="The cache is slow since Monday.")
    messages.mark(store, message_ids=[old.id], status="read")
    plain = mail(store, sender="api", to="web", subject="Lunch", message="At noon.")
    fresh = mail(store, sender="api", to="web", subject="Cache again", message="The cache is slow again.")
    urgent = mail(store, sender="api", to="web", subject="Fire", message="Out!", priority="urgent")
    foreign = mail(store, sender="api", to="api", subject="Cache of ours", message="The cache is slow, too.")
    found = ids(ask(store), "mail")
    assert found == [urgent.id, fresh.id, old.id, plain.id]
    assert foreign.id not in found


def test_what_is_known_is_found_and_can_be_read_on(store, tmp_path):
    """A lesson of another project, or a talk, that an agent is not told of; an id that leads nowhere."""
    people(store, "web", "api")
    learnt = reflections.add(store, project="api", title="A slow cache", text="It was the cache key.").reflection
    talk_file = write(tmp_path / "talk.jsonl", said("u1", "Why is the cache slow?"))
    conversations.import_(store, paths=[str(talk_file)], project="web")
    quality.add(store, project="web", components={"coverage": 80.0})
    document = ask(store)
    assert ids(document, "reflections") == [learnt.id]
    (talk,) = {one.partition("#")[0] for one in ids(document, "conversations")}
    assert conversations.show(store, conversation_id=talk)
    (measured,) = document["context"]["quality"]["items"]
    assert (measured["score"], measured["components"], measured["trend"]["change"]) == (80, {"coverage": 80}, None)
    only = ask(store, context_type="quality")["context"]
    assert (only["conversations"], only["code_graph"], len(only["quality"]["items"])) == (None, None, 1)


def test_one_sort_of_knowledge_does_not_fill_the_budget(store):
    """Long mail that leaves no room for the one lesson that counts; a cut that is not said."""
    people(store, "web", "api")
    for number in range(12):
        mail(store, sender="api", to="web", subject=f"Cache {number}", message="the cache is slow " * 200)
    learnt = reflections.add(store, project="api", title="A slow cache", text="It was the cache key.").reflection
    document = ask(store, budget=1200)
    assert ids(document, "reflections") == [learnt.id]
    assert document["context"]["mail"]["truncated"]
    assert not document["context"]["reflections"]["truncated"]
    assert len(ids(ask(store, budget=20_000), "mail")) == 12


def test_who_asks(store):
    """An agent that is known by the name it had elsewhere and is told nothing; a wrong name that is taken for one."""
    people(store, "web", "api")
    projects.set(store, project="web", alias="Webber")
    assert ask(store, agent_id="Webber")["project"] == "web"
    for wrong in ("", "wbe", "../web", "@all", "x" * 5000, "\x00"):
        with pytest.raises(NotFound):
            context.context(store, agent_id=wrong, query="x")
    for wrong in ({"query": " "}, {"context_type": "code"}, {"budget": 40}, {"budget": -1}):
        with pytest.raises(Invalid):
            context.context(store, agent_id="web", **{"query": "x", **wrong})


def test_the_least_budget_is_said_and_is_enough(store):
    """A budget that is refused with one that is refused, too."""
    people(store, "web", "api")
    mail(store, sender="api", to="web", subject="Cache", message="The cache is slow.")
    with pytest.raises(Error) as caught:
        context.context(store, agent_id="web", query="cache", budget=1)
    least = int(caught.value.hint.split()[-1])
    assert ids(ask(store, budget=least), "mail") == []
    assert ask(store, budget=least)["context"]["mail"]["truncated"]


WORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + ' \n\t`"\\{}🙂ßé漢'), min_size=1, max_size=400)


@settings(few, max_examples=8)
@given(texts=st.lists(WORDS, max_size=4), query=WORDS, budget=st.integers(300, 5000))
def test_an_answer_is_never_over_its_budget(tmp_path_factory, clock, texts, query, budget):
    """Texts of any script, at any budget: `ask` counts. The same question is answered the same way."""
    with Store.init(tmp_path_factory.mktemp("any") / "store", clock=clock) as store:
        people(store, "web", "api")
        for text in texts:
            mail(store, sender="api", to="web", subject="cache " + " ".join(text.split())[:100], message=f"x{text}")
            reflections.add(store, project="web", title="A cache", text=text)
        quality.add(store, project="web", score=50)
        if query.strip() and budget > 500:
            assert ask(store, query=query, budget=budget) == ask(store, query=query, budget=budget)


@given(st.text(), st.text())
def test_tokens_are_counted_on_the_safe_side(first, second):
    """A count that is below any that a model can need: of nothing, of a part, of characters without letters."""
    assert context.tokens(first + second) <= context.tokens(first) + context.tokens(second)
    assert context.tokens(first) >= sum(not one.isascii() for one in first)
    assert context.tokens("12:34") == 5
    assert context.tokens("two words") == 3


def test_names_in_a_question():
    """Prose that is taken for code; a name in code that is not seen."""
    query = "Why does `total` in src/cart.py call Cart.add and user_stats(), or getUser, e.g. once? See a.ts::load."
    assert context.names(query) == ["total", "src/cart.py", "Cart.add", "user_stats", "getUser", "e.g"]
    assert context.names("The build is red since this morning. Why?") == []


def test_at_the_shell(store):
    """A person who is shown less than an agent."""
    people(store, "web", "api")
    shell = Shell(store.root)
    sent = mail(store, sender="api", to="web", subject="Cache", message="The cache is slow.")
    assert shell.json("context", "web", "the", "cache", "--type", "all") == ask(store, "the cache")
    spoken = shell("context", "web", "the cache", "--budget", "900")
    assert sent.id in spoken.out
    assert "of 900 tokens" in spoken.err
    shell.fails(3, "not_found", "context", "nobody", "x")
    shell.fails(4, "invalid", "context", "web", "x", "--budget", "1")


def test_code_says_why_it_is_there(store, tmp_path):
    """Code that is named and not told, files torn apart, a symbol without its callers."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "prices.py").write_text('def price_of(item):\n    """What one thing costs."""\n    return item.price\n')
    (source / "cart.py").write_text(
        "from prices import price_of\n\n\nclass Cart:\n    def total(self, items):\n"
        "        return sum(price_of(one) for one in items)\n"
    )
    projects.add(store, name="web")
    graph.index(store, project="web", path=str(source))
    found = verbs.run("context", store, agent_id="web", query="why does Cart.total fail?")["context"]["code_graph"]
    first = found["items"][0]
    assert (first["id"], first["calls"][-1]) == ("cart.py::Cart.total", "prices.py::price_of")
    assert first["why"].startswith("named in the question")
    files = [item["file"] for item in found["items"]]
    assert files == sorted(files, key=files.index)
    (source / "prices.py").write_text("def price_of(item):\n    return 1\n")
    (told,) = verbs.run("context", store, agent_id="web", query="see prices.py")["context"]["code_graph"]["items"][:1]
    assert "changed since" in told["why"]
    assert "cart.py" in {near["file"] for near in told["related"]}
