"""A stand-in for the models that agents talk to: it asks for shell commands, one after another.

It speaks Anthropic messages, OpenAI responses, OpenAI chat completions and Gemini on 127.0.0.1. A
request carries the whole conversation, so the number of results in it says which command is next.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Body = dict[str, Any]

# What agents call the tool that runs a shell command, and the argument that takes the command.
_SHELL_TOOLS = {
    "Bash": "command",
    "bash": "command",
    "run_shell_command": "command",
    "exec_command": "cmd",
    "shell_command": "command",
}
_NAME = "stub-model"


class Call(NamedTuple):
    """A call of a tool that the model asks for; ``number`` makes its identifier."""

    tool: str
    arguments: dict[str, str]
    number: int

    @property
    def identifier(self) -> str:
        """What the result of the call refers to."""
        return f"call_{self.number}"


class Asked(NamedTuple):
    """A request: the tools that the client offers, and the results of the calls so far."""

    tools: list[str]
    results: list[str]


@dataclass(slots=True)
class Model:
    """A server, the commands that it will ask for, and what clients have told it."""

    url: str
    commands: Sequence[str] = ()
    results: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def begin(self, commands: Sequence[str]) -> None:
        """Forget the conversation before, and ask for these commands in the next one."""
        self.commands = commands
        self.results = []
        self.requests = []

    def next_call(self, asked: Asked) -> Call | None:
        """Return the call that follows the results so far; None if the turn is over."""
        tool = next((name for name in _SHELL_TOOLS if name in asked.tools), None)
        if tool is None:
            return None  # a side request, such as for a title
        self.results = max(self.results, asked.results, key=len)
        number = len(asked.results)
        if number >= len(self.commands):
            return None
        arguments = {_SHELL_TOOLS[tool]: self.commands[number], "description": "a step"}
        return Call(tool, arguments, number)


@contextlib.contextmanager
def serve() -> Iterator[Model]:
    """Answer on a free port of 127.0.0.1 until the block ends."""

    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Handler.model = model = Model(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield model
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    model: Model

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._send(b"")

    def do_GET(self) -> None:
        models = [{"id": _NAME, "object": "model", "type": "model", "display_name": _NAME}]
        self._send_json({"object": "list", "data": models, "models": []})

    def do_POST(self) -> None:
        text = self._body()
        body = json.loads(text or "{}")
        path = self.path.partition("?")[0]
        protocol = next((p for ending, p in _PROTOCOLS.items() if path.endswith(ending)), None)
        if protocol is None:
            self._send_json({"input_tokens": 10, "totalTokens": 10})  # counts, telemetry
            return
        self.model.requests.append(text)
        call = self.model.next_call(protocol.read(body))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was interrupted
            if body.get("stream") or path.endswith(":streamGenerateContent"):
                self._send_events(protocol.stream(call))
            else:
                self._send_json(protocol.whole(call))

    def _body(self) -> str:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b"".join(self._chunks())
        else:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return data.decode()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, data: bytes, content_type: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_json(self, value: Body) -> None:
        self._send(json.dumps(value).encode())

    def _send_events(self, events: list[Body]) -> None:
        lines = []
        for event in events:
            if "type" in event:
                lines.append(f"event: {event['type']}\n")
            lines.append(f"data: {json.dumps(event)}\n\n")
        if any(event.get("object") == "chat.completion.chunk" for event in events):
            lines.append("data: [DONE]\n\n")
        self._send("".join(lines).encode(), "text/event-stream")


def _text(content: object) -> str:
    """Return the text in a message's content, however it is nested."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(map(_text, content))
    if isinstance(content, dict):
        return _text(content.get("text") or content.get("content") or content.get("output") or "")
    return ""


# Anthropic messages


def _read_messages(body: Body) -> Asked:
    blocks = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]
    results = [_text(block.get("content")) for block in blocks if block["type"] == "tool_result"]
    return Asked([tool["name"] for tool in body.get("tools", [])], results)


def _message_block(call: Call | None) -> Body:
    if call is None:
        return {"type": "text", "text": "done"}
    return {
        "type": "tool_use",
        "id": call.identifier,
        "name": call.tool,
        "input": call.arguments,
    }


