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


def test_a_file_of_secrets_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^CIO_APP_API_KEY_FILE: .*missing cannot be read: No such file"):
        load({"CIO_APP_API_KEY_FILE": str(tmp_path / "missing")})

    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not text"):
        load({"CIO_APP_API_KEY_FILE": str(tmp_path / "binary")})


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
        ({"CIO_SANDBOX": "off"}, "CIO_SANDBOX: is off and there are no credentials; set CIO_SITE_ID with "),
        ({"CIO_REGION": "asia"}, "CIO_REGION: Input should be 'us' or 'eu'"),
        ({"CIO_TRACK_RATE": "fast"}, "CIO_TRACK_RATE: Input should be a valid number"),
        ({"CIO_TRACK_RATE": "0"}, "CIO_TRACK_RATE: Input should be greater than 0"),
        ({"CIO_DEADLINE": "inf"}, "CIO_DEADLINE: Input should be a finite number"),
        ({"CIO_RATE_SHARE": "1.5"}, "CIO_RATE_SHARE: Input should be less than or equal to 1"),
        ({"CIO_TRACK_URL": "track.customer.io"}, "CIO_TRACK_URL: Input should be a valid URL"),
        ({"CIO_APP_URL": "https://u:p@example.com"}, "CIO_APP_URL: must be a plain address"),
        ({"CIO_APP_URL": "https://example.com/?a=b"}, "CIO_APP_URL: must be a plain address"),
        ({"CIO_TOOL_PREFIX": "a b"}, "CIO_TOOL_PREFIX: String should match pattern"),
        ({"CIO_LOG_LEVEL": "LOUD"}, "CIO_LOG_LEVEL: Input should be"),
        ({"CIO_API_KEY": "k"}, "CIO_API_KEY: there is no such setting; did you mean CIO_APP_API_KEY?"),
        ({"CIO_TRACK_KEY": "k"}, "CIO_TRACK_KEY: there is no such setting; did you mean CIO_TRACK_API_KEY?"),
        ({"CIO_SITEID": "k"}, "CIO_SITEID: there is no such setting; did you mean CIO_SITE_ID?"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(environ: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(environ)

    assert str(error.value).startswith(line)
    assert len(str(error.value).splitlines()) == 1


def test_a_wrong_value_is_not_echoed() -> None:
    with pytest.raises(SettingsError) as error:
        load({"CIO_REGION": "s3cret", "CIO_APP_API_KEY": "s3cret"})

    assert "s3cret" not in str(error.value)


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load({"CIO_TOKEN": "theirs", "PATH": "/bin"}) == load({})


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


def test_settings_never_show_a_secret() -> None:
    settings = load({"CIO_SITE_ID": "s3cret", "CIO_TRACK_API_KEY": "s3cret", "CIO_APP_API_KEY": "s3cret"})

    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_every_variable_has_its_help() -> None:
    assert all(purpose.endswith(".") for purpose in variables().values())
