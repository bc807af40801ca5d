"""Is a word Spanish? By the frequency lists of pyspellchecker: a word is, if the Spanish list has it far more often.

Both lists are noisy: each has some words of the other language, and lacks inflected forms.
"""

import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

from spellchecker import SpellChecker

GLOSSARY: Final = Path("docs", "glossary.md")
FAR_MORE: Final = 20
"""How many times as often a Spanish word must be in the Spanish list as in the English one."""
RARE: Final = 200
"""Occurrences up to which a word of the English list may still be a form of a Spanish word."""
_SPANISH_TOO: Final = """
anterior canal canales empezo errores fines formato formatos fuentes honda marco mayor mayores mendar migrar motor
motores muestreo normales opcional opcionales patron percentil puede pueden raices reales registrado reintento sera
sigue siguen tienda tiene topologia totales vacio veces volvio
"""
SPANISH_TOO: Final = frozenset(_SPANISH_TOO.split())
"""Words of both lists, or of none, that were found here as Spanish ones."""
ENGLISH_TOO: Final = frozenset({"cafe", "proto", "protos", "resolvers", "vals"})
"""Words that the English list lacks, or has too rarely, and the Spanish one has."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_GLOSSARY_ROW: Final = re.compile(r"^\|([^|]*`[^|]*)\|", re.MULTILINE)
_ENDINGS: Final = (
    # an ending, and what the form that the dictionary has may end in instead
    ("s", ("",)),
    ("es", ("",)),
    ("[oa]s?", ("o", "a")),
    ("ad[oa]s?|ando|aba|aron|an?", ("ar",)),
    ("id[oa]s?|iendo|ieron|en?", ("er", "ir")),
)
_SPANISH_ENDING: Final = re.compile(
    r"...(iones|cion|mientos?|dad|dades|[ae]ncias?|ador|adora|ando|iendo|[aei]rse|ible?s)$"
)
"""Of a word in neither list: no word of ours that is English ends so."""


def split(identifier: str) -> list[str]:
    """The words of a name in snake_case or CamelCase that have three letters or more, in small letters."""
    return [word.lower() for word in _WORD.findall(plain(identifier)) if len(word) > 2]


def plain(text: str) -> str:
    """The text without accents, as identifiers are written."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


@cache
def is_spanish(word: str) -> bool:
    """True for a word, in small letters and without accents, that is Spanish or a simple inflection of one."""
    if word in SPANISH_TOO:
        return True
    if word in ENGLISH_TOO:
        return False
    english, spanish = _english()[word], _spanish()[word]
    if spanish or english > RARE:
        return spanish > FAR_MORE * english
    if not english and _SPANISH_ENDING.search(word):
        return True
    return any(_spanish()[base] > FAR_MORE * max(english, _english()[base]) for base in base_forms(word))


def base_forms(word: str) -> set[str]:
    """What a dictionary may have in place of a plural, a participle or another form of a verb; not all are words."""
    return {
        word[: found.start()] + ending
        for suffix, endings in _ENDINGS
        if (found := re.search(rf"(?<=...)(?:{suffix})$", word))
        for ending in endings
    } - {word}


def domain_words(root: Path) -> frozenset[str]:
    """The words that domain experts say: those of the glossary's first column, and those in the names of topics."""
    glossary = root / GLOSSARY
    rows = _GLOSSARY_ROW.findall(glossary.read_text("utf-8")) if glossary.exists() else []
    names = [name for row in rows for name in re.findall("`([^`]*)`", row)]
    topics = [path.stem for path in (root / "schemas").glob("*/*.avsc")]
    return frozenset(word for name in (*names, *topics) for word in split(name))


def is_domain(word: str, domain: frozenset[str]) -> bool:
    """True for a domain word, and for its plural."""
    return bool({word, word.removesuffix("s"), word.removesuffix("es")} & domain)


@cache
def _spanish() -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, count in SpellChecker(language="es").word_frequency.dictionary.items():
        counts[plain(word)] += count
    return counts


@cache
def _english() -> Counter[str]:
    return Counter(SpellChecker(language="en").word_frequency.dictionary)
