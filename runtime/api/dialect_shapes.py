"""The shapes of the younger dialects: `/v1/completions`, `/v1/messages` and `/v1/responses`."""

from runtime.api.shape import (
    Field,
    Kind,
    Shape,
    a,
    flag,
    free,
    integer,
    items,
    number,
    one_of,
    text,
)
from runtime.api.shapes import MODEL, REASONING, STREAM_OPTIONS, STRING, STRINGS

COMPLETION = Shape(
    "CompletionRequest",
    {
        "model": MODEL,
        "prompt": text(minLength=1),
        "suffix": text("What follows the answer; for models that insert."),
        "stream": flag("Events as they come; false unless said otherwise."),
        "stream_options": a(STREAM_OPTIONS),
        "max_tokens": integer("The longest answer."),
        "seed": integer(),
        "stop": one_of("Texts that end the answer.", STRING, STRINGS),
        "temperature": number(),
        "top_p": number(),
        "frequency_penalty": number(),
        "presence_penalty": number(),
    },
    required=("model", "prompt"),
)


def _blocks(inside: Shape, says: str = "") -> Field:
    """A text, or an array of blocks of one shape."""
    schema = {"anyOf": [STRING, {"type": "array", "items": inside.described()}]}
    return Field(Kind.ANY, says, inside, schema)


RESULT_BLOCK = Shape("content", {"type": text(enum=["text"]), "text": text()}, required=("type",))
ANTHROPIC_SOURCE = Shape(
    "source",
    {
        "type": text(enum=["base64", "url"]),
        "media_type": text(),
        "data": Field(Kind.ANY, "JPEG or PNG in base64.", None, STRING),
        "url": text("A data URL."),
    },
)
ANTHROPIC_BLOCK = Shape(
    "content",
    {
        "type": text(
            enum=["text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking"]
        ),
        "text": text(),
        "id": text(),
        "name": text(),
        "source": a(ANTHROPIC_SOURCE),
        "input": free("The arguments of a call."),
        "tool_use_id": text("Which call this is the result of."),
        "content": _blocks(RESULT_BLOCK, "A result."),
    },
    required=("type",),
)
ANTHROPIC_MESSAGE = Shape(
    "messages",
    {
        "role": text(enum=["user", "assistant", "system"]),
        "content": _blocks(ANTHROPIC_BLOCK),
    },
    required=("role", "content"),
)
ANTHROPIC_TOOL = Shape(
    "tools",
    {
        "name": text(minLength=1),
        "description": text(),
        "input_schema": free("A JSON schema of its arguments."),
    },
    required=("name",),
)
ANTHROPIC = Shape(
    "MessagesRequest",
    {
        "model": MODEL,
        "max_tokens": integer("The longest answer.", minimum=1),
        "messages": items("At least one.", ANTHROPIC_MESSAGE, minItems=1),
        "system": _blocks(RESULT_BLOCK),
        "stream": flag("Events as they come; false unless said otherwise."),
        "temperature": number(),
        "top_p": number(),
        "top_k": integer(),
        "stop_sequences": items(items=STRING),
        "tools": items("Functions that the model may ask to be called.", ANTHROPIC_TOOL),
        "thinking": a(Shape("thinking", {"type": text(enum=["enabled", "disabled", "adaptive"])})),
        "output_config": a(Shape("output_config", {"effort": text()})),
    },
    required=("model", "max_tokens", "messages"),
)
RESPONSE_PART = Shape(
    "content",
    {
        "type": text(enum=["input_text", "output_text", "text", "input_image"]),
        "text": text(),
        "image_url": Field(Kind.ANY, "A data URL of JPEG or PNG.", None, STRING),
    },
    required=("type",),
)
RESPONSE_ITEM = Shape(
    "input",
    {
        "type": text(
            enum=["message", "function_call", "function_call_output", "reasoning", "", None]
        ),
        "role": text(enum=["user", "assistant", "system", "developer", None]),
        "content": _blocks(RESPONSE_PART),
        "call_id": text(),
        "name": text(),
        "arguments": text("An object, as JSON."),
        "output": _blocks(RESPONSE_PART, "A result."),
    },
)
RESPONSE_TOOL = Shape(
    "tools",
    {
        "type": text(enum=["function"]),
        "name": text(minLength=1),
        "description": text(),
        "parameters": free("A JSON schema of its arguments."),
    },
    required=("type", "name"),
)
RESPONSE_TEXT = Shape(
    "text",
    {
        "format": a(
            Shape(
                "format",
                {
                    "type": text(enum=["text", "json_object", "json_schema", "", None]),
                    "schema": free("What the answer follows."),
                },
            )
        )
    },
)
NOT_KEPT = one_of("Refused: nothing is kept between requests.", {"enum": [False, ""]})
RESPONSES = Shape(
    "ResponsesRequest",
    {
        "model": MODEL,
        "input": _blocks(RESPONSE_ITEM, "A text, or items of a conversation."),
        "instructions": text("In place of the model's own system text."),
        "max_output_tokens": integer("The longest answer."),
        "temperature": number(),
        "top_p": number(),
        "reasoning": a(REASONING),
        "text": a(RESPONSE_TEXT),
        "tools": items("Functions that the model may ask to be called.", RESPONSE_TOOL),
        "tool_choice": one_of('"none" leaves the tools out.', STRING, {"type": "object"}),
        "stream": flag("Events as they come; false unless said otherwise."),
        "previous_response_id": NOT_KEPT,
        "conversation": NOT_KEPT,
        "background": NOT_KEPT,
    },
    required=("model", "input"),
)

DOCUMENT = Shape("documents", {"text": text(minLength=1)}, required=("text",))
RERANK = Shape(
    "RerankRequest",
    {
        "model": MODEL,
        "query": text("What the documents shall answer.", minLength=1, pattern=r"\S"),
        "documents": Field(
            Kind.ITEMS,
            "Texts, or objects that hold one.",
            DOCUMENT,
            {"items": {"anyOf": [{**STRING, "minLength": 1}, DOCUMENT.described()]}, "minItems": 1},
        ),
        "top_n": integer("Only so many results, the best ones.", minimum=1),
        "return_documents": flag("Show the texts, too."),
    },
    required=("model", "query", "documents"),
)
