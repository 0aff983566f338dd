"""Answers look right, whatever a model writes, however long it is."""

import json
import time

import pytest
from playwright.sync_api import expect

from chat_page import Chat, browser, opened  # noqa: F401
from scripted_model import ScriptedModel

ANSWERS = {
    "table": """| Region | Requests | Share | A comment that is rather long so that the table gets wide | More | Even more | One |
|:--|--:|:-:|---|---|---|---|
| Korea Central | 12,345 | 40 % | `code` in a cell | a | b | c |
| Sweden Central | 9,876 | 32 % | **bold** and *italic* | a | b | c |
""",
    "html": "H<sub>2</sub>O, x<sup>2</sup>, one<br>two, <b onclick=alert(1)>no</b>\n\nFootnote[^1].\n\n[^1]: The *note*.",
    "rtl": "مرحبا! هذه إجابة باللغة العربية مع كلمة English في الوسط.\n\n- البند الأول\n\nEnglish again.",
    "math": r"""The formula is $x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}$ and

$$\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}$$

With brackets: \( E = mc^2 \) and

\[ \sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6} \]

It costs $5 and then $6, and a_b_c and x^2. `$no$`""",
    "mermaid": "A diagram:\n\n```mermaid\ngraph TD\n  A[Client] --> B{Gateway}\n  B --> C[Provisioned]\n```\n\nDone.",
    "broken": "```mermaid\nthis is no diagram\n```\n",
    "code": "".join(
        f"```{name}\n{text}\n```\n\n"
        for name, text in {
            "powershell": "Get-AzCognitiveServicesAccount -ResourceGroupName rg | Select-Object Name # x",
            "bicep": "param location string = 'koreacentral' // where\nresource a 'b@2025' = { name: 'x' }",
            "kql": "requests | where duration > 5s | summarize count() by name // x",
            "php": '<?php echo "hi"; ?>',
            "ruby": "puts 'hi' # x",
        }.items()
    ),
    "picture": "![A picture](https://example.com/x.png)\n\n<img src=x onerror=alert(1)><script>alert(1)</script>\n\n"
    "[click](javascript:alert(1)) [mail](mailto:a@b.example) [data](data:text/html,x)",
    "lists": """1. one
2. two
   - nested
   - [x] done
   - [ ] open

> A quote

~~struck~~ <details><summary>More</summary>hidden</details>

:::note
admonition
:::
""",
    "particles": "**중요(important)**는 **“인용”**이라고 **`코드`**를 씁니다. 2 * 3 * 4, **bold** and *it*.\n\n"
    "Revenue ($) and total ($) of it.\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n",
    "marks": "*a " * 5_000 + "**end**",
    "references": "See [the page][1] and\n\nmore text.\n\n[1]: https://example.com/page",
}


def long_answer(size):
    text, number = "", 0
    while len(text) < size:
        number += 1
        text += (
            f"## Part {number}\n\nSome **bold** words, `code`, a [link](https://example.com/{number}) and more of it, "
            f"again and again.\n\n- one\n- two\n  - three\n\n```python\ndef part_{number}(x):\n    return x + {number}\n```\n\n"
            f"| a | b |\n|---|--:|\n| {number} | {number * 7} |\n\n"
        )
    return text


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    model = ScriptedModel({**ANSWERS, "long": long_answer(155_000)}, piece=400)
    chat = Chat(tmp_path_factory.mktemp("render"), model.url)
    yield chat, model
    chat.stop()
    model.close()


