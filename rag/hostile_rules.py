"""The rules that `rag/hostile.py` goes by: what text does that speaks to the assistant.

Pure. Each rule is a pattern over one folded sentence (`rag.disguise.plain`). Calibrated on one half
of a set of known attacks; on the other half, and on what it cost in 38,919 sentences of real
policies, see `tests/rag/test_hostile_calibration.py`.
"""

import re
from enum import StrEnum


class HostileKind(StrEnum):
    """What a stretch of text tries to do."""

    TOKEN = "token"  # noqa: S105 (forges the marks between turns of a conversation)
    ROLE = "role"  # pretends to be the system, the assistant or the person who asks
    OVERRIDE = "override"  # lifts the instructions
    PERSONA = "persona"  # tells the assistant what it is or may
    REPLY = "reply"  # dictates what the reply says or how
    SECRET = "secret"  # noqa: S105 (asks for the instructions)
    ACT = "act"  # asks for an act: a call, a message, an upload
    DISGUISED = "disguised"  # any of these, encoded or invisible


def _rules(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


_AI = r"(?:a\.?i\.?|llms?|language models?|assistants?|chat ?bots?|bots?|models?|agents?)"
_REPLY = r"(?:answer|reply|response|output|summary|completion)"
_REPLIES = r"(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|completions?)"
# What is to be let go of, and what is to be lifted, in the languages that policies come in.
# "Do not ignore …" and "an offence to override …" tell readers something.
_DROP = (
    r"(?<!not )(?<!never )(?<!n't )(?<!to )\b(?:ignore|disregard|forget|override|bypass|overrule|"
    r"vergiss|vergesst|ignorier\w*|missacht\w*|ignorez|oublie\w*|ignora|ignorad|ignoren?|olvida\w*|"
    r"dimentica\w*|esqueca\w*|desconsider\w*|negeer|vergeet|zignoruj|игнориру\w*|забудь\w*)\b"
)
_DROP_JOINED = r"(?:忽略|无视|無視|忘记|忘掉|تجاهل|انس|무시|अनदेखा)"
_ORDERS = (
    r"(?:instruct\w*|instruc+[it]\w*|istruzion\w*|anweisung\w*|vorgabe\w*|consigne\w*|directives?|"
    r"direttiv\w*|instructies?|prompts?|rules?|guidelines|regeln?|regles?|reglas?|regras?|"
    r"commands?|"
    r"orders|context|data|text|tasks?|инструкц\w*|правил\w*|указани\w*)"
)
_ORDERS_JOINED = r"(?:指令|指示|说明|命令|提示|التعليمات|지시|निर्देश)"
_EARLIER = (
    r"(?:previous\w*|prior|above|earlier|preceding|foregoing|initial|original|existing|all|any|"
    r"your|rest|system|vorherig\w*|bisherig\w*|obig\w*|alle\w*|precedent\w*|anterior\w*|tou\w*s|"
    r"tod[ao]s|tutt[ei]|vos|tes|tus|deine\w?|ihre\w?|предыдущ\w*|все)"
)
_SAY = (
    r"(?:say|state|print|output|reply|respond|answer|write|tell|return|do|di|diga|declar\w*|dis|"
    r"dites|sag\w*|schreib\w*|repond\w*|respond\w*|rispond\w*|escrib\w*|ecri\w*)"
)
_SHAPE = (
    r"(?:add|append|augment|begin|change|close|conclude|convert|draft|embed|encode|end|enhance|"
    r"ensure|finish|format|give|hide|include|incorporate|inject|insert|integrate|introduce|keep|"
    r"limit|make|mention|modify|place|preface|prefix|provide|put|rearrange|replace|reverse|rewrite|"
    r"scramble|start|state|suggest|tailor|translate|use|weave|write)"
)
_NOT_FIRST = (
    r"(?:you|your|yours|we|they|he|she|it|i|the|a|an|this|that|these|those|our|their|his|her|any|"
    r"all|"
    r"if|when|whenever|once|after|before|until|unless|while|because|since|as|although|where|what|"
    r"who|"
    r"how|why|which|whether|in|on|at|by|for|from|to|with|of|based|depending|please|do|does|did|is|"
    r"are|was|can|could|will|would|may|might|should|must|has|have|had|not|no|there|and|or|but|"
    r"\w+ing|\w+ly|\w+ed|\w+s)"
)

RULES: dict[HostileKind, tuple[re.Pattern[str], ...]] = {
    HostileKind.TOKEN: _rules(
        r"<\|\w+\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|</?(?:thinking|think)>",
        r"#{2,} ?(?:system|instruction|human|assistant|response)s? ?:",
        r"[\"']role[\"'] ?: ?[\"'](?:system|assistant|user)",
    ),
    HostileKind.ROLE: _rules(
        rf"^\W{{0,9}}{_AI} ?[:>]",
        r"^.{0,30}\((?:assistant|ai|system)\) ?:",
        r"^\W{0,9}(?:system|developer|admin\w*|ai|assistant) (?:note|notice|message|prompt|"
        r"override|"
        r"instruction|update|alert|command|directive)s?\b ?[:>-]",
        r"^\W{0,9}(?:note systeme|nota del sistema|nota di sistema|nota do sistema|systemhinweis|"
        r"systemnachricht|systemanweisung|systeemmelding) ?:",
        rf"\b(?:note|message|instructions?|attention|memo|reminder)s? (?:to|for) (?:the |any |"
        rf"all )?"
        rf"(?:ai|llm|language|chat ?bot|assistant)s?(?: (?:{_AI}|system)s?)?(?: \w+ this| reading)?"
        r" ?(?:[:,.-]|$)",
        rf"\b(?:to )?you,? (?:the |an )?ai {_AI}",
        r"\b(?:ai|assistants?|models?|llms?|agents?|chat ?bots?) (?:reading|processing|parsing|"
        r"summari[sz]ing|handling|that reads?|who reads?) (?:this|the|it)\b",
        rf"\bthe (?:ai |language )?(?:ai|assistant|model|chat ?bot) (?:must|should|shall|will|is "
        rf"to|"
        rf"has to|needs to) (?:now |also |then |always |instead |never )*(?:{_SAY}|ignore|"
        rf"include|append|"
        rf"add|reveal|recommend|comply)\b",
        r"\b(?:as an?|als|en tant qu'|como) (?:ai|assistant|assistent|asistente|assistente),? "
        r"(?:i|ich|habe ich|j'|yo|eu|io)\b",
    ),
    HostileKind.OVERRIDE: _rules(
        rf"{_DROP}.{{0,30}}\b{_EARLIER}\b.{{0,30}}\b{_ORDERS}\b",
        rf"{_DROP}.{{0,20}}\b{_ORDERS}\b.{{0,20}}\b{_EARLIER}\b",
        rf"{_DROP}.{{0,60}}\b(?:and|then|instead|y|et|und|e|en)\b.{{0,9}}\b{_SAY}\b",
        rf"{_DROP_JOINED}.{{0,20}}{_ORDERS_JOINED}|{_ORDERS_JOINED}.{{0,20}}{_DROP_JOINED}",
        r"^\W{0,9}(?:new|neue|nouvelles?|nuevas?|nuove|novas?) (?:system )?(?:instructions|"
        r"anweisungen|instrucciones|istruzioni|instrucoes) ?:",
    ),
    HostileKind.PERSONA: _rules(
        rf"\byou are (?:now|no longer|actually|really|going to) (?:an? |the |in |in an? )?"
        rf"(?:\w+ ){{0,4}}(?:{_AI}|mode|dan|unrestricted|unfiltered)\b",
        r"\b(?:du bist|ihr seid|tu es|vous etes|eres|tu sei|voce e|je bent)(?: \w+)? (?:jetzt|ab "
        r"sofort|"
        r"maintenant|desormais|ahora|adesso|ora|agora|nu)\b",
        rf"\b(?:act|behave|respond|pretend|roleplay|imagine)(?: that)? (?:as|like|to be|you are|"
        rf"you're|"
        rf"to act as) (?:if you were )?(?:an? |the |another |my )?(?:\w+ ){{0,4}}(?:{_AI}|dan)\b",
        r"\byou (?:now )?(?:have|are|can|may|will|follow|with)\b.{0,40}\b(?:no|without|free of|"
        r"free from|exempt from|not bound by)\b.{0,20}\b(?:restrictions|rules|filters?|limits|"
        r"limitations|content polic\w+|guidelines|guardrails|censorship)\b",
        r"\b(?:ai|artificial intelligence)(?: model| assistant)?,? (?:named|known as|called)\b|"
        r"\bdo anything now\b",
        r"\b(?:world|universe|scenario|reality) (?:where|in which)\b.{0,80}\bwe\b.{0,12}\b(?:say|"
        r"state|claim|conclude)\b",
        r"\b(?:from now on,? you|ab (?:sofort|jetzt) (?:gibst|bist|antwort\w+|sollst|wirst) du|"
        r"a partir de ahora,? |desormais,? (?:tu|vous)|d'ora in poi,? |a partir de agora,? )",
    ),
    HostileKind.REPLY: _rules(
        rf"(?:^|[,:;] |\b(?:please|and|then|must|always|to) ){_SHAPE}\b.{{0,150}}\byour (?:next |"
        rf"final |entire |whole |own )?{_REPLY}\b(?! to (?:the|our|this|a|an|us|my)\b)",
        rf"^(?!{_NOT_FIRST}\b)\w+ (?:\S+ ){{0,20}}?(?:in|of|to|from|with|by|into|throughout)?"
        rf" ?\byour (?:next |final |entire |whole |own )?{_REPLY}\b(?! to (?:the|our|this|a|an|"
        rf"us|my)\b)",
        rf"^in your {_REPLY}, ",
        rf"\b(?:every|each|all|any|subsequent|future|following) {_REPLIES}\b.{{0,40}}\b(?:with|"
        rf"must|"
        r"should|include|contain|append)",
        rf"\b(?:end|begin|start|preface|prefix|finish) (?:every|each|all|any|the|its) {_REPLIES}\b",
        r"\b(?:fin|final|ende|fine|inicio|debut) (?:de|del|da|di|jeder|der) (?:\w+ )?(?:reponse|"
        r"respuesta|risposta|resposta|antwort)\b",
        r"\b(?:if|when|whenever|before|after) (?:the |a |any )?(?:user|you|someone|anyone)? ?"
        r"(?:asks?|answer|reply|respond|replying|answering|responding)\b.{0,60}\b(?:repl(?:y|ies)|"
        r"respond|say|print|output|append|tell|call|user)\b",
        r"\b(?:reply|respond|answer) (?:only |just |exactly )*with (?:only |just |exactly |"
        r"nothing )*"
        r"(?:the (?:following|exact|words?|token|code|phrase|text)|\W)",
        r"\b(?:print|output|repeat|echo|say|append)\b.{0,20}\b(?:the )?(?:exact |following "
        r")+(?:token|"
        r"words?|text|phrase|code|sentence|string)\b",
        r"\b(?:just|only|simply) (?:print|say|output)\b",
        r"\b(?:summari[sz]ing|translating|parsing|answering|replying|responding)\b(?: \w+){0,4} "
        r"this "
        r"(?:document|page|text|file|record|ticket|e?-?mail|message|article|passage)\b",
        r"\ball future (?:tasks?|conversations?|sessions?|interactions?|chats?)\b",
        r"^(?:replace|rearrange|swap|reverse|substitute|scramble|jumble|remove|eliminate|shift|"
        r"group|"
        r"capitali[sz]e) (?:all |every |each |the |any )*(?:\w+ )?(?:vowels?|letters?|words|"
        r"consonants?|"
        r"spaces|characters)\b",
        r"^(?:write|use|introduce|add|include|insert|incorporate|make|spell|type|"
        r"sprinkle)\b.{0,40}\b"
        r"(?:typos?|misspell\w*|spelling (?:errors|mistakes))\b",
        r"^(?:write|draft|compose|develop|create|tell) (?:an?|me an?|the|us an?) (?:\w+ "
        r"){0,3}(?:story|"
        r"poem|essay|speech|song|joke|tweet|slogan|limerick|haiku|introduction for)\b",
    ),
    HostileKind.SECRET: _rules(
        r"\b(?:system|initial|hidden|original|secret) (?:prompt|instructions?)\b",
        r"\b(?:print|output|repeat|echo|display|reveal|show|tell|leak|disclose|recite|list|give)\b"
        r".{0,30}\b(?:your|the) (?:\w+ ){0,2}(?:prompt|instructions above|words above|text "
        r"above)\b",
    ),
    HostileKind.ACT: _rules(
        r"\b(?:call|use|invoke|run|execute|trigger)(?: the)?(?: tool| function)? "
        r"[a-z]+(?:_[a-z]+)+(?![\w{])",
        r"\b(?:send|forward|e?mail|post|upload|copy) (?:\w+ ){0,3}(?:this|the|our|your) (?:\w+ )?"
        r"(?:conversation|chat|prompt)\b",
        r"\b(?:append|add|attach|include|encode|put)\b.{0,60}\b(?:conversation|chat history|"
        r"user's|api keys?|"
        r"passwords?|credentials|session|token|question|query)\b.{0,60}\b(?:url|link|image|"
        r"parameter|"
        r"query string|https?:)",
        r"^\W{0,9}todo ?:",
        r"\b(?:proceed|continue|act|go ahead) without (?:asking|telling|confirming)\b",
        r"\b(?:when|if|once|after|upon) (?:you )?(?:are )?read(?:ing)? this\b.{0,20}\b(?:e?mail|"
        r"send|"
        r"forward|call|post|upload|delete|say|print|output|reply)\b",
        r"!\[[^\]]*\]\(\s*https?:[^)]*[?=]",
    ),
}
