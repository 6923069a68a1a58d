"""The passengers of the demo, with names as people write their own, and their mailboxes."""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

# Letters that Unicode does not divide into a letter and an accent.
_UNACCENTED = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "ð": "d", "Þ": "Th", "ı": "i", "ß": "ss"}
)


class Culture(NamedTuple):
    """People who write their names alike. `_` is a blank in a name.

    A name in another script is `name=latin`. A surname is `of men/of women` if they differ.
    """

    share: float  # of all passengers, in per cent
    women: str
    men: str
    surnames: str
    is_family_first: bool = False  # and then without a blank, as in 刘伟


CULTURES = {
    "English": Culture(12, "Olivia Emma Grace", "James Oliver Henry", "Smith Taylor Walker"),
    "Irish": Culture(4, "Niamh Aoife", "Conor Seán", "O’Brien Murphy Byrne"),
    "Spanish": Culture(6, "Sofía Lucía", "José Mateo", "García Fernández Muñoz"),
    "Portuguese": Culture(5, "Inês Beatriz", "João Tomás", "Ferreira Gonçalves Simões"),
    "French": Culture(5, "Léa Chloé", "Jérôme Théo", "Dubois Lefèvre Girard"),
    "German": Culture(
        6, "Anna Zoë", "Lukas Jürgen=juergen", "Müller=mueller Schäfer=schaefer Weiß"
    ),
    "Italian": Culture(4, "Giulia Chiara", "Luca Niccolò", "Rossi Esposito"),
    "Dutch": Culture(3, "Sanne Fenna", "Daan Joris", "van_Dijk de_Vries"),
    "Danish": Culture(3, "Freja Maja", "Søren Jørgen", "Jensen Nørgaard"),
    "Swedish": Culture(3, "Astrid Elsa", "Björn Åke", "Lindström Sjöberg"),
    "Icelandic": Culture(
        2, "Guðrún Katrín", "Jón Sigurður", "Þórsson/Þórsdóttir Gunnarsson/Gunnarsdóttir"
    ),
    "Estonian": Culture(1, "Kadri Liis", "Rasmus Jüri", "Õunapuu Tamm"),
    "Polish": Culture(
        3, "Zofia Agnieszka", "Jakub Łukasz", "Nowak Kowalski/Kowalska Wiśniewski/Wiśniewska"
    ),
    "Czech": Culture(3, "Tereza Jana", "Jiří Tomáš", "Novák/Nováková Dvořák/Dvořáková Černý/Černá"),
    "Turkish": Culture(
        7, "Ayşe Gülşen Işıl", "İbrahim Çağlar Ömer", "Yılmaz Şahin Öztürk Çelik Kılıç Güneş"
    ),
    "Russian": Culture(
        3,
        "Анна=anna Екатерина=ekaterina",
        "Иван=ivan Дмитрий=dmitry",
        "Иванов/Иванова=ivanov/ivanova Петров/Петрова=petrov/petrova "
        "Островский/Островская=ostrovsky/ostrovskaya",
    ),
    "Ukrainian": Culture(
        3,
        "Олена=olena Марія=mariia",
        "Тарас=taras Андрій=andrii",
        "Шевченко=shevchenko Ковальчук=kovalchuk Левицький/Левицька=levytskyi/levytska",
    ),
    "Bulgarian": Culture(
        1,
        "Йоана=yoana Елица=elitsa",
        "Георги=georgi Димитър=dimitar",
        "Георгиев/Георгиева=georgiev/georgieva Соколов/Соколова=sokolov/sokolova",
    ),
    "Serbian": Culture(
        2,
        "Јована=jovana Милица=milica",
        "Никола=nikola Стефан=stefan",
        "Николић=nikolic Јовановић=jovanovic",
    ),
    "Greek": Culture(
        6,
        "Ελένη=eleni Μαρία=maria Κατερίνα=katerina",
        "Γιώργος=giorgos Νίκος=nikos Κώστας=kostas",
        "Παπαδόπουλος/Παπαδοπούλου=papadopoulos/papadopoulou Νικολάου=nikolaou Γεωργίου=georgiou "
        "Βλάχος/Βλάχου=vlachos/vlachou",
    ),
    "Arabic": Culture(
        7,
        "فاطمة=fatima ليلى=layla مريم=maryam",
        "محمد=mohammed أحمد=ahmed عمر=omar",
        "العلي=alali حسن=hassan المنصوري=almansoori الخطيب=alkhatib درويش=darwish",
    ),
    "Hebrew": Culture(
        5,
        "רחל=rachel נועה=noa תמר=tamar",
        "יוסף=yosef דוד=david איתן=eitan",
        "כהן=cohen לוי=levi מזרחי=mizrahi פרץ=peretz אברהם=avraham",
    ),
    "Thai": Culture(
        1, "กมลชนก=kamonchanok สุดา=suda", "สมชาย=somchai ธนกฤต=thanakrit", "ใจดี=jaidee ศรีสุข=srisuk"
    ),
    "Chinese": Culture(
        3,
        "芳=fang 娜=na 秀英=xiuying 静=jing",
        "伟=wei 强=qiang 志明=zhiming",
        "王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang",
        is_family_first=True,
    ),
    "Japanese": Culture(
        1,
        "さくら=sakura 美咲=misaki",
        "翔太=shota 健太=kenta",
        "佐藤=sato 田中=tanaka",
        is_family_first=True,
    ),
    "Korean": Culture(
        1,
        "서연=seoyeon 지우=jiwoo",
        "민준=minjun 도윤=doyun",
        "김=kim 이=lee 박=park",
        is_family_first=True,
    ),
}


class Person(NamedTuple):
    """A passenger of the demo: the name, and the part of the e-mail address before @ (ASCII)."""

    name: str
    mailbox: str

    def address(self, order_no: int) -> str:
        """Return the e-mail address that the passenger gives for an order."""
        return f"{self.mailbox}{order_no % 90 + 10}@mail.example"


@cache
def people() -> tuple[tuple[Person, ...], tuple[float, ...]]:
    """Return everyone, and how often each is a passenger."""
    weights: dict[Person, float] = {}
    for culture in CULTURES.values():
        found = members_of(culture)
        weights |= dict.fromkeys(found, culture.share / len(found))
    return tuple(weights), tuple(weights.values())


def members_of(culture: Culture) -> list[Person]:
    """Return the people of a culture: each first name with each surname."""
    genders = (culture.women, True), (culture.men, False)
    return [
        _person(first, surname, culture)
        for firsts, is_woman in genders
        for first in _spellings(firsts, is_woman)
        for surname in _spellings(culture.surnames, is_woman)
    ]


def _spellings(names: str, is_woman: bool) -> list[tuple[str, str]]:
    """Return each name as people write it, and in Latin letters."""

    def form(of_both: str) -> str:
        return of_both.split("/")[-1 if is_woman else 0].replace("_", " ")

    pairs = [one.partition("=") for one in names.split()]
    return [(form(written), form(latin or written)) for written, _, latin in pairs]


def _person(first: tuple[str, str], surname: tuple[str, str], culture: Culture) -> Person:
    order = (surname[0], "", first[0]) if culture.is_family_first else (first[0], " ", surname[0])
    return Person("".join(order), f"{ascii_of(first[1])}.{ascii_of(surname[1])}")


def ascii_of(name: str) -> str:
    """Return a name in a Latin script in lower case, in the letters of an address: a to z."""
    plain = unicodedata.normalize("NFKD", name.translate(_UNACCENTED).lower())
    return re.sub("[^a-z]", "", plain)
