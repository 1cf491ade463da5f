"""Credentials are found by form, and no line that holds one is shown as it is."""

from solvent.debt.facts.secrets import masked, secrets

KEY = "AKIA" + "Q7RZ2M4WNVBT6LPD"


def test_a_credential_is_found_and_blotted_out() -> None:
    line = f'client = Client("{KEY}", region="eu")'
    assert list(secrets(line)) == [(line.index(KEY), "an AWS access key")]
    assert masked(line) == 'client = Client("…", region="eu")'


def test_a_private_key_over_lines() -> None:
    text = "key = '''-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq9Zkq3xYw0dRr8GkT2uVnC" + "\n'''"
    assert [kind for _, kind in secrets(text)] == ["a private key"]


def test_placeholders_are_masked_but_no_finding() -> None:
    text = "AKIA" + "IOSFODNN7EXAMPLE"
    assert list(secrets(text)) == []
    assert masked(text) == "…"
