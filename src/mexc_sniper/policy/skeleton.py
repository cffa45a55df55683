"""Look-alike names: two texts that a person reads as the same but that are written differently.

Symbols stay opaque code points everywhere else; only this comparison folds them (RELIABILITY 2.7, row 99).
"""

import unicodedata

# Letters whose capitals are drawn like a Latin capital, after case folding (tickers are mostly capitals). Digits that
# pass for letters are left alone on purpose: many honest tickers differ by just a digit.
_CYRILLIC = ("аԁеһіјкмнорԛсѕтԝхувӏѐёї", "adehijkmhopqcstwxybieei")
_GREEK = ("αβεζηικμνορτυχϲ", "abezhikmnoptyxc")
_LATIN_TWINS = ("ɡıȷʟ", "gijl")
_DRAWN_ALIKE = str.maketrans(
    {foreign: latin for script in (_CYRILLIC, _GREEK, _LATIN_TWINS) for foreign, latin in zip(*script, strict=True)}
)


def skeleton(name: str) -> str:
    """Fold a name to what the eye reads: NFKC, no invisible characters or accents, one case, one alphabet.

    Whole-script names without Latin twins (Chinese, say) come back unchanged but for NFKC and case.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name)).casefold()
    visible = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Mn", "Me", "Cc", "Zs", "Zl", "Zp"))
    return visible.translate(_DRAWN_ALIKE)


def looks_like(name: str, other: str) -> bool:
    """Tell whether two different names read the same."""
    return name != other and skeleton(name) == skeleton(other)
