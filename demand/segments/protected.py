"""Protected characteristics: the nine of the Equality Act 2010, and language, told by the names of columns, in English and Welsh.

In: a column's name. Out: the characteristic that it tells of, if it tells of one. Such columns are never chosen to find segments, only used
where they are listed, and always described. Refuses nothing.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["PROTECTED", "protected"]

PROTECTED = {
    "age": "age ages aged dob birth born birthday birthyear elderly pensioner oed oedran geni ganwyd",
    "disability": "disab disability disabilities disabled impairment impaired wheelchair blind deaf autism autistic "
    "anabledd anabl dall byddar",
    "gender reassignment": "trans transgender reassignment genderreassignment genderidentity trawsryweddol trawsrywedd",
    "marriage and civil partnership": "marital married marriage spouse widowed divorced civilpartner civilpartnership priod priodas",
    "pregnancy and maternity": "pregnant pregnancy maternity expecting beichiog beichiogrwydd mamolaeth",
    "race": "race racial ethnic ethnicity ethnicities ethnicgroup nationality citizenship countryofbirth birthcountry afam bame hil ethnig "
    "ethnigrwydd cenedligrwydd roma gypsy traveller",
    "religion or belief": "religion religious belief faith crefydd ffydd",
    "sex": "sex gender male female rhyw rhywedd gwryw benyw",
    "sexual orientation": "sexual sexuality orientation sexualorientation lgbt lgbtq lesbian gay bisexual rhywioldeb rhywiol "
    "cyfeiriadeddrhywiol",
    "language": "language languages mothertongue interpreter iaith ieithoedd welsh cymraeg cyfieithydd",
}
"""The nine characteristics of the Equality Act 2010, section 4, and language, with the words by which column names tell them."""
_WORDS = {word: name for name, words in PROTECTED.items() for word in words.split()}


def protected(name: str) -> str | None:
    """Name the protected characteristic that a column's name tells, if it tells one.

    Examples
    --------
    >>> protected("age_band"), protected("agency"), protected("FirstLanguage"), protected("country_of_birth")
    ('age', None, 'language', 'race')
    """
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode()
    parts = [p.lower() for p in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", plain)]
    # Several words together say more than each of them: country of birth is not age.
    runs = ["".join(parts[i : i + length]) for length in (3, 2, 1) for i in range(len(parts) - length + 1)]
    return next((_WORDS[run] for run in runs if run in _WORDS), None)
