"""Chat templates in Go's language: the forms of well-known families."""

from typing import Any

import pytest

from runtime.errors import BadTemplate
from runtime.go_chat import Asked, GoChat

SYSTEM, USER, ANSWER, LAST = (
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Bye"},
)
TALK: list[Any] = [SYSTEM, USER, ANSWER, LAST]
CHATML = (
    "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}"
    "{{ if .Prompt }}<|im_start|>user\n{{ .Prompt }}<|im_end|>\n{{ end }}"
    "<|im_start|>assistant\n{{ .Response }}<|im_end|>\n"
)
LLAMA3 = (
    "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n"
    "{{ .Content }}<|eot_id|>\n{{- end }}<|start_header_id|>assistant<|end_header_id|>\n\n"
)
MISTRAL = (
    "{{- range $index, $_ := .Messages }}\n"
    '{{- if eq .Role "user" }}\n'
    "{{- if and (eq (len (slice $.Messages $index)) 1) $.Tools }}[AVAILABLE_TOOLS] "
    "{{ $.Tools }}[/AVAILABLE_TOOLS]\n{{- end }}[INST] "
    "{{ if and $.System (eq (len (slice $.Messages $index)) 1) }}{{ $.System }}\n\n{{ end }}"
    "{{ .Content }}[/INST]\n"
    '{{- else if eq .Role "assistant" }}\n'
    "{{- if .Content }} {{ .Content }}</s>\n"
    "{{- else if .ToolCalls }}[TOOL_CALLS] [\n"
    '{{- range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": '
    "{{ .Function.Arguments }}}\n{{- end }}]</s>\n{{- end }}\n"
    '{{- else if eq .Role "tool" }}[TOOL_RESULTS] {"content": {{ .Content }}}[/TOOL_RESULTS]\n'
    "{{- end }}\n{{- end }}"
)
GEMMA = (
    "{{- range $i, $_ := .Messages }}\n{{- $last := eq (len (slice $.Messages $i)) 1 }}\n"
    '{{- if or (eq .Role "user") (eq .Role "system") }}<start_of_turn>user\n'
    "{{ .Content }}<end_of_turn>\n{{ if $last }}<start_of_turn>model\n{{ end }}\n"
    '{{- else if eq .Role "assistant" }}<start_of_turn>model\n'
    "{{ .Content }}{{ if not $last }}<end_of_turn>\n{{ end }}\n{{- end }}\n{{- end }}"
)
PHI = (
    "{{ if .System }}<|system|>\n{{ .System }}<|end|>\n{{ end }}"
    "{{ if .Prompt }}<|user|>\n{{ .Prompt }}<|end|>\n{{ end }}"
    "<|assistant|>\n{{ .Response }}<|end|>\n"
)
QWEN = (
    "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>\n"
    "{{- else if .Messages }}\n"
    "{{- if or .System .Tools }}<|im_start|>system\n{{- if .System }}\n{{ .System }}\n{{- end }}\n"
    "{{- if .Tools }}\n\n# Tools\n\n<tools>\n{{- range .Tools }}\n"
    '{"type": "function", "function": {{ .Function }}}\n{{- end }}\n</tools>\n{{- end }}'
    "<|im_end|>\n"
    "{{ end }}\n"
    "{{- range $i, $_ := .Messages }}\n{{- $last := eq (len (slice $.Messages $i)) 1 -}}\n"
    '{{- if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
    '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n'
    "{{ if .Content }}{{ .Content }}\n{{- else if .ToolCalls }}<tool_call>\n"
    '{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": '
    "{{ .Function.Arguments }}}\n{{ end }}</tool_call>\n{{- end }}"
    "{{ if not $last }}<|im_end|>\n{{ end }}\n"
    '{{- else if eq .Role "tool" }}<|im_start|>user\n<tool_response>\n{{ .Content }}\n'
    "</tool_response><|im_end|>\n{{ end }}\n"
    '{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant\n{{ end }}\n'
    "{{- end }}\n{{- else }}{{ .Prompt }}{{ end }}{{ .Response }}"
)
TOOL = {
    "function": {
        "parameters": {"properties": {"city": {"type": "string"}}, "type": "object"},
        "name": "get_weather",
        "description": "Weather <now>",
    },
    "type": "function",
}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "1", "function": {"name": "get_weather", "arguments": {"city": "Bonn"}}}],
}


