"""The shapes of all requests, as Ollama and OpenAI name their fields."""

from dataclasses import fields

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
from runtime.sampling import Options

STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
ROLES = ("system", "user", "assistant", "tool")
THINK_LEVELS = ("high", "medium", "low", "max")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "ultra", "max")
ENCODINGS = ("float", "base64")
MAX_TOP_LOGPROBS = 20

_OPTION_KINDS = {int: integer, float: number}
MODEL = text("The name of an installed model.")
KEEP_ALIVE = one_of(
    'How long the model stays in memory: seconds, or a time as "5m"; below 0 for ever.',
    STRING,
    {"type": "number"},
)
TOP_LOGPROBS = integer("Likeliest tokens with each token.", minimum=0, maximum=MAX_TOP_LOGPROBS)


def _option(start: object) -> Field:
    if isinstance(start, tuple):
        return one_of("Texts that end the answer.", STRING, STRINGS)
    return _OPTION_KINDS[type(start)]()


# Whatever the sampler has a default for can be asked for.
OPTIONS = Shape(
    "Options", {one.name: _option(getattr(Options(), one.name)) for one in fields(Options)}
)
ANSWERING = {
    "model": MODEL,
    "stream": flag("Lines as they come; true unless said otherwise."),
    "format": one_of(
        '"json", or a JSON schema that the answer follows.',
        {"enum": ["", "json"]},
        {"type": "object"},
    ),
    "keep_alive": KEEP_ALIVE,
    "options": a(OPTIONS),
    "truncate": flag("Leave out what does not fit at the front; true unless said otherwise."),
    "shift": flag("Go on by forgetting the beginning; true unless said otherwise."),
    "logprobs": flag(),
    "top_logprobs": TOP_LOGPROBS,
    "think": one_of(
        "Our models do not think aloud: only false is accepted.",
        {"const": False},
    ),
}
GENERATE = Shape(
    "GenerateRequest",
    {
        **ANSWERING,
        "prompt": text("Without one the model is only loaded, or with keep_alive 0 unloaded."),
        "suffix": text("For models that insert; ours do not.", maxLength=0),
        "system": text(),
        "template": text("A model's own chat template is used.", maxLength=0),
        "raw": flag("The prompt is already formatted."),
        "context": items("Tokens of an earlier answer.", items={"type": "integer"}),
        "images": items("For models that see; ours do not.", maxItems=0),
    },
    required=("model",),
)
NATIVE_MESSAGE = Shape(
    "messages",
    {
        "role": text("developer is as good as system.", enum=[*ROLES, "developer"]),
        "content": text(),
        "images": items("For models that see; ours do not.", maxItems=0),
    },
    required=("role",),
)
CHAT = Shape(
    "ChatRequest",
    {
        **ANSWERING,
        "messages": items("Without any the model is only loaded.", NATIVE_MESSAGE),
        "tools": items("For models that use tools; ours do not.", maxItems=0),
    },
    required=("model",),
)
EMBED = Shape(
    "EmbedRequest",
    {
        "model": MODEL,
        "input": one_of("Without one the model is only loaded.", STRING, STRINGS),
        "keep_alive": KEEP_ALIVE,
        "options": a(OPTIONS),
        "truncate": flag("Cut what is too long; true unless said otherwise."),
        "dimensions": integer("Only so many numbers of each vector."),
    },
    required=("model",),
)
SHOW = Shape(
    "ShowRequest",
    {
        "model": MODEL,
        "name": text("An older word for model."),
        "verbose": flag("With the vocabulary and the tensors."),
        "system": text("Shown in place of the model's own."),
    },
)
# All five are refused, and the refusal names the model.
CHANGE = {"model": MODEL, "name": text("An older word for model."), "source": text("To copy.")}
PULL, PUSH, CREATE, COPY, DELETE = (
    Shape(f"{verb}Request", CHANGE) for verb in ("Pull", "Push", "Create", "Copy", "Delete")
)

CONTENT_PART = Shape(
    "content",
    {
        "type": Field(
            Kind.ANY, "For models that see or hear; ours do not.", None, {"const": "text"}
        ),
        "text": Field(Kind.ANY, schema=STRING),
        "image_url": Field(Kind.ANY, "Refused."),
    },
    required=("type", "text"),
)
OPENAI_MESSAGE = Shape(
    "messages",
    {
        "role": text("developer is as good as system.", enum=[*ROLES, "developer"]),
        "content": Field(
            Kind.ANY,
            schema={"anyOf": [STRING, {"type": "array", "items": CONTENT_PART.described()}]},
        ),
        "tool_calls": one_of("With them the content may be missing.", {"type": "array"}),
    },
    required=("role", "content"),
)
JSON_SCHEMA = Shape("JsonSchema", {"schema": free("What the answer follows.")})
RESPONSE_FORMAT = Shape(
    "ResponseFormat",
    {
        "type": text(enum=["text", "json_object", "json_schema", "", None]),
        "json_schema": a(JSON_SCHEMA),
    },
)
REASONING = Shape(
    "Reasoning", {"effort": text("Our models do not think aloud.", enum=["none", "", None])}
)
STREAM_OPTIONS = Shape("StreamOptions", {"include_usage": flag("Counts in the last chunk.")})
CHAT_COMPLETION = Shape(
    "ChatCompletionRequest",
    {
        "model": MODEL,
        "messages": items("At least one.", OPENAI_MESSAGE, minItems=1),
        "stream": flag("Events as they come; false unless said otherwise."),
        "stream_options": a(STREAM_OPTIONS),
        "max_tokens": integer("The longest answer."),
        "max_completion_tokens": integer("The newer word for max_tokens."),
        "seed": integer(),
        "stop": one_of("Texts that end the answer.", STRING, STRINGS),
        "temperature": number(),
        "top_p": number(),
        "frequency_penalty": number(),
        "presence_penalty": number(),
        "response_format": a(RESPONSE_FORMAT),
        "logprobs": flag(),
        "top_logprobs": TOP_LOGPROBS,
        "tools": items("For models that use tools; ours do not.", maxItems=0),
        "reasoning": a(REASONING),
        "reasoning_effort": text("Our models do not think aloud.", enum=["none", "", None]),
    },
    required=("model", "messages"),
)
OPENAI_EMBED = Shape(
    "EmbedRequest",
    {
        "model": MODEL,
        "input": Field(
            Kind.ANY,
            "One text, or several.",
            schema={"anyOf": [STRING, {**STRINGS, "minItems": 1}]},
        ),
        "encoding_format": text("float or base64.", enum=[*ENCODINGS, "", None]),
        "dimensions": integer("Only so many numbers of each vector."),
    },
    required=("model", "input"),
)
