"""The demo's passengers: their names are as people write them, and their addresses can be used."""

import re

import pytest

from core.demo.people import CULTURES, Culture, ascii_of, members_of, people
from core.mail.compose.addresses import parse_recipients
from core.vouchers import unprintable

EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
TITLES = re.compile(r"\b(mr|mrs|ms|miss|dr|prof|herr|frau|bay|bayan)\b", re.IGNORECASE)
OF_A_WOMAN = re.compile(r"(ová|ská|á|ova|dóttir|ова|ева|ская|ька|Παπαδοπούλου|Βλάχου|ska)$")


def names_of(culture: Culture) -> list[str]:
    return [one.name for one in members_of(culture)]


def of_one(culture: Culture, *, women: bool) -> list[str]:
    """Return the names of the women or the men of a culture."""
    only = culture._replace(men="") if women else culture._replace(women="")
    return names_of(only)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "刘伟",
            "王秀英",
            "佐藤さくら",
            "김민준",
            "Tereza Nováková",
            "Jiří Novák",
            "Анна Иванова",
        ),
        *("Иван Петров", "Олена Левицька", "Тарас Шевченко", "Йоана Георгиева", "Јована Николић"),
        *("Ελένη Παπαδοπούλου", "Γιώργος Παπαδόπουλος", "Guðrún Þórsdóttir", "Jón Þórsson"),
        *("Zofia Kowalska", "Jakub Kowalski", "Sanne van Dijk", "Ayşe Yılmaz", "Conor O’Brien"),
        *("فاطمة المنصوري", "נועה כהן", "สมชาย ใจดี"),
    ],
)
def test_names_are_as_people_write_them(name: str) -> None:
    assert name in {one.name for one in people()[0]}


def test_chinese_japanese_and_korean_names_have_the_family_name_first_and_no_blank() -> None:
    for culture in CULTURES.values():
        if culture.is_family_first:
            families = tuple(re.findall(r"(\S+?)=", culture.surnames))
            assert all(name.startswith(families) for name in names_of(culture))
    eastern = [one.name for one in people()[0] if EASTERN.search(one.name)]
    assert len(eastern) > 40
    assert [name for name in eastern if " " in name] == []


@pytest.mark.parametrize("name", [name for name, one in CULTURES.items() if "/" in one.surnames])
def test_a_surname_has_the_form_of_its_bearer(name: str) -> None:
    culture = CULTURES[name]
    women, men = of_one(culture, women=True), of_one(culture, women=False)
    assert [one for one in men if OF_A_WOMAN.search(one)] == []
    assert [one for one in women if OF_A_WOMAN.search(one)]
    mens = [form.split("/")[0] for form in culture.surnames.split() if "/" in form]
    assert [one for one in women if one.endswith(tuple(f" {form}" for form in mens))] == []


def test_no_name_has_a_title_and_every_voucher_can_print_it() -> None:
    for one in people()[0]:
        assert not TITLES.search(one.name)
        assert not unprintable(one.name)


def test_addresses_are_of_letters_that_every_mail_server_takes() -> None:
    addresses = [one.address(no) for no, one in enumerate(people()[0])]
    assert parse_recipients(addresses[:200]) == addresses[:200]
    pattern = re.compile(r"[a-z]+\.[a-z]+[0-9]{2}@mail\.example")
    assert [one for one in addresses if not pattern.fullmatch(one)] == []


def test_shares_are_of_hundred() -> None:
    everyone, weights = people()
    assert len(set(everyone)) == len(everyone) == len(weights)
    assert sum(weights) == pytest.approx(100)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        *(("Wisła", "wisla"), ("O’Brien", "obrien"), ("İbrahim", "ibrahim"), ("Işıl", "isil")),
        *(("Þórsson", "thorsson"), ("Weiß", "weiss"), ("van Dijk", "vandijk"), ("Søren", "soren")),
    ],
)
def test_letters_of_an_address_are_ascii(name: str, letters: str) -> None:
    assert ascii_of(name) == letters
