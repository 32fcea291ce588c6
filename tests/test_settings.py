"""Settings, from the environment."""

from pathlib import Path

import pytest

from cio_mcp.errors import SettingsError
from cio_mcp.settings import CREDENTIALS, Settings, load, variables


def secret(settings: Settings, name: str) -> str | None:
    value = getattr(settings, name)
    return value.get_secret_value() if value else None


def test_nothing_set_means_the_sandbox_and_the_documented_limits() -> None:
    settings = load({})

    assert settings.uses_sandbox
    assert (settings.track_rate, settings.app_rate, settings.send_rate) == (100, 10, 100)
    assert (settings.broadcast_interval, settings.deadline, settings.region) == (10, 30, "us")


@pytest.mark.parametrize("value", ["", "  ", "${user_config.app_api_key}"])
def test_an_empty_value_and_an_unresolved_placeholder_count_as_unset(value: str) -> None:
    assert load({"CIO_APP_API_KEY": value, "CIO_REGION": value}) == load({})


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_is_taken_under_two_names_and_from_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-file\n")
    pair = {"CIO_SITE_ID": "x", "CIO_TRACK_API_KEY": "x"} if name != "app_api_key" else {}
    pair.pop(f"CIO_{name.upper()}", None)

    for variable, value, expected in (
        (f"CIO_{name.upper()}", "direct", "direct"),
        (f"CUSTOMERIO_{name.upper()}", "direct", "direct"),
        (f"CIO_{name.upper()}_FILE", str(path), "from-file"),
        (f"CUSTOMERIO_{name.upper()}_FILE", str(path), "from-file"),
    ):
        assert secret(load(pair | {variable: value}), name) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the file cannot be read: No such file or directory"),
        (b"\xff\xfe\x00", "the file cannot be read: it is not text"),
        (b" \n", "the file is empty"),
    ],
)
def test_a_file_that_gives_no_secret_stops_the_start_and_never_opens_the_sandbox(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    for variable in ("CIO_APP_API_KEY_FILE", "CUSTOMERIO_SITE_ID_FILE"):
        with pytest.raises(SettingsError) as error:
            load({variable: str(path)})
        assert str(error.value) == f"{variable}: {reason}"


def test_a_key_where_the_name_of_its_file_belongs_is_not_echoed() -> None:
    with pytest.raises(SettingsError) as error:
        load({"CIO_APP_API_KEY_FILE": "app-s3cret"})

    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "key", ["s3cret key", "s3cret\nkey", "s3cret\N{ZERO WIDTH SPACE}", "s3cr\u00e9t", "s3cret\x00"]
)
@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_that_no_header_can_carry_is_refused_by_name_and_not_echoed(name: str, key: str) -> None:
    pair = {"CIO_SITE_ID": "x", "CIO_TRACK_API_KEY": "x"}
    with pytest.raises(SettingsError) as error:
        load(pair | {f"CIO_{name.upper()}": key})

    assert str(error.value).startswith(f"CIO_{name.upper()}: holds characters that no key has")
    assert len(str(error.value).splitlines()) == 1
    assert "s3cr" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("${CIO_KEY}", "is a placeholder"),
        ("${input:cio_key}", "is a placeholder"),
        ("${env:CIO_KEY}", "is a placeholder"),
        ("$CIO_KEY", "is a placeholder"),
        ("%CIO_KEY%", "is a placeholder"),
        ("{{ cio_key }}", "is a placeholder"),
        ("<your app key>", "is a placeholder"),
        ('"s3cret"', "has quotation marks around it"),
        ("'s3cret'", "has quotation marks around it"),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_what_stands_for_a_key_is_not_sent_as_one(
    tmp_path: Path, key: str, fault: str, *, from_file: bool
) -> None:
    path = tmp_path / "key"
    path.write_text(key)
    with pytest.raises(SettingsError) as error:
        load({"CIO_APP_API_KEY_FILE": str(path)} if from_file else {"CIO_APP_API_KEY": key})

    assert str(error.value).startswith(f"CIO_APP_API_KEY: {fault}")
    assert "s3cret" not in str(error.value)


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xef\xbb\xbfapp-key\r\n")

    assert secret(load({"CIO_APP_API_KEY_FILE": str(path)}), "app_api_key") == "app-key"


