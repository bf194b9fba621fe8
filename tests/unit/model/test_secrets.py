"""A secret is masked in every form in which it may leave."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import shlex
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from model import secrets
from model.secrets import MASK, MaskingFilter, SecretStore

HARD = "pä ss/w+o'r\"d\\ &<1>"

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "path of a URL": quote,
    "part of a URL": lambda value: quote(value, safe=""),
    "escapes in lower case": lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    "form": lambda value: urlencode({"password": value}),
    "query": quote_plus,
    "JSON": json.dumps,
    "JSON for people": lambda value: json.dumps(value, ensure_ascii=False),
    "Python": repr,
    "shell": shlex.quote,
    "HTML": html.escape,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


def stands_out(text: str, value: str) -> bool:
    """Whether any six characters of a secret's letters are left."""
    return any(value[start : start + 6] in text for start in range(len(value) - 5))


@pytest.fixture
def store() -> SecretStore:
    return SecretStore()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", ["hunter2-and-more", HARD, "ab/cd+ef==", "x" * 64 + "é", "two\nlines"])
def test_every_form_is_masked(store: SecretStore, form: str, value: str) -> None:
    store.register(value)
    said = FORMS[form](value)
    masked = store.mask(f"<<{said}>>")
    assert MASK in masked
    inner = masked.removeprefix("<<").removesuffix(">>").replace(MASK, "")
    assert len(inner) <= len("password=") + 2, f"{form}: {masked!r} is left of {said!r}"
    assert not stands_out(masked.replace("password=", ""), value)


def test_of_what_is_quoted_the_quotes_are_left(store: SecretStore) -> None:
    store.register(HARD)
    assert store.mask(json.dumps(HARD)) == store.mask(json.dumps(HARD, ensure_ascii=False)) == f'"{MASK}"'
    assert store.mask(repr(HARD)) == f"'{MASK}'"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "admin:"])
@pytest.mark.parametrize("after", ["", "!", "!!", "!!!"])
@pytest.mark.parametrize("value", ["sixsix", "seven77", "eight888", "nine99999", "thirty characters and some more"])
def test_a_secret_inside_of_base64_is_masked(store: SecretStore, before: str, after: str, value: str) -> None:
    store.register(value)
    said = base64.b64encode(f"{before}{value}{after}".encode()).decode()
    masked = store.mask(f"Authorization: Basic {said}")
    assert MASK in masked
    left = len(masked.removeprefix("Authorization: Basic ").replace(MASK, "").rstrip("="))
    first, last = -(-len(before) * 8 // 6), (len(before) + len(value)) * 8 // 6
    assert left <= len(said.rstrip("=")) - (last - first), "every digit that holds nothing but the secret is masked"


def test_the_longer_of_two_secrets_is_masked_wholly(store: SecretStore) -> None:
    store.register("secret-one")
    store.register("secret-one-and-two")
    assert store.mask("it is secret-one-and-two, not secret-one.") == f"it is {MASK}, not {MASK}."


def test_a_secret_in_the_middle_of_another_does_not_uncover_its_end(store: SecretStore) -> None:
    store.register("before-middle-and-after")
    store.register("middle")
    assert store.mask("<before-middle-and-after>") == f"<{MASK}>"


def test_a_secret_that_overlaps_with_itself_leaves_no_end(store: SecretStore) -> None:
    store.register("xxxxxx")
    assert store.mask("<xxxxxxx>") == f"<{MASK}>"


@pytest.mark.parametrize("order", [1, -1])
def test_overlapping_secrets_leave_no_end(store: SecretStore, order: int) -> None:
    for value in ["abcdefgh", "efghijkl-longer"][::order]:
        store.register(value)
    assert store.mask("<abcdefghijkl-longer>") == f"<{MASK}>"


def test_a_secret_that_overlaps_itself_leaves_no_end(store: SecretStore) -> None:
    store.register("abcabcab")
    assert store.mask("abcabcabcab") == MASK


def test_two_secrets_side_by_side_are_two(store: SecretStore) -> None:
    store.register("abcdefgh")
    assert store.mask("abcdefghabcdefgh") == MASK * 2


def test_what_is_no_secret_stays(store: SecretStore) -> None:
    text = "nothing to see here\n" * 3
    assert store.mask(text) == text
    store.register("abcdefgh")
    assert store.mask(text) == text
    assert store.mask("") == ""


def test_registering_returns_the_secret_and_is_repeatable(store: SecretStore) -> None:
    assert store.register("abcdefgh") == store.register("abcdefgh") == "abcdefgh"
    assert store.mask(store.mask("abcdefgh")) == MASK


def test_plain_data_is_masked_with_its_names_and_what_is_no_text_stays(store: SecretStore) -> None:
    store.register("abcdefgh")
    assert store.mask_all({"abcdefgh": [1, None, {"key": "is abcdefgh"}], "b": 2.5}) == {MASK: [1, None, {"key": f"is {MASK}"}], "b": 2.5}


@pytest.mark.parametrize("value", ["", "short"])
def test_what_is_too_short_is_refused(store: SecretStore, value: str) -> None:
    with pytest.raises(ValueError, match="under 6 characters"):
        store.register(value)
    assert store.mask(f"a {value} text") == f"a {value} text"


def test_secrets_may_be_registered_while_others_mask(store: SecretStore) -> None:
    failures: list[BaseException] = []
    done = threading.Event()

    def mask() -> None:
        try:
            while not done.is_set():
                store.mask("some text that holds number-000000 and more")
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=mask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(200):
        store.register(f"number-{number:06}")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.mask("number-000199") == MASK


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, store: SecretStore) -> Callable[[logging.LogRecord], str]:
    """What a handler with the filter writes."""
    monkeypatch.setattr(secrets, "SECRETS", store)
    store.register("hunter2-and-more")

    def write(record: logging.LogRecord) -> str:
        assert MaskingFilter().filter(record) is True
        return logging.Formatter("%(levelname)s %(message)s").format(record)

    return write


def record(message: str, *arguments: object, error: BaseException | None = None, stack: str | None = None) -> logging.LogRecord:
    raised = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("any", logging.INFO, __file__, 1, message, arguments, raised, sinfo=stack)


def test_a_logged_message_is_masked_with_its_arguments(logged: Callable[[logging.LogRecord], str]) -> None:
    assert logged(record("logged in with %s", "hunter2-and-more")) == f"INFO logged in with {MASK}"
    assert logged(record("100 % of hunter2-and-more")) == f"INFO 100 % of {MASK}"


def test_a_logged_exception_is_masked(logged: Callable[[logging.LogRecord], str]) -> None:
    try:
        msg = "the store refused hunter2-and-more"
        raise RuntimeError(msg)  # noqa: TRY301 - it needs a traceback
    except RuntimeError as error:
        text = logged(record("it failed", error=error))
    assert f"RuntimeError: the store refused {MASK}" in text
    assert "hunter2-and-more" not in text


def test_a_logged_stack_is_masked(logged: Callable[[logging.LogRecord], str]) -> None:
    assert "hunter2" not in logged(record("here", stack="Stack:\n  call('hunter2-and-more')"))
