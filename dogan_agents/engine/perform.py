"""Performing claimed tasks: several in one transaction, each so that its failure leaves nothing behind."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dogan_agents.engine import payload, template, views
from dogan_agents.engine.action import Action, Context
from dogan_agents.engine.alarm import time_limit
from dogan_agents.engine.claim import Claimed, held
from dogan_agents.engine.complete import Forward, Outcome, complete
from dogan_agents.engine.errors import ActionError, LeaseLost, Signal, StepTimeout, Suspend
from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.engine.ports import AgentSpec, ErrorKind, Host
from dogan_agents.engine.retry import RetryPolicy, Verdict
from dogan_agents.engine.spec import StepSpec
from dogan_agents.engine.sql import TASK, marks
from dogan_agents.engine.states import TaskStatus

GROUP_SECONDS = 0.05  # a transaction takes up no further step after this
SLOW_SECONDS = 0.02  # a step that took longer is committed at once: others may wait for its locks
GROUP_BYTES = 2_000_000  # nor after this much input and output: MariaDB limits the length of a statement
ALONE_TRIES = 3  # of a step whose transaction became void, before its retry policy decides
HELD_BACK_SPREAD = 2.0  # seconds, so that not all that wait for a breaker come at once
ERROR_LENGTH = 10_000  # characters of an error that are kept

STATUS = {Verdict.RETRY: TaskStatus.WAITING, Verdict.FAIL: TaskStatus.FAILED, Verdict.PARK: TaskStatus.PARKED}


class TransactionVoid(Signal):
	"""A step's error took the whole transaction with it: a deadlock, or a connection that is gone.

	The steps of its group are performed anew, one at a time.
	"""

	def __init__(self, task: Claimed, error: BaseException):
		self.task, self.error = task, error
		super().__init__(str(error))


class Performer:
	"""Performs a batch of claimed tasks for one worker."""

	def __init__(self, host: Host, now: Callable[[], int], lost: Callable[[], bool]):
		self.host, self.now, self.lost = host, now, lost
		self.voids: list[tuple[Claimed, BaseException]] = []  # whose error took a transaction with it

	def perform(self, tasks: Sequence[Claimed], leave: Callable[[], bool]) -> Iterator[Forward]:
		"""Perform tasks in group commits; after each, what it made possible.

		Ends early, leaving `self.rest` not begun, when the lease is lost or `leave()` says so between two groups.
		"""
		self._views = views.load(self.host, tasks)
		self.rest = deque(tasks)
		while self.rest and not self.lost():
			begun: list[Claimed] = []
			yield from self._group(begun)
			if self.rest and leave():
				return

	def _group(self, begun: list[Claimed]) -> Iterator[Forward]:
		try:
			yield self._transaction(self.rest, begun)
		except LeaseLost:
			yield from map(self._alone, self._held(begun))
		except TransactionVoid as void:
			self.voids.append((void.task, void.error))
			yield from map(self._alone, begun)
		except StepTimeout as problem:
			self.host.work.reset()
			yield self._record(begun[-1], problem)
			yield from map(self._alone, begun[:-1])

	def _transaction(self, rest: deque[Claimed], begun: list[Claimed]) -> Forward:
		"""The group commit: steps, their documents, their results and what is ready next, all or nothing."""
		until = time.monotonic() + GROUP_SECONDS
		with self.host.group():
			outcomes: list[Outcome] = []
			room = GROUP_BYTES
			while rest and (not outcomes or (time.monotonic() < until and room > 0)):
				begun.append(rest.popleft())
				outcomes.append(self._perform(begun[-1]))
				room -= outcomes[-1].size
				if outcomes[-1].duration > SLOW_SECONDS:
					break
			try:
				forward = complete(self.host, self.host.work, outcomes, self.now())
			except Exception as error:
				if self.host.classify(error) in (ErrorKind.DEADLOCK, ErrorKind.LOCK_WAIT):
					raise TransactionVoid(begun[-1], error) from error
				raise
		self._tell_breakers(outcomes)
		return forward

	def _tell_breakers(self, outcomes: Sequence[Outcome]) -> None:
		"""Of agents that fail, or have lately; all is well with the others, and costs nothing."""
		for name in {outcome.task.agent for outcome in outcomes if outcome.task.agent}:
			kinds = [outcome.kind for outcome in outcomes if outcome.task.agent == name and outcome.counts]
			agent = self.host.agent(name)
			if agent and kinds and (agent.troubled or any(kinds)):
				self.host.ended(name, kinds)

	def _held(self, begun: Sequence[Claimed]) -> list[Claimed]:
		"""What of a refused group is still ours: the rest is cancelled, or somebody else performs it."""
		mine = held(self.host, begun)
		for task in begun:
			if task not in mine:
				self.host.log(
					f"{task.name}: its lease was lost; nothing of attempt {task.attempt} was written"
				)
		self._tell_of_refusal([task for task in begun if task not in mine])
		return mine

	def _tell_of_refusal(self, lost: Sequence[Claimed]) -> None:
		"""Of what was cancelled meanwhile there is nothing to tell."""
		if not lost:
			return
		names = [task.name for task in lost]
		taken = self.host.own.query(
			f"SELECT name FROM {TASK} WHERE name IN ({marks(names)}) AND status != 'Cancelled' ORDER BY name",
			names,
		)
		if taken:
			self.host.healed(
				Kind.WRITE_REFUSED,
				self.host.node,
				f"A worker on {self.host.node} came too late with {taken[0][0]}: it had been silent, and "
				f"{len(taken)} of its tasks were taken from it.",
				"Nothing that it did in them was written.",
				Helped.YES,
			)

	def _alone(self, task: Claimed) -> Forward:
		"""A step of a group that was rolled back, in a transaction of its own."""
		for attempt in range(1, ALONE_TRIES + 1):
			try:
				return self._transaction(deque([task]), [])
			except LeaseLost:
				self._held([task])
				return Forward()
			except StepTimeout as problem:
				self.host.work.reset()
				return self._record(task, problem)
			except TransactionVoid as void:
				if attempt == ALONE_TRIES:
					return self._record(task, void.error)
				time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
		raise AssertionError("unreachable")

	def _record(self, task: Claimed, problem: BaseException) -> Forward:
		"""Write what a step's error comes to, after the step's own transaction is gone."""
		try:
			with self.host.group():
				outcome = self._failure(task, problem)
				forward = complete(self.host, self.host.work, [outcome], self.now())
			self._tell_breakers([outcome])
			return forward
		except LeaseLost:
			self._held([task])
			return Forward()

	def _perform(self, task: Claimed) -> Outcome:
		"""One step's outcome. Only what voids the transaction leaves this function as an exception."""
		view = self._views[task.name]
		step = view.spec.by_name[task.step]
		began = time.perf_counter()
		data: str | None = None
		try:
			scope = view.scope()
			if step.condition and not template.evaluate(step.condition, scope):
				return Outcome(task, TaskStatus.SKIPPED)
			agent = self._agent(task)
			delay = self._held_back(agent) or self._rate(agent)
			if delay:
				return Outcome(
					task, TaskStatus.WAITING, due=self.now() + int(delay * 1e6), retry=True, counted=False
				)
			action = self._action(step, agent)
			rendered = template.render(step.input, scope)
			data = payload.dumps(rendered, f"The input of step {task.step}")
			output = self._call(task, step, agent, action, rendered)
		except Suspend as wait:
			duration = time.perf_counter() - began
			due = max(wait.due, 1)
			return Outcome(task, TaskStatus.WAITING, data, due=due, counted=False, duration=duration)
		except Exception as error:
			if self.host.classify(error) in (ErrorKind.DEADLOCK, ErrorKind.CONNECTION):
				raise TransactionVoid(task, error) from error
			return self._failure(task, error, data, time.perf_counter() - began)
		return Outcome(task, TaskStatus.COMPLETED, data, output, duration=time.perf_counter() - began)

	def _call(
		self, task: Claimed, step: StepSpec, agent: AgentSpec | None, action: Action, rendered: dict[str, Any]
	) -> str:
		view = self._views[task.name]
		context = Context(
			run=view.run,
			task=task.name,
			step=task.step,
			agent=task.agent,
			user=(agent and agent.user) or view.run["user"],
			attempt=task.attempt,
			waited_until=task.waited_until,
			now=self.now(),
			open_state=None if action.pure else self.host.state,
		)
		parsed = action.parse(rendered)
		with self.host.step(context, action):
			with time_limit(step.timeout or self.host.settings().default_timeout):
				result = self.host.call(action, context, parsed)
			return payload.dumps(result, f"The output of step {task.step}")

	def _agent(self, task: Claimed) -> AgentSpec | None:
		if not task.agent:
			return None
		agent = self.host.agent(task.agent)
		if agent is None or not agent.enabled:
			raise ActionError(f"The agent {task.agent} is {'disabled' if agent else 'gone'}.")
		return agent

	def _held_back(self, agent: AgentSpec | None) -> float:
		"""Seconds until the agent's circuit breaker lets this step through, at random a little more."""
		if not agent or not agent.troubled:
			return 0.0
		delay = self.host.held_back(agent.name)
		return delay and delay + random.uniform(0, HELD_BACK_SPREAD)

	def _rate(self, agent: AgentSpec | None) -> float:
		"""Seconds until the agent may act again; 0 when it may now."""
		if not agent or not agent.rate_limit:
			return 0.0
		return self.host.hands.take(f"agent:{agent.name}", agent.rate_limit, agent.rate_period)

	def _action(self, step: StepSpec, agent: AgentSpec | None) -> Action:
		action = self.host.actions.get(step.action)
		if action is None:
			raise ActionError(f"There is no action {step.action} any more; is the app that had it installed?")
		if agent and agent.actions and step.action not in agent.actions:
			raise ActionError(f"The agent {agent.name} may not perform {step.action}.")
		return action

	def _failure(
		self, task: Claimed, error: BaseException, data: str | None = None, duration: float = 0.0
	) -> Outcome:
		view = self._views[task.name]
		step = view.spec.by_name[task.step]
		settings = self.host.settings()
		policy = RetryPolicy(step.max_attempts or settings.default_max_attempts, step.retry_delay or 5.0)
		kind = self.host.classify(error)
		message = payload.storable(self.host.message(error)[:ERROR_LENGTH])
		decision = policy.decide(kind, task.attempt)
		if decision.verdict is not Verdict.RETRY:
			self.host.failed(task.run, task.step, view.run["user"], kind, message, decision.ask)
		return Outcome(
			task,
			STATUS[decision.verdict],
			data,
			error=message,
			error_kind=kind.value,
			due=self.now() + int(decision.delay * 1_000_000) if decision.verdict is Verdict.RETRY else 0,
			retry=True,
			duration=duration,
		)
