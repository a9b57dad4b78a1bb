"""Questions that no policy answers: one patient's care, an emergency, orders to the assistant.

Pure. Decided before the search, by rules that a person can read. A question about what is done "if
a patient stops breathing" is an ordinary one; "he is not breathing" is not. Where rules are unsure
the question goes through: it is then answered by what policies say, or not at all.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from rag.disguise import plain
from rag.hostile import find
from rag.hostile_rules import HostileKind

# Of a person who asks, "keep your answer short" is no attack.
STEERING_KINDS = frozenset(HostileKind) - {HostileKind.REPLY, HostileKind.ACT}


class ScopeKind(StrEnum):
    """Why a question is not answered."""

    EMERGENCY = "emergency"
    PATIENT = "patient"
    STEERING = "steering"


@dataclass(frozen=True, slots=True)
class Reply:
    """The set reply to such a question, in plain words."""

    kind: ScopeKind
    text: str


def guard(question: str, emergency_number: str = "") -> Reply | None:
    """Return the set reply to a question that is none about policies; None lets it through.

    emergency_number: as staff dial it ("2222"); empty where nobody has set it.
    """
    kind = kind_of(question)
    return None if kind is None else Reply(kind, _text(kind, emergency_number))


def kind_of(question: str) -> ScopeKind | None:
    """Tell what kind of question it is; the most urgent first."""
    asked = plain(question)
    if _is_emergency(asked):
        return ScopeKind.EMERGENCY
    if _is_steering(question, asked):
        return ScopeKind.STEERING
    if _ONE_PATIENT.search(asked) and _CARE.search(asked):
        return ScopeKind.PATIENT
    return ScopeKind.PATIENT if _THEIR_VALUE.search(asked) else None


def _is_emergency(asked: str) -> bool:
    if _CALLS_FOR_HELP.search(asked):
        return True
    happening = _HAPPENING.search(asked)
    return happening is not None and not _SUPPOSED.search(asked[: happening.start()])


def _is_steering(question: str, asked: str) -> bool:
    if any(finding.kind in STEERING_KINDS for finding in find(question)):
        return True
    return any(pattern.search(asked) for pattern in _STEERS)


def _text(kind: ScopeKind, number: str) -> str:
    match kind:
        case ScopeKind.EMERGENCY:
            call = f"Call {number} now." if number else "Call your emergency number now."
            return f"This is not for emergencies. {call} Then ask the people near you for help."
        case ScopeKind.PATIENT:
            return (
                "We cannot advise on the care of one patient. Ask the doctor or the senior nurse "
                "in charge, or a pharmacist. Here you can ask what a policy says; please leave out "
                "what could tell who the patient is."
            )
        case ScopeKind.STEERING:
            return (
                "We only answer questions about the policies of your department, from their own "
                "words. Please ask what you want to know about a policy."
            )


# "If a patient is choking" and "what should staff do when …" ask for the rule.
_SUPPOSED = re.compile(
    r"\b(?:if|when|whenever|after|before|in case|whether|suppose|should an?|who|whose|which|how "
    r"(?:is|are|"
    r"do|often|long|many)|policy|procedure|every|any|each|cases? of)\b"
)
_HAPPENING = re.compile(
    r"\b(?:is|'s|are|am|i'm) (?:not breathing|(?:\w+ )?(?:unconscious|unresponsive|pulseless|"
    r"choking|"
    r"fitting|drowning|turning blue|bleeding out|on fire|dying)|bleeding (?:heavily|badly|from)|in "
    r"(?:cardiac|respiratory) arrest|having an? (?:\w+ )?(?:heart attack|stroke|seizure|fit|"
    r"anaphylactic|allergic reaction|cardiac arrest)|haemorrhaging|hemorrhaging|attacking|going "
    r"grey|"
    r"going into shock|electrocuted)\b"
    r"|\bha(?:s|ve) (?:just |now |suddenly |also )*(?:collapsed|arrested|fainted|stopped "
    r"breathing|no "
    r"pulse|lost (?:his|her|their) pulse|been (?:stabbed|shot)|had a massive|hanged|jumped|taken "
    r"an "
    r"overdose|failed in intensive|dropped)\b"
    r"|\bi(?:'ve| have) (?:just )?(?:taken an overdose|been (?:stabbed|shot)|collapsed)\b"
    r"|\b(?:patient|visitor|baby|child|resident|colleague|man|woman|husband|wife|mother) (?:just )?"
    r"(?:collapsed|arrested|unconscious|unresponsive|not breathing|turning blue|bleeding from)\b"
    r"|^(?:\w+ ){0,2}(?:unconscious|unresponsive|pulseless) (?:patient|man|woman|child|baby)\b"
    r"|\b(?:can't|cannot|can not) (?:breathe|(?:feel|find) a pulse)\b|\bwon't wake up\b"
    r"|\bthere (?:is|'s|has been) (?:an? )?(?:\w+ )?(?:fire|explosion|gas leak|shooter|gun|man "
    r"with an? "
    r"(?:gun|knife))\b"
    r"|^(?:active shooter|gas leak|fire in|smoke is)\b|\bthe cord is out\b|\bcut h(?:er|is) "
    r"wrists\b"
    r"|\b(?:swallowed|took) (?:a |the )?(?:whole|entire)\b"
    r"|\bi (?:want to|am going to|'m going to|will) (?:kill|hurt|harm|hang) myself\b|\bend my "
    r"life\b"
)
_CALLS_FOR_HELP = re.compile(
    r"^(?:please )?help\b(?! (?:with|me (?:with|find|understand|write|to)))|\bhelp[!]|, (?:help|"
    r"quick)\b"
    r"|^(?:emergency|urgent) ?[!:]|\b(?:cardiac arrest|crash team|arrest)\b.{0,40}\bnow ?!?$"
    r"|\bright now\b.{0,20}[!]|\bi need (?:the crash team|an ambulance|help now)\b"
    r"|\bcrash in (?:theatre|bay|bed|room|resus)\b|\bcardiac arrest in (?:bay|bed|room|theatre|"
    r"cubicle)\b"
)
_ONE_PATIENT = re.compile(
    r"\b(?:my|this|our)(?: \w+){0,3} patient(?:'s)?\b|\b(?:my|this|our) (?:resident|baby|lady|"
    r"gentleman)\b"
    r"|\bpatient of (?:mine|ours)\b|\b(?:i have|i am looking after|i'm looking after|i've got|we "
    r"have) "
    r"an? (?:\w+ ){0,3}?(?:patient|man|woman|lady|child|boy|girl|baby|\w+[- ]year)"
    r"|\b(?:patient|man|woman|lady|girl|boy|baby|child|resident|gentleman)s? in (?:\w+ )?(?:bed|"
    r"bay|room|"
    r"cot|cubicle) \w+|^(?:should i \w+ )?bed \d+\b|\bwake bed \d+\b"
    r"|\b(?:mr|mrs|ms|miss|mx)\.? [a-z]+\b"
    r"|\b\d{1,3}[- ](?:year|yr|month|week|day)s?[- ]old\b|\ban? (?:man|woman) of \d"
    r"|\b(?:he|she|him|his|her|hers)\b"
)
_CARE = re.compile(
    r"\b(?:what|which|how much|how many|how fast|how often)\b.{0,40}\b(?:dose|give|units|mg|ml|"
    r"puffs|"
    r"antibiotic|painkiller|laxative|sedative|drug|rate|fluid|oxygen|potassium|paracetamol|replace|"
    r"treat|prescribe|need|get|do i do|should i do)\b"
    r"|\b(?:can|should|shall|do|may|must|could) i (?:\w+ ){0,2}?(?:give|stop|hold|withhold|restart|"
    r"start|increase|reduce|repeat|catheterise|catheterize|crush|thin|clamp|wake|remove|replace|"
    r"treat|"
    r"prescribe|run|continue|sedate)\b(?! (?:\w+ ){0,2}(?:informed|information|consent))"
    r"|\b(?:can|does|should|is|will|do) (?:s?he|my patient|this patient|mr\w* \w+|ms \w+)\b.{0,40}"
    r"\b(?:have|need|get|take|go home|dying|sepsis|for intensive|safe|her|his|transfusion)\b"
    r"|\bis (?:it safe|\d+ ?(?:mg|ml|units?|g))\b|\bdiagnos|\bwhat is wrong with\b|\bcould it be\b"
    r"|\bis (?:my|this|our) patient (?:dying|septic|safe)\b|\bdo i (?:give|need to treat|repeat)\b"
    r"|\bwhat (?:do|should|can) i (?:do|give|replace)\b|\bwhat (?:next )?dose\b|\bwhat rate\b"
)
# A finding of one person: "her creatinine is 240".
_THEIR_VALUE = re.compile(
    r"\b(?:his|her|their|my patient's|this patient's|the patient's) (?:\w+ ){1,3}(?:is|was|of|"
    r"at) \d"
)
_STEERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\byour (?:\w+ )?(?:instructions|prompts?|programming|configuration|system message|"
        r"developers?|"
        r"filters?|secrets?|password)\b",
        r"\b(?:my|these|those|secret|initial|hidden) instructions (?:are|did|that you)\b",
        r"\b(?:told|given|fed) (?:to )?(?:you )?(?:before (?:i|this|we)|at the start|by your)\b|"
        r"\bwhat were you told\b",
        r"\b(?:you|forbid you) (?:are |were )?(?:not )?(?:allowed|supposed|forbidden|to "
        r"say)\b.{0,12}"
        r"\b(?:tell|say|reveal|answer)\b|\bforbid you\b",
        r"\b(?:repeat|print|output|copy|translate|summari[sz]e|show)\b.{0,30}\b(?:above|before "
        r"this|"
        r"so far|word for word|verbatim)\b",
        r"\b(?:i am|i'm|as) (?:your |the |a )?(?:developer|creator|maintainer|owner|god|"
        r"administrator of "
        r"this)\b",
        r"^(?:please )?(?:pretend|role-?play|let(?:'s| us) (?:play|pretend|imagine))\b|"
        r"^imagine (?:that )?(?:you|we)\b|^(?:please )?act as (?:an?|my|if)\b",
        r"\b(?:enter|enable|activate|switch to|you are in) (?:\w+ )?(?:developer|debug|god|"
        r"jailbreak|dan|"
        r"admin|unrestricted) mode\b",
        r"\b(?:no|without|drop|disable|switch off|bypass|override|forget|ignore) (?:any |all |"
        r"your |the |"
        r"its )*(?:filters?|restrictions|rules|safety rules|safety|guidelines|limits|"
        r"guardrails)\b.{0,40}"
        r"(?:$|\b(?:and|you|any more|then)\b)",
        r"\bwhat is (?:the|your) (?:secret(?: key)?|password|pass phrase)(?: for this \w+)? ?\??$|"
        r"\b(?:share|reveal|confirm|tell me) (?:the|your|its) (?:secret|password)\b",
        r"\b(?:answer|speak|respond|reply) (?:\w+ ){0,2}(?:freely|without (?:any )?(?:filter|"
        r"sources|"
        r"restriction)\w*)\b",
        r"\byour (?:new )?role is\b|\b(?:ai|chat ?bot|assistant|model) (?:with|without|that has) "
        r"(?:any |"
        r"no )?(?:rules|restrictions|limits|policies|filters?)\b",
        r"\bdecode\b.{0,60}\b(?:morse|base64|rot13|hex)\b|\b(?:from|in) rot13\b",
    )
)
