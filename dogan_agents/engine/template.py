"""Conditions and templates: Jinja in a sandbox, the same in every host. A lone `{{ expression }}` keeps its type."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, meta, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dogan_agents.engine.errors import TemplateError

RUN_NAMES = frozenset({"run", "input", "steps"})


class DataEnvironment(ImmutableSandboxedEnvironment):
	"""`input.items` is what the input holds under that name, not the method of Python's dict."""

	def getattr(self, obj: Any, attribute: str) -> Any:
		if isinstance(obj, Mapping) and attribute in obj:
			return obj[attribute]
		return super().getattr(obj, attribute)


_environment = DataEnvironment(undefined=StrictUndefined, autoescape=False)


def evaluate(expression: str, scope: Mapping[str, Any]) -> Any:
	"""The value of a Jinja expression such as `input.amount > 100`; TemplateError says what is wrong with it."""
	return _guard(_expression(expression), scope, expression)


def render(value: Any, scope: Mapping[str, Any]) -> Any:
	"""`value` (any JSON) with each string in it rendered as a template."""
	if isinstance(value, str):
		return _guard(_text(value), scope, value) if "{" in value else value
	if isinstance(value, Mapping):
		return {key: render(item, scope) for key, item in value.items()}
	if isinstance(value, list):
		return [render(item, scope) for item in value]
	return value


def is_template(value: Any) -> bool:
	return any("{{" in text or "{%" in text for text in strings(value))


def strings(value: Any) -> Iterator[str]:
	"""Every string inside a JSON value."""
	if isinstance(value, str):
		yield value
	elif isinstance(value, Mapping):
		for item in value.values():
			yield from strings(item)
	elif isinstance(value, list):
		for item in value:
			yield from strings(item)


def check_template(value: Any, names: frozenset[str] = RUN_NAMES) -> None:
	"""Raise TemplateError when a string in `value` does not parse or uses an unknown name."""
	for text in strings(value):
		_check(_parse(text), names, text)


def check_expression(expression: str, names: frozenset[str] = RUN_NAMES) -> None:
	_check(_parse("{{ (" + expression + ") }}"), names, expression)
	_expression(expression)


def steps_used(value: Any, *, expression: bool = False) -> frozenset[str] | None:
	"""Names of the steps that templates in `value` look at; None when they cannot be told beforehand."""
	used: set[str] = set()
	for text in strings(value):
		tree = _parse("{{ (" + text + ") }}") if expression else _parse(text)
		named = 0
		for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
			step = _step_named(node)
			if step is not None:
				used.add(step)
				named += 1
		if sum(name.name == "steps" for name in tree.find_all(nodes.Name)) > named:
			return None
	return frozenset(used)


def _step_named(node: nodes.Expr) -> str | None:
	"""The step that `steps.name` or `steps["name"]` names."""
	if isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(node.node, nodes.Name):
		if node.node.name == "steps":
			if isinstance(node, nodes.Getattr):
				return str(node.attr)
			if isinstance(node.arg, nodes.Const):
				return str(node.arg.value)
	return None


def _parse(text: str) -> nodes.Template:
	try:
		return _environment.parse(text)
	except JinjaError as error:
		raise TemplateError(f"{error} in: {text[:200]}") from error


def _check(tree: nodes.Template, names: frozenset[str], text: str) -> None:
	unknown = meta.find_undeclared_variables(tree) - names - set(_environment.globals)
	if unknown:
		known = ", ".join(sorted(names))
		raise TemplateError(f"unknown name {', '.join(sorted(unknown))} (known: {known}) in: {text[:200]}")


@lru_cache(maxsize=4096)
def _expression(text: str) -> Callable[..., Any]:
	try:
		return _environment.compile_expression(text, undefined_to_none=False)
	except JinjaError as error:
		raise TemplateError(f"{error} in: {text[:200]}") from error


@lru_cache(maxsize=4096)
def _text(text: str) -> Callable[..., Any]:
	if _is_lone_expression(text):
		return _expression(text[2:-2].removeprefix("-").removesuffix("-"))
	try:
		return _environment.from_string(text).render
	except JinjaError as error:
		raise TemplateError(f"{error} in: {text[:200]}") from error


def _is_lone_expression(text: str) -> bool:
	"""Is the text one `{{ … }}` and nothing else?"""
	body = _parse(text).body
	if not (text.startswith("{{") and text.endswith("}}") and len(body) == 1):
		return False
	return isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1


def _guard(call: Callable[..., Any], scope: Mapping[str, Any], text: str) -> Any:
	try:
		value = call(**scope)
		if isinstance(value, StrictUndefined):
			str(value)
		return value
	except Exception as error:  # filters and methods raise whatever Python does: the template is at fault
		raise TemplateError(f"{error} in: {text[:200]}") from error
