"""Values to bytes: plain Python as pickle does it, all else by rules that do not depend on versions."""

from __future__ import annotations

import copyreg
import pickle
from types import FunctionType
from typing import TYPE_CHECKING, Any

from flyte_nb.crossing import markers, models, numpy_values, stand_ins, standard
from flyte_nb.crossing.refusing import RefusedError, no_name, why_not
from flyte_nb.crossing.rules import rule_for
from flyte_nb.libraries import has_name, is_library, is_of_python
from flyte_nb.model.environment import TaskEnvironment
from flyte_nb.model.stand_ins import as_environment, as_task
from flyte_nb.model.task import Task

if TYPE_CHECKING:
    from io import BytesIO

    from flyte_nb.crossing.definitions import Definitions

__all__ = ["Packer"]


class Packer(pickle.Pickler):
    """Writes one value.

    Attributes:
        chunks: The buffers that travel beside the pickle.
        lent: Buffers that a library's own way of pickling sets apart; they come after the chunks.
        libraries: The libraries that the other side needs in the same version, by the name of their package, each with
            what was the first to need it.
    """

    def __init__(self, file: BytesIO, definitions: Definitions) -> None:
        self.lent: list[pickle.PickleBuffer] = []
        super().__init__(file, 5, buffer_callback=self.lent.append)
        self.definitions = definitions
        self.chunks: list[memoryview] = []
        self.libraries: dict[str, Any] = {}

    def reducer_override(self, value: Any) -> Any:
        """Return how `value` is put together again; pickle asks for all but the plain types of Python."""
        kind = type(value)
        if kind is markers.Chunk:
            self.chunks.append(value.view)
            return markers.chunk, (len(self.chunks) - 1,)
        if kind is FunctionType or isinstance(value, type):
            return self._by_name(value)
        if kind.__module__.startswith("flyte.") and (meant := as_task(value) or as_environment(value)):
            return self.reducer_override(meant)
        if kind.__module__.startswith("flyte_nb."):
            if kind is markers.Defined:
                return markers.defined, (value.module, value.name, None)
            named = self.definitions.name_of(value)
            if named is not None and isinstance(value, Task) and value.overridden:
                return markers.overridden, (markers.Defined(*named), dict(value.overridden))
            if named is not None:
                return markers.defined, (*named, None)
            if kind in (Task, TaskEnvironment):
                raise RefusedError(value, "it is defined by no cell; define it at the top level of one")
        rule = rule_for(kind)
        if rule is not None:
            return rule(value)
        return self._as_it_says(value, kind)

    def _by_name(self, value: Any) -> Any:
        """Return how a function or a class is found again."""
        named = self.definitions.name_of(value)
        if isinstance(value, type):
            if named is not None:
                return markers.defined, (*named, stand_ins.shape_of(value))
            stood_for = stand_ins.name_and_shape(value)
            if stood_for is not None:
                return markers.defined, stood_for
            parameters = models.parameters(value)
            if parameters is not None:
                return models.parametrised, parameters
            if numpy_values.is_scalar_type(value):
                return numpy_values.scalar_type, (value.__name__,)
            public = standard.name_in_public(value)
            if public is not None:
                return standard.named, public
        elif named is not None:
            return markers.defined, (*named, None)
        self._check_library(value)
        return NotImplemented

    def _check_library(self, value: Any) -> None:
        """Note which library a function or class is from, or refuse it."""
        module = str(value.__module__)
        # Types of Python's own that are no variables, as that of None, are pickle's to judge.
        of_python = isinstance(value, type) and module == "builtins"
        if not of_python and not (is_library(module) and has_name(value)):
            raise no_name(value)
        self._note(module, value)

    def _note(self, module: str, value: Any) -> None:
        package = module.partition(".")[0]
        if package != "flyte_nb" and not is_of_python(package):
            self.libraries.setdefault(package, value)

    def _as_it_says(self, value: Any, kind: type) -> Any:
        """Return what pickle would ask the value itself for."""
        if kind.__module__ == "itertools":  # from 3.14 on they cannot be pickled
            raise why_not(value)
        reduce = copyreg.dispatch_table.get(kind)
        try:
            reduced = reduce(value) if reduce else value.__reduce_ex__(5)
        except RefusedError:
            raise
        except Exception as error:
            raise why_not(value, error) from error
        if isinstance(reduced, str):  # the name of a variable
            self._note(getattr(value, "__module__", None) or kind.__module__, value)
        return reduced
