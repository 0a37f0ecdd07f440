import pytest
from pydantic import BaseModel

from dogan_agents.engine.action import MARK, Context, action, registry
from dogan_agents.engine.errors import ActionError, InputError, Suspend
from dogan_agents.lab import actions as lab_actions


class Numbers(BaseModel):
	a: int
	b: list[int] = []


class Sum(BaseModel):
	sum: int


@action(title="Add up", external=True)
def add(context: Context, input: Numbers) -> Sum:
	"""Add numbers up.

	All of them.
	"""
	return Sum(sum=input.a + sum(input.b))


def make_context(**fields) -> Context:
	values = {
		"run": {},
		"task": "t",
		"step": "s",
		"agent": None,
		"user": "u",
		"attempt": 1,
		"waited_until": 0,
		"now": 7,
	}
	return Context(**{**values, **fields})


def test_a_decorated_function_is_still_itself():
	assert add(make_context(), Numbers(a=1, b=[2])) == Sum(sum=3)


def test_what_is_registered():
	found = getattr(add, MARK)
	assert (found.name, found.title, found.external, found.pure) == ("add", "Add up", True, False)
	assert (found.input_model, found.output_model) == (Numbers, Sum)
	assert found.description == "Add numbers up.\n\nAll of them."


def test_a_name_of_its_own():
	found = getattr(action(title="t", name="plus")(lambda_like), MARK)
	assert found.name == "plus" and found.output_model is None and found.description == ""


def lambda_like(context: Context, input: Numbers) -> dict:
	return {}


def test_input_wants_a_model():
	def bad(context: Context, input: dict) -> None: ...

	with pytest.raises(ActionError, match="bad: annotate `input`"):
		action(title="Bad")(bad)


def test_every_field_that_does_not_fit_is_named():
	with pytest.raises(InputError, match=r"^a: .*; b\.1: .*integer"):
		getattr(add, MARK).parse({"a": "x", "b": [1, "y"]})


def test_registry():
	found = registry(["dogan_agents.lab.actions.trivial", "dogan_agents.actions.wait.wait"])
	assert set(found) == {"trivial", "wait"}
	assert found["trivial"].function is lab_actions.trivial


@pytest.mark.parametrize(
	"path",
	["", "trivial", "nowhere.at.all", "dogan_agents.lab.actions.Model", "dogan_agents.lab.actions.gone"],
)
def test_registry_names_a_path_that_is_no_action(path):
	with pytest.raises(ActionError, match=f"dogan_actions names {path}"):
		registry([path])


@pytest.mark.parametrize(
	("call", "due"),
	[(lambda c: c.wait_until(5), 5), (lambda c: c.wait_for(2), 2_000_007), (lambda c: c.wait_for(0), 7)],
)
def test_waiting_is_not_an_exception_that_an_action_could_swallow(call, due):
	with pytest.raises(Suspend) as suspended:
		try:
			call(make_context())
		except Exception:
			pytest.fail("swallowed")
	assert suspended.value.due == due
