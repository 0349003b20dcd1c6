"""What an environment is: values and handles, with the standard library only."""

from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.image import Image
from flyte_nb.model.policies import Backoff, Cache, RetryStrategy, Timeout
from flyte_nb.model.resources import Resources
from flyte_nb.model.secret import Secret
from flyte_nb.model.task import Task

__all__ = [
    "Backoff",
    "Cache",
    "Image",
    "Resources",
    "RetryStrategy",
    "Secret",
    "Task",
    "TaskEnvironment",
    "Timeout",
]