def said(source: str, messages: list[Any], **asked: Any) -> str:
    return GoChat(source).render(messages, Asked(**asked))


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        (
            CHATML,
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
            "<|im_start|>assistant\n",
        ),
        (
            LLAMA3,
            "<|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        (MISTRAL, "[INST] Hi[/INST] Hello</s>[INST] Be kind.\n\nBye[/INST]"),
        (
            GEMMA,
            "<start_of_turn>user\nBe kind.<end_of_turn>\n<start_of_turn>user\nHi<end_of_turn>\n"
            "<start_of_turn>model\nHello<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n"
            "<start_of_turn>model\n",
        ),
        (
            PHI,
            "<|system|>\nBe kind.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello<|end|>\n"
            "<|user|>\nBye<|end|>\n<|assistant|>\n",
        ),
        (
            QWEN,
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
            "<|im_start|>assistant\n",
        ),
    ],
    ids=["chatml", "llama3", "mistral", "gemma", "phi", "qwen2.5"],
)
def test_a_family_s_form_is_kept(source: str, prompt: str) -> None:
    """A system text, two turns and an answer between them."""
    assert said(source, TALK) == prompt


def test_tools_and_their_results_have_their_places() -> None:
    """As JSON in Go's order of fields, and its way to write it."""
    function = (
        '{"name":"get_weather","description":"Weather \\u003cnow\\u003e","parameters":'
        '{"type":"object","properties":{"city":{"type":"string"}}}}'
    )
    result = {"role": "tool", "content": "17 degrees"}
    text = said(QWEN, [USER, CALL, result], tools=[TOOL])
    assert f'<tools>\n{{"type": "function", "function": {function}}}\n</tools>' in text
    assert '<tool_call>\n{"name": "get_weather", "arguments": {"city":"Bonn"}}\n</tool' in text
    assert "<tool_response>\n17 degrees\n</tool_response>" in text
    assert text.endswith("<|im_start|>assistant\n")
    text = said(MISTRAL, [USER], tools=[TOOL])
    assert text.startswith(f'[AVAILABLE_TOOLS] [{{"type":"function","function":{function}}}]')


def test_what_follows_the_answer_is_put_behind_it() -> None:
    """`.Suffix`, and a template that knows it inserts."""
    assert (GoChat(QWEN).inserts, GoChat(PHI).inserts) == (True, False)
    text = said(QWEN, [{"role": "user", "content": "a"}], suffix="b")
    assert text == "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"


def test_an_answer_that_was_begun_is_gone_on_with() -> None:
    """A last message of the assistant is the beginning of what comes."""
    begun = [USER, {"role": "assistant", "content": "Well"}]
    assert said(PHI, begun).endswith("<|assistant|>\nWell")
    assert said(QWEN, begun).endswith("<|im_start|>assistant\nWell")


def test_neighbours_of_one_role_are_one_message() -> None:
    """As Ollama puts them together; results of tools stay apart."""
    source = "{{ range .Messages }}[{{ .Role }}:{{ .Content }}]{{ end }}"
    tool = {"role": "tool", "content": "t"}
    assert said(source, [USER, LAST, tool, tool]) == "[user:Hi\n\nBye][tool:t][tool:t]"


def test_a_template_without_a_place_for_the_response_gets_one() -> None:
    """`{{ .Prompt }}` alone is what a model without a template is given."""
    assert said("{{ .Prompt }}", TALK) == "HiHelloBye"


def test_the_wish_to_think_is_told() -> None:
    """Whether, how hard, and whether it was said at all."""
    source = "{{ .Think }} {{ .ThinkLevel }} {{ .IsThinkSet }}{{ range .Messages }}{{ end }}"
    assert said(source, [USER]) == "false  false"
    assert said(source, [USER], think="low") == "true low true"
    assert said(source, [USER], think=False) == "false  true"


def test_a_template_that_cannot_be_read_is_refused() -> None:
    """In Go's words."""
    with pytest.raises(BadTemplate, match='template: :2: function "foo" not defined'):
        GoChat("x\n{{ foo }}")
