"""What a bench worker imports before it forks for its jobs, so that they need not, and share its memory: half a
second for each drain that makes a Lead. An action that cannot be imported is told of when it is asked for."""

from dogan_agents import hooks
from dogan_agents.engine.action import registry
from dogan_agents.host import frappe

__all__ = ["frappe"]

registry(hooks.dogan_actions, lambda error: None)