def test_a_credential_of_its_own_name_comes_before_its_file_and_its_other_name(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-file")
    other, own_file, own = (
        {"CUSTOMERIO_APP_API_KEY": "other"},
        {"CIO_APP_API_KEY_FILE": str(path)},
        {"CIO_APP_API_KEY": "own"},
    )

    assert secret(load(other | own_file | own), "app_api_key") == "own"
    assert secret(load(other | own_file), "app_api_key") == "from-file"


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"CIO_SITE_ID": "s"},
            "CIO_TRACK_API_KEY: is missing; CIO_SITE_ID is set, and the Track API needs both",
        ),
        (
            {"CIO_TRACK_API_KEY": "s"},
            "CIO_SITE_ID: is missing; CIO_TRACK_API_KEY is set, and the Track API needs both",
        ),
        (
            {"CIO_SITE_ID": "s", "CIO_APP_API_KEY": "k", "CIO_SANDBOX": "on"},
            "CIO_TRACK_API_KEY: is missing",
        ),
        ({"CIO_SANDBOX": "off"}, "CIO_SANDBOX: is off and there are no credentials; set CIO_SITE_ID with "),
        ({"CIO_REGION": "asia"}, "CIO_REGION: Input should be 'us' or 'eu'"),
        ({"CIO_TRACK_RATE": "fast"}, "CIO_TRACK_RATE: Input should be a valid number"),
        ({"CIO_TRACK_RATE": "0"}, "CIO_TRACK_RATE: Input should be greater than 0"),
        ({"CIO_DEADLINE": "inf"}, "CIO_DEADLINE: Input should be a finite number"),
        ({"CIO_APP_RATE": "nan"}, "CIO_APP_RATE: Input should be"),
        ({"CIO_RATE_SHARE": "nan"}, "CIO_RATE_SHARE: Input should be"),
        ({"CIO_SANDBOX": "yes"}, "CIO_SANDBOX: Input should be 'auto', 'on' or 'off'"),
        ({"CIO_RATE_SHARE": "1.5"}, "CIO_RATE_SHARE: Input should be less than or equal to 1"),
        ({"CIO_TRACK_URL": "track.customer.io"}, "CIO_TRACK_URL: Input should be a valid URL"),
        ({"CIO_APP_URL": "https://u:p@example.com"}, "CIO_APP_URL: must be a plain address"),
        ({"CIO_APP_URL": "https://example.com/?a=b"}, "CIO_APP_URL: must be a plain address"),
        ({"CIO_TOOL_PREFIX": "a b"}, "CIO_TOOL_PREFIX: String should match pattern"),
        ({"CIO_SHARED_PACE": "on"}, "CIO_SHARED_PACE: must be auto, off, or the address of a Redis"),
        ({"CIO_METRICS": "opne"}, "CIO_METRICS: must be loopback, open, off, or a token of at least 16"),
        ({"CIO_METRICS": "scraping s3cret 0"}, "CIO_METRICS: holds characters that no key has"),
        ({"CIO_TIMEZONE": "Berlin"}, "CIO_TIMEZONE: is not a known time zone; use a name such as Europe/"),
        ({"CIO_TIMEZONE": "../utc"}, "CIO_TIMEZONE: is not a known time zone"),
        ({"CIO_LOG_LEVEL": "LOUD"}, "CIO_LOG_LEVEL: Input should be"),
        ({"CIO_LOG_FORMAT": "xml"}, "CIO_LOG_FORMAT: Input should be 'text' or 'json'"),
        ({"CIO_PII": "hide"}, "CIO_PII: Input should be 'show' or 'mask'"),
        ({"CIO_PII_ATTRIBUTE": "name"}, "CIO_PII_ATTRIBUTE: there is no such setting; did you mean CIO_PII_"),
        ({"CIO_API_KEY": "k"}, "CIO_API_KEY: there is no such setting; did you mean CIO_APP_API_KEY?"),
        ({"CIO_TRACK_KEY": "k"}, "CIO_TRACK_KEY: there is no such setting; did you mean CIO_TRACK_API_KEY?"),
        ({"CIO_SITEID": "k"}, "CIO_SITEID: there is no such setting; did you mean CIO_SITE_ID?"),
        (
            {"CUSTOMERIO_APP_KEY": "k"},
            "CUSTOMERIO_APP_KEY: there is no such setting; did you mean CUSTOMERIO_APP_API_KEY?",
        ),
        (
            {"CIO_APP_API_KEYFILE": "k"},
            "CIO_APP_API_KEYFILE: there is no such setting; did you mean CIO_APP_API_KEY_FILE?",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(environ: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(environ)

    assert str(error.value).startswith(line)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "CIO_REGION",
        "CIO_TRACK_URL",
        "CIO_APP_RATE",
        "CIO_RATE_SHARE",
        "CIO_SHARED_PACE",
        "CIO_TOOL_PREFIX",
        "CIO_SANDBOX",
    ],
)
def test_a_key_that_was_put_into_another_variable_is_not_echoed(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        load({name: "s3cret key!", "CIO_APP_API_KEY": "app-s3cret"})

    assert str(error.value).startswith(f"{name}: ")
    assert "s3cret" not in str(error.value)
    assert error.value.__cause__ is None


def test_words_are_taken_in_any_case() -> None:
    settings = load({"CIO_REGION": "EU", "CIO_SANDBOX": "On", "CIO_LOG_LEVEL": "debug"})

    assert (settings.region, settings.sandbox, settings.log_level) == ("eu", "on", "DEBUG")


def test_variables_of_other_programs_are_left_alone() -> None:
    theirs = {"CIO_TOKEN": "theirs", "CUSTOMERIO_WEBHOOK": "theirs", "PATH": "/bin", "cio_site_id": "theirs"}

    assert load(theirs) == load({})


def test_the_environment_is_read_when_nothing_else_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIO_REGION", "eu")

    assert load().region == "eu"


def test_another_address_is_taken_with_its_port_and_path() -> None:
    assert str(load({"CIO_APP_URL": "http://127.0.0.1:8080/cio"}).app_url) == "http://127.0.0.1:8080/cio"


@pytest.mark.parametrize(
    ("environ", "sandbox"),
    [
        ({"CIO_APP_API_KEY": "k"}, False),
        ({"CIO_APP_API_KEY": "k", "CIO_SANDBOX": "on"}, True),
        ({"CIO_SANDBOX": "on"}, True),
        ({"CIO_SANDBOX": "auto"}, True),
        ({"CIO_APP_API_KEY": "k", "CIO_SANDBOX": "off"}, False),
    ],
)
def test_the_sandbox_is_used_when_asked_for_or_when_no_credential_is_set(
    environ: dict[str, str], sandbox: bool
) -> None:
    assert load(environ).uses_sandbox is sandbox


@pytest.mark.parametrize(
    "name", [name for name, field in Settings.model_fields.items() if isinstance(field.default, tuple)]
)
@pytest.mark.parametrize("value", [",", " , ,"])
def test_a_list_that_is_set_and_names_nothing_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^CIO_{name.upper()}: names nothing"):
        load({f"CIO_{name.upper()}": value})


def test_a_list_is_separated_by_commas_and_an_empty_one_leaves_the_default() -> None:
    assert load({"CIO_PII_ATTRIBUTES": " Shoe Size,, plan , "}).pii_attributes == ("Shoe Size", "plan")
    assert load({"CIO_PII_ATTRIBUTES": " "}).pii_attributes == load({}).pii_attributes
    assert "first_name" in load({}).pii_attributes


def test_people_are_shown_unless_masking_is_asked_for() -> None:
    assert (load({}).pii, load({"CIO_PII": "mask"}).pii) == ("show", "mask")


def test_settings_never_show_a_secret() -> None:
    keys = {"CIO_SITE_ID": "s3cret", "CIO_TRACK_API_KEY": "s3cret", "CIO_APP_API_KEY": "s3cret"}
    settings = load(
        keys | {"CIO_SHARED_PACE": "redis://:s3cret@localhost", "CIO_METRICS": "scraping-s3cret-0"}
    )

    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_every_variable_has_its_help() -> None:
    assert all(purpose.endswith(".") for purpose in variables().values())
