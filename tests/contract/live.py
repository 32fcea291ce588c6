"""Writes `tests/live_forms.json` anew: the forms of answers that others have recorded of the live API.

`python -m tests.contract.live FOLDER` reads a folder of recordings: one file for each kind of answer, with
its `request`, its `kind` ("recorded", or "seen live" by somebody who tells its form), its `source`, and
`answers`. Of them it keeps what is there and of which type. Values become ours, but for words of refusals.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMS = Path(__file__).parent.parent / "live_forms.json"

# The instant that all times become, and the words that have a meaning.
TIME, MEANT = 1_780_000_000, {"", "[]", "eq"}

# The name of a customer's own attribute, in the recordings and in the sandbox's story.
ATTRIBUTES = {"plan_name": "plan"}


def forms(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield an entry for each answer that was recorded."""
    for path in sorted(folder.glob("*.json")):
        recorded = json.loads(path.read_text())
        several = len(recorded["answers"]) > 1
        for number, answer in enumerate(recorded["answers"], 1):
            entry = {
                "name": f"{path.stem}_{number}" if several else path.stem,
                "request": recorded["request"],
                "kind": recorded["kind"],
                "source": recorded["source"].partition("; ")[0],
                "status": answer["status"],
            }
            if "query" in answer:
                entry["query"] = True
            if "body" in answer:
                refused = recorded["request"] == "ANY *"
                entry["body"] = _worded(answer["body"]) if refused else of_ours(answer["body"])
            else:
                entry["text"] = answer["text"]
            yield entry


def of_ours(value: Any) -> Any:
    """Return a value of the same form, with values of ours."""
    if isinstance(value, dict):
        return {ATTRIBUTES.get(name, name): of_ours(inner) for name, inner in value.items()}
    if isinstance(value, list):
        items = [of_ours(inner) for inner in value]
        return [item for number, item in enumerate(items) if item not in items[:number]]
    if isinstance(value, str):
        return value if value in MEANT else "7" if value.isdecimal() else "words"
    if isinstance(value, bool) or not value:
        return value
    return TIME if value > 10**8 else 7


def _worded(refusal: Any) -> Any:
    """Return a refusal in Customer.io's words, without the reference to one request."""
    return json.loads(re.sub(r"\(reference \w+\)", "(reference 1a2b3c)", json.dumps(refusal)))


if __name__ == "__main__":
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in forms(Path(sys.argv[1])))
    FORMS.write_text(f"[\n{lines}\n]\n")
