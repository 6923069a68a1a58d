"""The operators of filters: which kinds of column have each, and its words."""

from enum import StrEnum

from core.tables import Kind


class Operator(StrEnum):
    """The operators of conditions, by AG Grid's names."""

    CONTAINS = "contains"
    NOT_CONTAINS = "notContains"
    EQUALS = "equals"
    NOT_EQUAL = "notEqual"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    LESS = "lessThan"
    LESS_OR_EQUAL = "lessThanOrEqual"
    GREATER = "greaterThan"
    GREATER_OR_EQUAL = "greaterThanOrEqual"
    IN_RANGE = "inRange"
    BLANK = "blank"
    NOT_BLANK = "notBlank"
    IN = "in"
    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "thisWeek"
    LAST_WEEK = "lastWeek"
    LAST_7_DAYS = "last7Days"
    LAST_DAYS = "lastDays"
    THIS_MONTH = "thisMonth"
    LAST_MONTH = "lastMonth"
    THIS_QUARTER = "thisQuarter"
    THIS_YEAR = "thisYear"
    FROM_NOW = "fromNow"
    NEXT_24_HOURS = "next24Hours"
    NEXT_7_DAYS = "next7Days"
    NEXT_DAYS = "nextDays"
    UNTIL_TODAY = "untilToday"


DATE_PRESETS = {
    Operator.TODAY: "today",
    Operator.YESTERDAY: "yesterday",
    Operator.THIS_WEEK: "this week",
    Operator.LAST_WEEK: "last week",
    Operator.LAST_7_DAYS: "in the last 7 days",
    Operator.THIS_MONTH: "this month",
    Operator.LAST_MONTH: "last month",
    Operator.THIS_QUARTER: "this quarter",
    Operator.THIS_YEAR: "this year",
    Operator.UNTIL_TODAY: "today or earlier",
    Operator.FROM_NOW: "from now on",
    Operator.NEXT_24_HOURS: "in the next 24 hours",
    Operator.NEXT_7_DAYS: "within 7 days from now",  # of a deadline, it is NEXT_DAYS
}
# Counted by the condition's value. They are whole days, and today is one of them; but the next days
# of a deadline are so many times 24 hours from now.
DAY_COUNTS = {
    Operator.LAST_DAYS: "in the last {} days",
    Operator.NEXT_DAYS: "in the next {} days",
}
MAX_DAYS = 9_999
# To the minute: a calendar day has none.
TO_THE_MINUTE = {Operator.FROM_NOW, Operator.NEXT_24_HOURS, Operator.NEXT_7_DAYS}
# Only for columns that look ahead: of another column no row can match, or every one.
AHEAD = {*TO_THE_MINUTE, Operator.NEXT_DAYS, Operator.UNTIL_TODAY}
BLANKS = {Operator.BLANK, Operator.NOT_BLANK}
_TEXT_OPERATORS = {
    Operator.CONTAINS,
    Operator.NOT_CONTAINS,
    Operator.EQUALS,
    Operator.NOT_EQUAL,
    Operator.STARTS_WITH,
    Operator.ENDS_WITH,
    *BLANKS,
}
_ORDER_OPERATORS = {
    Operator.EQUALS,
    Operator.NOT_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.IN_RANGE,
    *BLANKS,
}
OPERATORS: dict[Kind, set[Operator]] = {
    Kind.TEXT: _TEXT_OPERATORS,
    Kind.CODE: _TEXT_OPERATORS,
    Kind.NUMBER: _ORDER_OPERATORS,
    Kind.MONEY: _ORDER_OPERATORS,
    Kind.INSTANT: _ORDER_OPERATORS | set(DATE_PRESETS) | set(DAY_COUNTS),
    Kind.DATE: _ORDER_OPERATORS | set(DATE_PRESETS) - TO_THE_MINUTE | set(DAY_COUNTS),
}

_WORDS = {
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.EQUALS: "is",
    Operator.NOT_EQUAL: "is not",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "≤",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: "≥",
    Operator.BLANK: "is blank",
    Operator.NOT_BLANK: "is not blank",
}
_WORDS_OF_DAYS = {
    Operator.EQUALS: "on",
    Operator.NOT_EQUAL: "not on",
    Operator.LESS: "before",
    Operator.LESS_OR_EQUAL: "on or before",
    Operator.GREATER: "after",
    Operator.GREATER_OR_EQUAL: "on or after",
}
_WORDS_OF_NUMBERS = {Operator.EQUALS: "=", Operator.NOT_EQUAL: "≠"}


def words_of(operator: Operator, kind: Kind) -> str:
    """Return the words of an operator between a header and a value, for a kind of column."""
    if operator in DATE_PRESETS:
        return DATE_PRESETS[operator]
    special = {
        Kind.INSTANT: _WORDS_OF_DAYS,
        Kind.DATE: _WORDS_OF_DAYS,
        Kind.NUMBER: _WORDS_OF_NUMBERS,
        Kind.MONEY: _WORDS_OF_NUMBERS,
    }
    return special.get(kind, {}).get(operator) or _WORDS[operator]


def days_in_words(operator: Operator, count: int) -> str:
    """Return the words of a number of days: in the last 30 days."""
    words = DAY_COUNTS[operator].format(f"{count:,}")
    return words.removesuffix("s") if count == 1 else words
