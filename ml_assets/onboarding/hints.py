"""What a column's name suggests: a time, an entity, a label. Words only; what the values say is in `proposal.py`."""

import re

_THINGS = (
    "account|asset|building|client|company|customer|device|driver|employee|household|item|machine|member|merchant|"
    "meter|patient|player|plant|policy|product|sensor|shop|sku|station|store|student|subscriber|supplier|symbol|"
    "ticker|turbine|unit|user|vehicle"
)
_DEEDS = "churn|churned|default|defaulted|fraud|survived|converted|clicked|attrition|readmitted|diagnosis"
_ENTITY = {
    r"(^|_)(id|uuid|guid)$": 0.9,
    rf"(^|_)({_THINGS})($|_(no|nr|num|number|key|code|name)$)": 0.9,
    r"(_(no|nr|num|number|key|code)|num)$": 0.75,
}
_SINGLE_EVENT = r"(^|_)(row|record|event|line|order|invoice|transaction|trip|booking|ticket|index|case|flight)(_|$)"
_LABEL = {
    r"^(target|label|y|outcome|class|ground_truth|truth|response)$": 0.95,
    r"^(target|label|outcome)_|_(target|label|outcome)$": 0.9,
    rf"(^|_)({_DEEDS})(_|$)": 0.85,
    r"^(is|has|was|did|will)_": 0.75,
    r"(^|_)(price|sales|revenue|ltv|demand|consumption|yield|spend|species)$": 0.7,
    r"(^|_)(amount|cost|value|delay|duration|score|rating|quality|category|type|status|result)$": 0.55,
}
_TIME = {
    r"^(event_)?(timestamp|datetime|time|date|ts|day|month)$": 0.9,
    r"^(created|event|observed|snapshot|measured|order|invoice|transaction|purchase|start)_": 0.8,
    r"(_|^)(at|on|date|time|ts|timestamp|datetime|day|hour)(_|$)": 0.7,
}
_LATER = r"(^|_)(end|ended|updated|modified|closed|deleted|cancell?ed|known|due|expires|expiry|until|to)(_|$)"
_AHEAD = r"(?:^|_)(\d{1,4})_?(?:d|day|days)(?:_|$)"
_POSITIVE = r"1|y|yes|t|true|pos|positive|churn|churned|default|defaulted|fraud|bad|failed|failure"


def words(name: str) -> str:
    """A name in lower case with underscores: `CustomerID`, `Customer ID` and `customer_id` are alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def entity_hint(name: str) -> float:
    """How much a name sounds like the key of an entity, 0 to 1; that of a single event sounds less so."""
    found = _weight(_ENTITY, name)
    return found - 0.3 if found and names_single_events(name) else found


def names_single_events(name: str) -> bool:
    """Whether a name speaks of one event, such as an order or a trip."""
    return re.search(_SINGLE_EVENT, words(name)) is not None


def label_hint(name: str) -> float:
    """How much a name sounds like a label, 0 to 1."""
    return _weight(_LABEL, name)


def time_hint(name: str) -> float:
    """How much a name sounds like the time of an event, 0 to 1; what happens later than the event sounds less so."""
    found = _weight(_TIME, name) or 0.3
    return found - 0.4 if re.search(_LATER, words(name)) else found


def days_ahead(name: str) -> int:
    """Days that a label's name looks ahead, e.g. 90 of `churned_90d`; 0 when it says none."""
    found = re.search(_AHEAD, words(name))
    return int(found.group(1)) if found else 0


def sounds_positive(value: object) -> bool:
    """Whether a class is one that names itself the one to be found."""
    return re.fullmatch(_POSITIVE, str(value).strip().lower()) is not None


def _weight(patterns: dict[str, float], name: str) -> float:
    return max((weight for pattern, weight in patterns.items() if re.search(pattern, words(name))), default=0.0)
