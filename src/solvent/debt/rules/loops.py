"""Training loops written by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

Loop = ast.For | ast.While
_CLEARS = frozenset({"zero_grad", "clear_grad", "zero_", "grad", "clear_gradients", "no_sync"})


@rule("PIP009", "stale-gradients", severity="E", principal="a", driver="R", source="Zhang 2022, smell 20")
def stale_gradients(file: FileFacts) -> Iterator[Found]:
    """A loop steps the optimiser and never clears the gradients: each step adds all earlier ones.

    Why it costs: the model learns something else than was meant, slowly or not at all, and nothing fails.
    Fix: `optimizer.zero_grad()` before `loss.backward()`.
    """
    if not any(name.startswith("torch") for name in _imported(file)):
        return
    clearing = {node.name for node in file.nodes(ast.FunctionDef) if _clears(node)}
    loops: list[Loop] = [*file.nodes(ast.For), *file.nodes(ast.While)]
    for loop in loops:
        backward, step = _own(loop, "backward"), _own(loop, "step")
        if backward is None or step is None or not _steps_optimiser(file, step) or _clears(loop):
            continue
        if _name(step) in _made(loop):
            continue  # a new optimiser each time, over tensors that are new too
        around = [above for above in file.parents(loop) if isinstance(above, Loop)]
        if not any(_clears(above) for above in around) and not _calls(loop) & clearing:
            yield Found.at(backward, step)


def _imported(file: FileFacts) -> Iterator[str]:
    for node in file.nodes(ast.Import):
        yield from (alias.name for alias in node.names)
    for each in file.nodes(ast.ImportFrom):
        yield each.module or ""


def _own(loop: Loop, method: str) -> ast.Call | None:
    """First call of a method in the loop's body, not in a loop or function within it."""
    stack: list[ast.AST] = list(reversed(loop.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            return node
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.Lambda):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return None


def _steps_optimiser(file: FileFacts, call: ast.Call) -> bool:
    """`optimizer.step()` without a closure; a scheduler's or an environment's step is another thing."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call
    name = _name(call)
    typed = file.type_of(owner).startswith("torch.optim.") and "lr_scheduler" not in file.type_of(owner)
    return not call.args and not call.keywords and (typed or name.lower().startswith("optim") or name == "opt")


def _name(call: ast.Call) -> str:
    """Last name of what a method is called on."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call
    return owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""


def _made(loop: Loop) -> set[str]:
    return {node.id for node in ast.walk(loop) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _clears(node: ast.AST) -> bool:
    """Whether gradients are cleared within: by a method, or by hand."""
    return any(isinstance(each, ast.Attribute) and each.attr in _CLEARS for each in ast.walk(node))


def _calls(loop: Loop) -> set[str]:
    calls = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
    names = {func.id for func in calls if isinstance(func, ast.Name)}
    return names | {func.attr for func in calls if isinstance(func, ast.Attribute)}