@pytest.fixture
def shown(served, opened):
    def ask(name, **options):
        page = opened(served[0], **options)
        page.ask(f"say:{name}")
        return page, page.last_answer.locator(".text")

    return ask


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_table_keeps_its_words_and_scrolls(shown, phone):
    page, text = shown("table", phone=phone)
    lines = text.locator("td").evaluate_all(
        """cells => cells.map(c => {
            const range = document.createRange();
            range.selectNodeContents(c);
            const tops = new Set([...range.getClientRects()].map(r => Math.round(r.top / 8)));
            return [c.textContent, tops.size, c.textContent.trim().split(' ').length];
        })"""
    )
    for words, height, count in lines:
        assert height <= count, f"{words!r} is broken inside a word"
    assert text.locator("td").nth(1).evaluate("c => getComputedStyle(c).textAlign") == "right"
    assert text.locator("td").nth(2).evaluate("c => getComputedStyle(c).textAlign") == "center"
    if phone:
        assert text.locator(".table").evaluate("t => t.scrollWidth > t.clientWidth")
    page.no_sideways_scroll()
    page.axe("a table")


def test_what_models_write_in_html_and_footnotes(shown):
    page, text = shown("html")
    expect(text.locator("sub")).to_have_text("2")
    expect(text.locator("sup").first).to_have_text("2")
    expect(text.locator("br")).to_have_count(1)
    expect(text).to_contain_text("<b onclick=alert(1)>no</b>")
    expect(text.locator(".footnote-mark")).to_have_text("1")
    expect(text.locator(".footnote em")).to_have_text("note")
    assert "[^1]" not in text.inner_text()
    page.axe("html")


def test_emphasis_before_a_particle_and_signs_that_are_no_formula(shown):
    page, text = shown("particles")
    assert text.locator("strong").all_inner_texts() == ["중요(important)", "“인용”", "코드", "bold"]
    assert text.locator("em").all_inner_texts() == ["it"]
    expect(text).to_contain_text("2 * 3 * 4")
    expect(text).to_contain_text("Revenue ($) and total ($) of it.")
    expect(text.locator("math")).to_have_count(1)
    expect(text.locator("mtr")).to_have_count(2)


def test_right_to_left_text_runs_right_to_left(shown):
    page, text = shown("rtl")
    directions = text.locator("p, li").evaluate_all("all => all.map(p => getComputedStyle(p).direction)")
    assert directions == ["rtl", "rtl", "ltr"]
    page.axe("right to left")


def test_formulas_are_set(shown):
    page, text = shown("math")
    expect(text.locator("math")).to_have_count(4)
    expect(text.locator("math[display=block]")).to_have_count(2)
    expect(text.locator("msqrt").first).to_be_attached()
    expect(text).to_contain_text("It costs $5 and then $6, and a_b_c and x^2.")
    expect(text.locator("p > code")).to_have_text("$no$")
    page.axe("formulas")


def test_a_diagram_is_drawn_where_it_can_reach_nothing(shown):
    page, text = shown("mermaid")
    diagram = text.locator(".diagram")
    expect(diagram).to_have_attribute("data-state", "drawn")
    frame = diagram.locator("iframe")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    expect(frame.content_frame.locator("svg")).to_contain_text("Gateway")
    assert frame.bounding_box()["height"] > 100
    page.axe("a diagram")


def test_what_is_no_diagram_is_shown_as_text(shown):
    page, text = shown("broken")
    expect(text.locator(".diagram")).to_have_attribute("data-state", "failed")
    expect(text.locator(".diagram pre")).to_have_text("this is no diagram\n")
    expect(text.locator("iframe")).to_have_count(0)


def test_the_languages_of_an_azure_user_are_coloured(shown):
    page, text = shown("code")
    expect(text.locator(".code")).to_have_count(5)
    for number in range(5):
        expect(text.locator(".code").nth(number).locator("code span").first).to_be_attached()
    page.axe("code")


def test_pictures_and_scripts_of_an_answer_reach_nobody(shown):
    page, text = shown("picture")
    assert text.locator("img, script, iframe").count() == 0
    expect(text).to_contain_text("A picture")
    links = text.locator("a").evaluate_all("all => all.map(a => a.protocol)")
    assert set(links) <= {"https:", "mailto:"} and "mailto:" in links
    page.axe("a picture")  # and no other host was asked, which the page's fixture checks


