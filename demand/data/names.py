"""Cells that are written like names of people, told from those that are written like names of places, providers and kinds.

In: the different cells of a column, and how often they stand there. Out: those that name people, where that is what the column holds.
Refuses nothing. First names and surnames are those that are frequent in England and Wales (Office for National Statistics, birth statistics
and death registrations; DVLA for surnames) and are no other word and no place: rare surnames, few and alone, look like places and pass.
"""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["named", "of_people", "of_places"]

PARTICLES = frozenset({
    "ap", "ab", "ferch", "verch", "de", "la", "le", "van", "der", "den", "von", "el", "al", "bin", "ibn", "da", "di", "dos", "mac",
    "mc", "st", "o", "d",
})  # fmt: skip
FORENAMES = frozenset(
    """
    john mary peter susan david linda paul karen mark lisa steven donna kevin carol brian ruth george helen edward sandra
    ronald betty james robert michael william richard thomas charles christopher daniel matthew anthony stephen andrew kenneth
    joshua timothy jason jeffrey ryan jacob gary nicholas eric jonathan larry justin scott benjamin samuel gregory alexander
    patrick raymond jerry dennis jack tyler aaron adam nathan henry jessica sarah nancy margaret ashley dorothy kimberly emily
    michelle amanda melissa deborah stephanie rebecca laura sharon cynthia kathleen angela shirley anna brenda pamela nicole
    samantha katherine emma catherine debra rachel carolyn janet maria heather diane julie olivia joyce victoria kelly
    christina joan evelyn lauren judith megan cheryl andrea hannah martha jacqueline jane chloe sophie oliver harry callum
    siân sian llŷr llyr angharad dafydd gwenllian ifan branwen heledd elin rhodri tegwen owain mair huw lowri emrys menna
    iestyn rhys carys dylan bethan nia eleri ffion aled rhian ceri delyth gareth geraint gwyneth ieuan meirion mererid myfanwy
    nerys rhiannon sioned steffan tomos mohammed muhammad ahmed fatima aisha yusuf omar amina hassan ibrahim maryam ali piotr
    tomasz agnieszka katarzyna andrei ioana olena jose luis nguyen wei ngozi amelie zoe llinos mari gwen cadi lukasz fatma
    barbara patricia elizabeth maureen sheila valerie gillian lesley lynne denise wendy tracey tracy beverley lorraine yvonne
    jennifer caroline alison claire clare louise natalie danielle leanne gemma stacey kirsty hayley kerry joanne joanna nicola
    tina tanya theresa teresa marie irene doris edna gladys hilda muriel vera winifred elsie freda phyllis alan graham keith
    colin trevor derek roger geoffrey malcolm terence norman leslie gordon philip phillip ian neil simon stuart nigel darren
    wayne craig shaun sean liam luke lewis connor kieran kyle ethan jake joe joseph jamie martin leon logan noah oscar archie
    alfie charlie theo finley isaac zachary jayden brody leighton tyrone kayleigh abigail amelia ella evie freya maisie phoebe
    isabella isabelle imogen matilda niamh keira tia eleanor alice lucy molly millie ellie gethin idris bronwen eirlys macsen
    efa nansi deio alaw cerys taliesin awen morfydd eluned gwilym dewi elfed arwel eifion glenys gwenda eirian mefin
    meinir catrin manon mali begw nanw ela cai osian gruff gruffydd llew ioan evan harri guto twm mohamed mohammad
    abdul abdullah yasmin tariq khadija zainab imran bilal hamza usman ayesha nadia samira karim mustafa rashid anil sanjay
    rajesh priya sunita deepak krystyna agata zofia bartosz pawel marcin krzysztof malgorzata monika beata ewa jakub mihai
    tom bev steve dave mike chris tony kate jenny sally becky debbie
    elena vasile daniela oleksandr natalia iryna oluwaseun chidi chinedu adebayo funmilayo kwame kofi abena tesfaye tadesse
    """.split()  # noqa: SIM905 - a list of words is read as words
)
SURNAMES = frozenset(
    """
    jones williams davies evans thomas roberts hughes morgan griffiths edwards smith rees jenkins owen phillips lloyd harris
    powell pritchard bowen llewellyn llewelyn vaughan parry hopkins morris howells bevan pugh probert prosser beynon gittins
    maddocks protheroe humphreys rowlands watkins richards matthews stephens davis taylor wilson johnson thompson robinson
    walker watson jackson clarke wright turner harrison cooper patel khan singh hussain ahmed begum ali kaur shah akhtar
    mahmood malik iqbal robertson anderson campbell stewart mitchell simpson ellis richardson murphy kelly kennedy walsh byrne
    ryan o'brien o'connor o'neill o'sullivan mccarthy mcdonald macdonald gallagher doherty murray fitzgerald collins reynolds
    wilkinson atkinson hudson dixon gibson hargreaves ashworth nicholson henderson ferguson sanders saunders fletcher
    armstrong harvey pearson nowak kowalski kowalska wisniewski popescu nguyen adeyemi okafor osei mensah chaudhry rahman
    uddin chowdhury bhatti sharma gupta
    """.split()  # noqa: SIM905 - a list of words is read as words
)
LEAST, MANY, MOSTLY, MANY_DIFFERENT, NEARLY_ALL = 3, 20, 0.8, 0.3, 0.9
"""Names are told by their number: at least so many cells, most of them written like names, and so large a share of them different."""
DIFFERENT = 50
"""From so many different cells on, words alone in small letters may be names though they come again."""
FORENAMED, SURNAMED, SURNAMED_OF_MANY = 0.3, 0.3, 0.15
"""From this share of different cells with a common first name in them on, or of cells that are a common surname and no more, a column names
people, however often each stands in it. Among many different cells (DIFFERENT) fewer are common ones."""
PLACES = re.compile(
    r"\b(?:ysgol|t[yŷ]|llys|plas|cartref|bro|maes|capel|eglwys|clos|heol|ffordd|stryd|house|home|road|street|avenue|lane|close|court|lodge"
    r"|hall|hostel|hotel|villa|cottage|manor|place|terrace|park|school|primary|academy|college|nursery|rc|st|sant|saint|church|ward|care"
    r"|centre|project|hospice|hospital|surgery|trust|charity|foundation|group|services?|support|homes|housing|ltd|limited|plc|cic|llp)\b",
    re.IGNORECASE,
)
"""Beside such a word a name is that of a place, a school or a provider."""
OF_PLACES = re.compile(
    r"(?:^|[\W_])(?:ward|school|home|provider|agency|agencie|supplier|organi[sz]ation|team|scheme|project|hostel|area|locality|district|street"
    r"|ysgol|cartref|darparwr|t[iî]m|cynllun|ardal|stryd)s?(?:[\W_]*(?:full[\W_]*)?names?)?$"
)
"""What a column of places and providers is called."""
AGAIN = 0.5
"""There each stands in twice or more, on average."""
NUMBERED = re.compile(r"(?<=[^\W\d_]{3})\s?\d+$")
"""A number behind a name that several people bear."""
LONGEST = 12
"""No name has more words."""
OF_PEOPLE = re.compile(
    r"(?:^|[\W_]|social|key|case|support|care)(?:resident|patient|gp|doctor|nurse|landlord|landlady|carer|contact|officer|tenant|client|worker"
    r"|customer|applicant|claimant|citizen|person|manager|assessor|advocate|guardian|next[\W_]?of[\W_]?kin|nok|(?:allocated|assigned)[\W_]?to|preswylydd|claf|meddyg|gofalwr"
    r"|swyddog|gweithiwr|cleient)s?(?:[\W_]*(?:(?:full[\W_]*)?names?|\d+))?$"
)
"""What a column is called after the part that a person has in a case: it may hold their names, or say of what kind they are."""
TITLED = re.compile(
    r"(?P<title>(?i:mr|mrs|ms|miss|mx|dr|prof|professor)\b\.? *)(?:[^\W\d_]\.? )*[^\W\d_][^\W\d_]+(?:[ '’\-][^\W\d_]+){0,2}"
)
INITIALLED = re.compile(
    r"(?:[A-Z]\.? ?){1,3}(?P<after>\b[A-Z][^\W\d_]+(?:['’\-][^\W\d_]+)*)|(?P<before>[A-Z][\w'’\-]+),? (?:[A-Z]\.? ?){1,2}"
)
"""Names with a title, and with initials: "Dr Patel", "J Evans", "Evans, J."."""
KINDS = frozenset(
    """
    private social council housing association landlord tenant rented renting owner occupier registered local authority
    not known none unknown other yes no own family friend friends member relative spouse husband wife partner mother father son daughter
    sibling parent neighbour worker officer carer client resident patient person people adult child young older cymru wales welsh
    national community informal unpaid paid formal agency department board office team visit call letter phone email e-mail full part
    time temporary permanent short long term stay new existing former single couple high low medium health mental physical learning
    disability day night type level zone band group category grade tier stage wing block tenancy secure introductory assured shorthold
    licence holder flexible starter demoted periodic fixed lodger leaseholder freeholder shared ownership supported sheltered
    accommodation carers kinship placement paternal maternal grandmother grandfather grandparent grandparents aunt uncle cousin niece
    nephew face text message video chat webchat drop walk in to home telephone online portal web post virtual remote duty desk intake
    hub unit queue service services locality
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""Words of which kinds of people and landlords are made, in a column that is called after people."""
BESIDE = re.compile(r"\b(?:family|teulu|household|mr|mrs|ms|miss|mx|dr|x\d+)\b\.?", re.IGNORECASE)
"""What stands beside a surname."""


def of_places(called: str) -> bool:
    """Say whether a column is called as those of places and providers are; in small letters."""
    return bool(OF_PLACES.search(called))


def of_people(called: str) -> bool:
    """Say whether a column is called after the part that people have in a case, as "landlord" or "key worker"; in small letters."""
    return bool(OF_PEOPLE.search(called))


def named(some: pd.Series, *, given: int, different: int, called: str = "") -> pd.Series:
    """Give the cells that are written like names, where that is what the column holds.

    Parameters
    ----------
    some : pandas.Series
        Different cells, or so many of them as are looked at.
    given, different : int
        Cells that are not empty, and how many of them differ.
    called : str
        What the column is called: one word alone names nobody in a column of places or providers that come again and again.

    Returns
    -------
    pandas.Series
        Those of `some`; none where the column describes.
    """
    parts = some.map(_parts)
    places = of_places(called) and different <= AGAIN * given
    rest = some.map(_beside_places)
    common = some[rest.map(lambda p: len(p) > places and any(part in FORENAMES for word in p for part in word.casefold().split("-")))]
    if len(common) >= LEAST and len(common) > FORENAMED * len(some):
        return common
    bare = some.str.replace(BESIDE, " ", regex=True).str.strip(" .,").str.casefold()
    titled = bare != some.str.casefold()
    surnames = some[bare.isin(SURNAMES) & (titled | (not places))]
    if len(surnames) >= LEAST and len(surnames) > (SURNAMED if len(some) < DIFFERENT else SURNAMED_OF_MANY) * len(some):
        return surnames
    formal = _formal(some, told=of_people(called))
    if len(formal):
        return formal
    if given < MANY or different <= MANY_DIFFERENT * given:
        return some.iloc[:0]
    like = some[parts.map(_like_a_name)]
    if len(like) > MOSTLY * len(some):
        return like
    words = some[parts.map(lambda p: 2 <= len(p) <= 4)]  # names in small letters: words alone, and no two cells alike
    many = different > NEARLY_ALL * given or different >= DIFFERENT
    return words if many and len(words) > MOSTLY * len(some) else some.iloc[:0]


def _formal(some: pd.Series, *, told: bool) -> pd.Series:
    """Give the cells that are names with titles or initials and, in a column called after people, other names: two are enough.

    Bands and wings ("Band A", "B Wing") share their words; names do not.
    """
    enough = max(min(2, len(some)), FORENAMED * len(some))
    alone = some.map(_alone)
    titled = some[alone.map(_titled)]
    if len(titled) >= enough:
        return titled
    last = alone.map(_beside_initials)
    initialled = last[last != ""]
    if len(initialled) >= enough and initialled.nunique() > MOSTLY * len(initialled):
        known = initialled.isin(SURNAMES).sum()
        if told or known > SURNAMED * len(initialled):
            return some[initialled.index]
    if not told:
        return some.iloc[:0]
    parts = some.map(_beside_places)
    common = some[parts.map(lambda p: any(w in FORENAMES or w in SURNAMES for part in p for w in part.casefold().split("-")))]
    if len(common) > FORENAMED * len(some):
        return common
    whole = parts[parts.map(lambda p: 2 <= len(p) <= 4 and _like_a_name(p) and KINDS.isdisjoint(w.casefold() for w in p))]
    words = [w.casefold() for p in whole for w in p]
    return some[whole.index] if len(whole) >= max(LEAST, MOSTLY * len(some)) and len(set(words)) > MOSTLY * len(words) else some.iloc[:0]


def _titled(cell: str) -> bool:
    """Say whether a cell is a name with its title; "MS" in capitals is an illness, save in "MS JONES"; "MRS SNAPE" is a name."""
    found = TITLED.fullmatch(cell)
    if found is None or PLACES.search(cell):
        return False
    words = cell[found.end("title") :].casefold().split()
    clear = found["title"].strip(". ") in ("MRS", "MISS") or any(word in SURNAMES for word in words)
    return not found["title"].isupper() or (cell.isupper() and clear)


def _alone(cell: str) -> str:
    """Give a cell without what stands in brackets and without a number behind: "Evans J" of "Evans J (Cardiff)"."""
    return NUMBERED.sub("", re.sub(r"\s+\d+$", "", re.sub(r"\([^)]*\)", " ", cell).strip())).strip()


def _beside_initials(cell: str) -> str:
    """Give the surname beside initials, in small letters; nothing where there are none: "Y Bala" and "Yr Wyddgrug" are places."""
    found = INITIALLED.fullmatch(cell)
    if found is None or PLACES.search(cell) or re.match(r"Y ", cell):
        return ""
    last = (found["after"] or found["before"]).casefold()
    return "" if last in KINDS else last


def _parts(cell: str) -> list[str]:
    """Give the words of a cell that holds words alone, without what stands in brackets; nothing where there are figures."""
    first = re.split(r"[;&/+]", re.sub(r"\([^)]*\)", " ", cell))[0]
    words = [w for w in (part.strip("'\"’") for part in re.split(r"[\s,._]+", first)) if w]
    return words if len(words) <= LONGEST and all(re.fullmatch(r"[^\W\d]+(?:['’\-][^\W\d]+)*['’]?", w) for w in words) else []


def _beside_places(cell: str) -> list[str]:
    """Give the words of a cell without what names a place: "John Smith" of "John Smith, Rose House", or of "John Smith (Rose House)"."""
    parts = NUMBERED.sub("", re.sub(r"\([^)]*\)", " ", cell)).split(",")
    return _parts(",".join(part for part in parts if not PLACES.search(part) or _whole_name(part)))


def _whole_name(part: str) -> bool:
    """Say whether a common first name and a common surname stand first: "Jane Davies at home"."""
    first = [word.strip(".'’").casefold() for word in part.split()[:2]]
    return len(first) == 2 and first[0] in FORENAMES and first[1] in SURNAMES


def _like_a_name(parts: list[str]) -> bool:
    """Say whether words are written as names are: one to five, with capitals (where the script has them) on all but the small ones."""
    large = [w for w in parts if w.casefold() not in PARTICLES]
    return 0 < len(parts) <= 5 and bool(large) and all(not w[0].islower() for w in large)
