"""LIKE as regular expressions: DuckDB's own tries one way after another, four `%` and `_` on 300 letters for hours.

Its regular expressions are RE2's, which take time in proportion to the text.
"""

_SPECIAL = r"([\\^$.|?*+()\[\]{}])"
_ESCAPED, _PERCENT, _UNDERSCORE = "\ufdd0", "\ufdd1", "\ufdd2"  # no characters: they are in no text that is kept


def like(value: str, pattern: str, escape: str | None) -> str:
    """Whether a text is like a pattern; all are SQL. What follows `escape`, one character, stands for itself."""
    if escape is not None:
        one = f"'[' || CASE WHEN {escape} IN ('\\', '^', ']', '[', '-') THEN '\\' ELSE '' END || {escape} || ']'"
        pattern = f"regexp_replace({pattern}, '(?s)' || {one} || '(.)', '{_ESCAPED}\\1', 'g')"
        pattern = f"replace(replace({pattern}, '{_ESCAPED}%', '{_PERCENT}'), '{_ESCAPED}_', '{_UNDERSCORE}')"
        pattern = f"replace({pattern}, '{_ESCAPED}', '')"
    pattern = rf"regexp_replace({pattern}, '{_SPECIAL}', '\\\1', 'g')"
    pattern = f"replace(replace({pattern}, '%', '.*'), '_', '.')"
    if escape is not None:
        pattern = f"replace(replace({pattern}, '{_PERCENT}', '%'), '{_UNDERSCORE}', '_')"
    return f"regexp_full_match({value}, '(?s)' || {pattern})"
