import html

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.pages.markup import join, tag


@settings(deadline=None)
@given(st.text())
def test_text_and_attributes_come_back_as_they_were_and_open_no_tag(text: str) -> None:
    made = tag("p", text, title=text)
    assert made.count("<") == 2 and made.count(">") == 2
    inside = made[made.index(">") + 1 : -len("</p>")]
    assert html.unescape(inside) == html.unescape(html.escape(text))
    assert '"' not in made.removeprefix('<p title="').split('">')[0]


def test_markup_is_not_escaped_twice_and_nothing_is_nothing() -> None:
    assert tag("p", tag("b", "a & b"), None, [], data_l=None, hidden=False) == "<p><b>a &amp; b</b></p>"
    assert join("<", tag("br")) == "&lt;<br/>"
