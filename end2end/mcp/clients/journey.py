"""What every client does: it lists tools, reads, proposes, polls, repeats the proposal and is refused.

A client's file defines how it lists and calls tools, and gives `main` a function that connects. It gets the endpoint, a token and the proposal as
arguments, and prints what it saw as JSON."""

import asyncio
import json
import sys
from dataclasses import dataclass

TOOL = "loopiq_create_work_item"


@dataclass
class Result:
    """What a client hands to a program (`structured`) and to a model (`text`)."""

    text: str
    is_error: bool = False
    structured: dict | None = None

    def value(self):
        return self.structured if self.structured is not None else json.loads(self.text)


async def journey(names, call, proposal):
    context = (await call("loopiq_get_context", {})).value()
    proposed = await call(TOOL, proposal)
    action = proposed.value()["actionId"] if proposed.structured else proposed.text.split()[2]
    polled = (await call("loopiq_get_action", {"actionId": action})).value()
    replayed = await call(TOOL, proposal)
    wrong = await call(TOOL, {**proposal, "idempotencyKey": "wrong", "kind": "Story", "priority": "urgent", "title": ""})
    return {
        "tools": sorted(names),
        "caller": context["caller"]["email"],
        "action": action,
        "proposed": proposed.text,
        "status": polled["status"],
        "key": polled["idempotencyKey"],
        "replayed": replayed.text,
        "refused": wrong.text,
        "isError": wrong.is_error,
    }


def text_of(result):
    return "\n".join(block.text for block in result.content if block.type == "text")


def main(client):
    endpoint, token, proposal = sys.argv[1:4]
    found = asyncio.run(client(endpoint, {"Authorization": f"Bearer {token}"}, json.loads(proposal)))
    print(json.dumps(found))