def _whole_message(call: Call | None) -> Body:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": _NAME,
        "content": [_message_block(call)],
        "stop_reason": "tool_use" if call else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }


def _stream_message(call: Call | None) -> list[Body]:
    message = _whole_message(call)
    block = _message_block(call)
    delta: Body
    if call:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        block["input"] = {}
    else:
        delta = {"type": "text_delta", "text": block["text"]}
        block["text"] = ""
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    start = {**message, "content": [], "stop_reason": None}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


# OpenAI responses


def _read_response(body: Body) -> Asked:
    items = body["input"] if isinstance(body["input"], list) else []
    outputs = [item for item in items if str(item.get("type")).endswith("_output")]
    tools = [str(tool.get("name")) for tool in body.get("tools", [])]
    return Asked(tools, [_text(item["output"]) for item in outputs])


def _response_item(call: Call | None) -> Body:
    if call is None:
        content = [{"type": "output_text", "text": "done", "annotations": []}]
        return {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
    return {
        "type": "function_call",
        "id": f"fc_{call.number}",
        "call_id": call.identifier,
        "name": call.tool,
        "arguments": json.dumps(call.arguments),
        "status": "completed",
    }


def _whole_response(call: Call | None) -> Body:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [_response_item(call)],
        "usage": usage,
    }


def _stream_response(call: Call | None) -> list[Body]:
    item = _response_item(call)
    return [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _whole_response(call)},
    ]


# OpenAI chat completions


def _read_chat(body: Body) -> Asked:
    results = [_text(m.get("content")) for m in body["messages"] if m["role"] == "tool"]
    return Asked([tool["function"]["name"] for tool in body.get("tools", [])], results)


def _chat_message(call: Call | None) -> Body:
    if call is None:
        return {"role": "assistant", "content": "done"}
    function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
    calls = [{"index": 0, "id": call.identifier, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _chat(call: Call | None, kind: str, choice: Body) -> Body:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    reason = "tool_calls" if call else "stop"
    choices = [{"index": 0, "finish_reason": reason, **choice}]
    base = {"id": "chat_1", "created": 0, "model": _NAME}
    return {**base, "object": kind, "choices": choices, "usage": usage}


def _whole_chat(call: Call | None) -> Body:
    return _chat(call, "chat.completion", {"message": _chat_message(call)})


def _stream_chat(call: Call | None) -> list[Body]:
    return [_chat(call, "chat.completion.chunk", {"delta": _chat_message(call)})]


# Gemini


def _read_contents(body: Body) -> Asked:
    groups = [tool.get("functionDeclarations", []) for tool in body.get("tools", [])]
    parts = [part for content in body.get("contents", []) for part in content.get("parts", [])]
    results = [p["functionResponse"]["response"] for p in parts if "functionResponse" in p]
    tools = [function["name"] for group in groups for function in group]
    return Asked(tools, [json.dumps(result) for result in results])


def _whole_content(call: Call | None) -> Body:
    # Side requests without tools want JSON: which model to take, who speaks next.
    part: Body = {"text": json.dumps({"model_choice": "flash", "next_speaker": "user"})}
    if call:
        part = {"functionCall": {"name": call.tool, "args": call.arguments}}
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": _NAME}


def _stream_content(call: Call | None) -> list[Body]:
    return [_whole_content(call)]


class _Protocol(NamedTuple):
    """How requests are read, and how an answer is written, in one piece or as events."""

    read: Callable[[Body], Asked]
    whole: Callable[[Call | None], Body]
    stream: Callable[[Call | None], list[Body]]


_GEMINI = _Protocol(_read_contents, _whole_content, _stream_content)
_PROTOCOLS = {
    "/messages": _Protocol(_read_messages, _whole_message, _stream_message),
    "/responses": _Protocol(_read_response, _whole_response, _stream_response),
    "/chat/completions": _Protocol(_read_chat, _whole_chat, _stream_chat),
    ":generateContent": _GEMINI,
    ":streamGenerateContent": _GEMINI,
}
