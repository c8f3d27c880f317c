"""The committed JSON Schemas are those of today, and what is written has their fields."""

import json

import pytest

from bench.records import store
from bench.report.results import gather
from bench.report.schemas import SCHEMAS
from bench.report.summaries import summary
from tests.support.factories import make_evaluation, make_record, make_signals, make_with_clean
from tests.support.results import make_speed
from tests.support.tools import ROOT, assert_refused, bench

JSON_TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": int | float,
    "boolean": bool, "null": type(None),
}  # fmt: skip


def problems(value, schema, root, where="$"):
    """What does not fit, of the keywords that our schemas need to tell fields and types."""
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        tried = [problems(value, option, root, where) for option in options]
        return [] if [] in tried else min(tried, key=len)
    if "const" in schema or "enum" in schema:
        known = schema.get("enum", [schema.get("const")])
        return [] if value in known else [f"{where}: {value!r} is none of {known}"]
    if not isinstance(value, JSON_TYPES[schema["type"]]):
        return [f"{where}: {value!r} is no {schema['type']}"]
    found = []
    if isinstance(value, dict) and "properties" in schema:
        fields = schema["properties"]
        missing = set(schema.get("required", ())) - set(value)
        found += [f"{where}: {name}" for name in sorted(missing | set(value) - set(fields))]
        for name in set(fields) & set(value):
            found += problems(value[name], fields[name], root, f"{where}.{name}")
    for number, item in enumerate(value if isinstance(value, list) else ()):
        items = schema.get("items", (schema.get("prefixItems") or [{}])[0])
        found += problems(item, items, root, f"{where}[{number}]")
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Kind of file -> one of them, as it is on disk."""
    folder = tmp_path_factory.mktemp("results")
    record = make_with_clean(make_record())
    record = record.model_copy(update={"signals": make_signals(record)})
    cell = store.save(folder / "runs", record, weights=b"some")
    evaluation = store.save_file(folder / "evaluations", make_evaluation())
    workload = store.save_file(folder / "speed", make_speed())
    epoch = (cell / store.EPOCHS_FILE).read_text().splitlines()[0]
    texts = {
        "record": (cell / store.RECORD_FILE).read_text(), "epoch": epoch,
        "workload": workload.read_text(), "evaluation": evaluation.read_text(),
        "summary": summary(gather([record]), damaged=0).model_dump_json(),
    }  # fmt: skip
    return {name: json.loads(text) for name, text in texts.items()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_that_of_today(name):
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    assert path.read_text() == bench("schema", name).stdout, f"bench schema {name} --output {path}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_written_has_the_fields_and_types_of_its_schema(name, written):
    schema = SCHEMAS[name]()
    assert problems(written[name], schema, schema) == []
    for field in written[name]:
        less = {key: value for key, value in written[name].items() if key != field}
        assert problems(less, schema, schema), field
    assert problems(written[name] | {"more": 1}, schema, schema) == ["$: more"]


def test_an_unknown_kind_is_refused():
    assert_refused(bench("schema", "cell"), 2, "'cell' is not one of 'record', 'epoch'")
