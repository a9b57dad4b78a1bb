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
        "Whether, or how hard, a model that can shall think.",
        {"type": "boolean"},
        {"enum": list(THINK_LEVELS)},
    ),
}
GENERATE = Shape(
    "GenerateRequest",
    {
        **ANSWERING,
        "prompt": text("Without one the model is only loaded, or with keep_alive 0 unloaded."),
        "suffix": text("What follows the answer; for models that insert."),
        "system": text(),
        "template": text("In Go's template language or in Jinja, in place of the model's own."),
        "raw": flag("The prompt is already formatted."),
        "context": items("Tokens of an earlier answer.", items={"type": "integer"}),
        "images": items("JPEG or PNG in base64, for models that see.", items=STRING),
    },
    required=("model",),
)
FUNCTION = Shape(
    "function",
    {
        "name": text(minLength=1),
        "description": text(),
        "parameters": free("A JSON schema of its arguments."),
    },
    required=("name",),
)
TOOLS = items(
    "Functions that the model may ask to be called.",
    Shape(
        "tools",
        {"type": text(enum=["function", None]), "function": a(FUNCTION)},
        required=("function",),
    ),
)
NATIVE_CALL = Shape(
    "tool_calls",
    {
        "id": text(),
        "function": a(Shape("function", {"name": text(), "arguments": free("An object.")})),
    },
)
OPENAI_CALL = Shape(
    "tool_calls",
    {
        "id": text(),
        "function": a(
            Shape("function", {"name": text(), "arguments": text("An object, as JSON.")})
        ),
    },
)
NATIVE_MESSAGE = Shape(
    "messages",
    {
        "thinking": text(),
        "tool_calls": items("Earlier calls of the model.", NATIVE_CALL),
        "tool_name": text("Whose result this is."),
        "tool_call_id": text(),
        "role": text("developer is as good as system.", enum=[*ROLES, "developer"]),
        "content": text(),
        "images": items("JPEG or PNG in base64, for models that see.", items=STRING),
    },
    required=("role",),
)
CHAT = Shape(
    "ChatRequest",
    {
        **ANSWERING,
        "messages": items("Without any the model is only loaded.", NATIVE_MESSAGE),
        "tools": TOOLS,
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
LEGACY_EMBED = Shape(
    "EmbeddingRequest",
    {"model": MODEL, "prompt": text(), "keep_alive": KEEP_ALIVE, "options": a(OPTIONS)},
    required=("model",),
)
TOKENIZE = Shape(
    "TokenizeRequest",
    {"model": MODEL, "content": text(), "keep_alive": KEEP_ALIVE},
    required=("model",),
)
DETOKENIZE = Shape(
    "DetokenizeRequest",
    {"model": MODEL, "tokens": items(items={"type": "integer"}), "keep_alive": KEEP_ALIVE},
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
OLDER = text("An older word for model.")
PROGRESS = flag("Lines as it goes on; true unless said otherwise.")
INSECURE = flag("The registry may speak plain HTTP, or have a certificate that nobody checks.")
COPY = Shape(
    "CopyRequest",
    {"source": text("An installed model."), "destination": text("Its second name.")},
    required=("source", "destination"),
)
DELETE = Shape("DeleteRequest", {"model": MODEL, "name": OLDER})
PULL, PUSH = (
    Shape(
        f"{verb}Request",
        {"model": MODEL, "name": OLDER, "insecure": INSECURE, "stream": PROGRESS},
    )
    for verb in ("Pull", "Push")
)
CREATE_MESSAGE = Shape(
    "messages",
    {"role": text(enum=["system", "user", "assistant"]), "content": text()},
    required=("role",),
)
CREATE = Shape(
    "CreateRequest",
    {
        "model": text("The name of the new model."),
        "name": OLDER,
        "from": text("An installed model."),
        "files": free("Names, as in their folder, with the digests of uploaded blobs."),
        "adapters": free("LoRA files in GGUF form, as files; they come over those of the model."),
        "draft_files": free("Refused."),
        "template": text("In Go's template language, or in Jinja."),
        "system": text(),
        "parameters": free("Over those of the model."),
        "messages": items("The beginning of every conversation.", CREATE_MESSAGE),
        "license": one_of("One text, or several.", STRING, STRINGS),
        "quantize": text("As Q4_K_M, from weights of any other type."),
        "quantization": text("An older word for quantize."),
        "stream": PROGRESS,
    },
)

CONTENT_PART = Shape(
    "content",
    {
        "type": Field(
            Kind.ANY, "Images are for models that see.", None, {"enum": ["text", "image_url"]}
        ),
        "text": Field(Kind.ANY, schema=STRING),
        "image_url": Field(
            Kind.ANY,
            "A data URL of JPEG or PNG; nothing is fetched from elsewhere.",
            None,
            {"anyOf": [STRING, {"type": "object", "properties": {"url": STRING}}]},
        ),
    },
    required=("type",),
)
OPENAI_MESSAGE = Shape(
    "messages",
    {
        "role": text("developer is as good as system.", enum=[*ROLES, "developer"]),
        "content": Field(
            Kind.ANY,
            schema={"anyOf": [STRING, {"type": "array", "items": CONTENT_PART.described()}]},
        ),
        "name": text(),
        "tool_call_id": text("Which call this is the result of."),
        "tool_calls": items("With them the content may be missing.", OPENAI_CALL),
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
    "Reasoning", {"effort": text("For models that think.", enum=[*EFFORTS, "", None])}
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
        "tools": TOOLS,
        "tool_choice": one_of(
            '"none" leaves the tools out; anything else is up to the model.',
            STRING,
            {"type": "object"},
        ),
        "reasoning": a(REASONING),
        "reasoning_effort": text("For models that think.", enum=[*EFFORTS, "", None]),
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
