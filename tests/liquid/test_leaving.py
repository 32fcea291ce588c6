"""What uses unknown variables is left as it is written, and all else is rendered."""

from cProfile import Profile

import pytest

from cio_mcp.liquid import LeftTags, render

KNOWN = {"trigger": {"code": "X1", "rows": [1, 2]}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hi {{ customer.name }}, {{trigger.code}}", "Hi {{ customer.name }}, X1"),
        ('{{ "customer" }} {{ trigger.customer }}{{ trigger["customer"] }}', "customer "),
        ("{{ trigger.code | append: customer.id }}", "{{ trigger.code | append: customer.id }}"),
        (
            "{% if customer.vip %}{{trigger.code}}{% else %}no{% endif %}",
            "{% if customer.vip %}X1{% else %}no{% endif %}",
        ),
        (
            "{% if trigger.no %}a{% elsif customer.vip %}b{% else %}c{% endif %}",
            "{% if trigger.no %}a{% elsif customer.vip %}b{% else %}c{% endif %}",
        ),
        ("{% if trigger.code == 'customer' %}a{% else %}c{% endif %}", "c"),
        (
            "{% for one in customer.rows %}{{ one.name }}{{trigger.code}}{% endfor %}",
            "{% for one in customer.rows %}{{ one.name }}X1{% endfor %}",
        ),
        (
            "{% for row in trigger.rows %}{{row}}{{customer.id}}{% endfor %}",
            "1{{customer.id}}2{{customer.id}}",
        ),
        ("{% assign name = customer.name | default: 'you' %}Hi {{ name }}", "Hi {{ name }}"),
        (
            "{% if customer.vip %}{% assign x = 'VIP' %}{% endif %}{{ x }}",
            "{% if customer.vip %}{% endif %}{{ x }}",
        ),
        ("{% capture x %}Hi {{ customer.name }}{% endcapture %}{{ x }}!", "Hi {{ customer.name }}!"),
        ("{% assign code = trigger.code %}{{ code }}", "X1"),
        ("{{ customer.a }}{% endif %}", None),
        ("\ue0f00\ue0f1{{ customer.a }}\ue0f09\ue0f1", "{{ customer.a }}{{ customer.a }}"),
    ],
)
def test_what_uses_an_unknown_variable_stays_as_it_is_written(text: str, shown: str | None) -> None:
    left = LeftTags({"customer"})
    found = render(left.without(text), KNOWN)

    assert (left.back(found.text) if not found.fault else None) == shown


def test_blocks_in_blocks_take_no_more_each_the_more_there_are() -> None:
    def calls(count: int) -> int:
        with Profile() as profile:
            LeftTags({"customer"}).without("{% if trigger.a %}" * count)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(800) < 3 * calls(400)
