import pytest

from dogan_agents.engine import template
from dogan_agents.engine.errors import TemplateError

SCOPE = {
	"run": {"name": "r1", "user": "ada@example.com"},
	"input": {
		"amount": 5,
		"name": "Ada",
		"items": [{"qty": 2}, {"qty": 3}],
		"none": None,
		"yes": True,
		"get": "key",
	},
	"steps": {"a": {"status": "Completed", "output": {"value": 1.5}, "error": None}},
}


@pytest.mark.parametrize(
	("text", "value"),
	[
		("plain", "plain"),
		("a { b } c", "a { b } c"),
		("{{ input.amount }}", 5),
		("{{input.amount}}", 5),
		("{{- input.amount -}}", 5),
		("{{ -input.amount }}", -5),
		("{{ - 3 }}", -3),
		("{{ +input.amount }}", 5),
		("{{ input.amount - 1 }}", 4),
		("{{ input.yes }}", True),
		("{{ input.none }}", None),
		("{{ steps.a.output.value }}", 1.5),
		("{{ steps['a'].output }}", {"value": 1.5}),
		("{{ input.items }}", [{"qty": 2}, {"qty": 3}]),
		("{{ input['items'][0].qty }}", 2),
		("{{ input.get }}", "key"),
		("{{ input.items | sum(attribute='qty') }}", 5),
		("{{ {'a': [input.amount]} }}", {"a": [5]}),
		("{{ '}}' }}", "}}"),
		("{{ input.amount if input.yes else 0 }}", 5),
		("{{ input.amount }}{{ input.amount }}", "55"),
		("{{ input.amount }} €", "5 €"),
		(" {{ input.amount }}", " 5"),
		("{# no #}{{ input.amount }}", "5"),
		("{{ input.amount }}{# no #}", "5"),
		("{% for item in input['items'] %}{{ item.qty }};{% endfor %}", "2;3;"),
		("Dear {{ input.name }}", "Dear Ada"),
	],
)
def test_render(text, value):
	rendered = template.render(text, SCOPE)
	assert rendered == value
	assert type(rendered) is type(value)


def test_render_goes_through_lists_and_dicts_and_leaves_the_rest():
	value = {"a": ["{{ input.amount }}", 1, None, True, {"b": "{{ input.name }}!"}]}
	assert template.render(value, SCOPE) == {"a": [5, 1, None, True, {"b": "Ada!"}]}


@pytest.mark.parametrize(
	("expression", "value"),
	[
		("input.amount > 3", True),
		("input.amount > 3 and steps.a.status == 'Completed'", True),
		("not input.yes", False),
		("input.items", [{"qty": 2}, {"qty": 3}]),
		("input['amount'] in [5]", True),
		("input.missing is defined", False),
		("input.missing | default(3)", 3),
	],
)
def test_evaluate(expression, value):
	assert template.evaluate(expression, SCOPE) == value


@pytest.mark.parametrize(
	"text",
	[
		"{{ input.missing }}",
		"Dear {{ input.missing }}",
		"{{ steps.b.output }}",
		"{{ input.amount / 0 }}",
		"{{ input.amount + 'a' }}",
		"{{ input.amount | dictsort }}",
		"{{ input.name() }}",
		"{{ nothing }}",
		"{{ input.amount | nofilter }}",
		"{{ input.amount",
		"{% if %}",
	],
)
def test_what_cannot_be_rendered_is_a_template_error_that_quotes_it(text):
	with pytest.raises(TemplateError, match="in: "):
		template.render(text, SCOPE)


@pytest.mark.parametrize(
	"escape",
	[
		"''.__class__",
		"''.__class__.__mro__[1].__subclasses__()",
		"input.__class__",
		"''['__class__']",
		"'' | attr('__class__')",
		"'%s'.__format__('')",
		"('{0.__class__}').format('')",
		"'{0.__class__}'.format('')",
		"run.update({'user': 'Administrator'})",
		"input.items.append(1)",
		"input.items.clear()",
		"input.__init__.__globals__",
		"template.evaluate.__globals__",
		"lipsum.__globals__",
		"cycler.__init__.__globals__",
		"self.__init__",
		"range(10000000)",
		"(0).__class__.__base__",
	],
)
def test_the_sandbox_holds(escape):
	before = repr(SCOPE)
	for text in ("{{ " + escape + " }}", "x{{ " + escape + " }}"):
		with pytest.raises(TemplateError):
			assert "class" not in str(template.render(text, SCOPE))
	with pytest.raises(TemplateError):
		template.evaluate(escape, SCOPE)
	assert repr(SCOPE) == before


@pytest.mark.parametrize(
	("text", "known"),
	[
		("{{ doc.name }}", False),
		("{{ input.a }} {{ run.name }} {{ steps.a.output }}", True),
		("{% set x = input.a %}{{ x }}", True),
		("{% for x in input.a %}{{ x }}{% endfor %}", True),
		("{{ range(3) }}", True),
		("{{ frappe.db }}", False),
	],
)
def test_unknown_names_are_told_beforehand(text, known):
	if known:
		template.check_template({"x": [text]})
	else:
		with pytest.raises(TemplateError, match="unknown name"):
			template.check_template({"x": [text]})


def test_other_names_may_be_known():
	template.check_expression("doc.total > 5", frozenset({"doc"}))
	with pytest.raises(TemplateError, match="unknown name input"):
		template.check_expression("input.total > 5", frozenset({"doc"}))


@pytest.mark.parametrize("expression", ["input.a >", "a) or (b", "{{ input.a }}", "input.a; input.b", ""])
def test_bad_expressions_are_refused(expression):
	with pytest.raises(TemplateError):
		template.check_expression(expression)


@pytest.mark.parametrize(
	("value", "used"),
	[
		("plain", set()),
		("{{ steps.a.output }} {{ steps['b'].status }}", {"a", "b"}),
		({"x": ["{{ steps.a.output.steps.z }}"]}, {"a"}),
		("{{ input.steps.a }}", set()),
		("{% if steps.c.status == 'Failed' %}x{% endif %}", {"c"}),
		("{{ steps | length }}", None),
		("{{ steps[input.name].output }}", None),
		("{% for s in steps %}{{ s }}{% endfor %}", None),
	],
)
def test_steps_used(value, used):
	assert template.steps_used(value) == used


@pytest.mark.parametrize(
	("value", "is_one"),
	[("a", False), ("{{ a }}", True), ({"k": ["{% if a %}{% endif %}"]}, True), (5, False)],
)
def test_is_template(value, is_one):
	assert template.is_template(value) is is_one