def test_lists_quotes_and_what_is_struck(shown):
    page, text = shown("lists")
    expect(text.locator("ol > li")).to_have_count(2)
    expect(text.locator("ol ul > li")).to_have_text(["nested", "☑ done", "☐ open"])
    expect(text.locator("blockquote")).to_have_text("A quote")
    expect(text.locator("del")).to_have_text("struck")
    expect(text).to_contain_text("admonition")
    page.axe("lists")


def test_a_link_may_be_defined_at_the_end(shown):
    _, text = shown("references")
    expect(text.get_by_role("link", name="the page")).to_have_attribute("href", "https://example.com/page")


def long_tasks(trace):
    """Seconds that tasks of 50 ms and more took of the pages' main threads. Of their own CPU time: what a busy machine
    gives to others is not the page's doing."""
    events = json.loads(trace)["traceEvents"]
    mains = {(e["pid"], e["tid"]) for e in events if e.get("name") == "thread_name" and e["args"]["name"] == "CrRendererMain"}
    tasks = [
        e["tdur"] / 1e6
        for e in events
        if e.get("name") == "ThreadControllerImpl::RunTask" and "tdur" in e and (e["pid"], e["tid"]) in mains
    ]
    assert len(tasks) > 100
    return sum(t for t in tasks if t >= 0.05)


def test_a_long_answer_leaves_the_page_its_time(served, browser, opened):
    chat, model = served
    parts = model.answers["long"].count("## Part")
    # The better of two: what else the machine does is no fault of the page.
    for _ in range(2):
        page = opened(chat)
        # Found without looking through the whole page again and again: that would be the test's own long task.
        last = page.page.locator(f"article.answer[data-state=done] h2:text-is('Part {parts}')")
        model.pace = 0.02
        browser.start_tracing(page=page.page, categories=["toplevel"])
        began = time.monotonic()
        page.question.fill("say:long")
        page.question.press("Enter")
        last.wait_for(timeout=180_000)
        seconds = time.monotonic() - began
        share = long_tasks(browser.stop_tracing()) / seconds
        model.pace = 0
        assert seconds > 7
        if share < 0.05:
            break
    assert share < 0.05, f"{share:.0%} of the time in long tasks"
    expect(last).to_be_in_viewport()
    assert page.page.locator(".text h2").all_text_contents() == [f"Part {i + 1}" for i in range(parts)]
    # Scrolled up, one is left where one reads, and can jump to the end.
    page.page.locator(".thread").evaluate("r => r.scrollTop = 100")
    page.page.locator(".to-end").click()
    expect(last).to_be_in_viewport()
    # Opened later, it is there at once, and shown by pieces: neither is a second without the page.
    took = []
    for _ in range(2):
        browser.start_tracing(page=page.page, categories=["toplevel"])
        page.page.reload()
        last.wait_for(timeout=180_000)
        took.append(long_tasks(browser.stop_tracing()))
    took = min(took)
    assert took < 1, f"{took:.2f} s in long tasks"
    expect(last).to_be_in_viewport()


def test_thousands_of_marks_cost_no_seconds(browser, shown):
    page, text = shown("marks")
    browser.start_tracing(page=page.page, categories=["toplevel"])
    page.page.reload()
    expect(text).to_contain_text("*a *a **end**")
    expect(text.locator("em")).to_have_count(0)
    assert long_tasks(browser.stop_tracing()) < 1


def test_what_the_page_needs_at_first_is_small(served, opened):
    page = opened(served[0])
    sizes = page.page.evaluate(
        """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .map(e => [new URL(e.name).pathname, e.encodedBodySize])"""
    )
    assert sum(size for _, size in sizes) < 110 * 1024, sizes
    assert not [path for path, _ in sizes if "katex" in path or "languages" in path or "sandbox" in path]

