"""Protected characteristics: the nine of the Equality Act 2010, and language, told by the names of columns, in English and Welsh.

In: a column's name. Out: the characteristic that it tells of, if it tells of one. Such columns are never chosen to find segments, only used
where they are listed, and always described. Refuses nothing.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["PROTECTED", "protected"]

PROTECTED = {
    "age": "age ages aged dob yob dateofbirth yearofbirth birthdate ageinyears birth born birthday birthyear "
    "elderly pensioner oed oedran geni ganwyd",
    "disability": "disab disability disabilities disabled impairment impaired learningdifficulty learningdifficulties "
    "learningdisability wheelchair blind deaf autism autistic "
    "anabledd anabl dall byddar",
    "gender reassignment": "trans transgender reassignment genderreassignment genderidentity trawsryweddol trawsrywedd",
    "marriage and civil partnership": "marital maritalstatus married marriage spouse widowed divorced civilpartner civilpartnership priod "
    "priodas",
    "pregnancy and maternity": "preg pregnant pregnancy maternity expecting beichiog beichiogrwydd mamolaeth",
    "race": "race racial eth ethnic ethnicorigin ethnicbackground ethnicity ethnicities ethnicgroup nationality "
    "citizenship countryofbirth birthcountry afam bame hil ethnig "
    "ethnigrwydd cenedligrwydd roma gypsy traveller",
    "religion or belief": "religion religious belief faith crefydd ffydd",
    "sex": "sex gender male female rhyw rhywedd gwryw benyw",
    "sexual orientation": "sexual sexuality orientation sexualorientation lgbt lgbtq lesbian gay bisexual rhywioldeb rhywiol "
    "cyfeiriadeddrhywiol",
    "language": "language languages lang langs eal esol mothertongue interpreter iaith ieithoedd welsh cymraeg cyfieithydd",
}
"""The nine characteristics of the Equality Act 2010, section 4, and language, with the words by which column names tell them."""
_WORDS = {word: name for name, words in PROTECTED.items() for word in words.split()}
_BEFORE = "has is first main home preferred client person"
_AFTER = "id code cd cat category band bands bracket group groups grp range desc description status flag ind yn years yrs"
"""hasdisability, ageband, ethcat, ageatreferral: a word of the list with what columns put before and after it, written as one."""


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
    return next((_WORDS[word] for run in runs if (word := _bare(run)) in _WORDS), None)


def _bare(run: str) -> str:
    """Take off what was written together with a word that tells of a characteristic; the run itself where there is none."""
    if run in _WORDS:
        return run
    starts = {len(p) for p in ("", *_BEFORE.split()) if run.startswith(p)}
    ends = {len(p) for p in ("", *_AFTER.split()) if run.endswith(p)}
    words = [run[a : len(run) - b] for a in sorted(starts) for b in sorted(ends)]
    words += ["age"] if run.startswith("ageat") and not run.startswith("ageatt") else []
    return next((word for word in words if word in _WORDS and word != "trans"), run)
