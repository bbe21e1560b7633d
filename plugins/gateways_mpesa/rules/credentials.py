"""How Daraja is shown who asks: passwords of prompts, and sealed passwords of initiators."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

NAIROBI: Final = ZoneInfo("Africa/Nairobi")
SANDBOX_PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
"""The passkey that Safaricom publishes for its test system."""


def timestamp(now: dt.datetime) -> str:
    """An instant as Daraja writes it, by Nairobi's clock: `20260216165627`. Its time zone is custom, not documented."""
    return now.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")


def prompt_password(shortcode: str, passkey: str, stamp: str) -> str:
    """The password of a prompt, for the same stamp that is sent beside it."""
    return base64.b64encode(f"{shortcode}{passkey}{stamp}".encode()).decode()


def basic(key: str, secret: str) -> str:
    """The value of an Authorization header that asks for a token."""
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def security_credential(password: str, certificate: str) -> str:
    """An initiator's password, sealed for Safaricom by RSA with PKCS#1 v1.5.

    certificate: PEM, or the base64 of DER. Its dates do not matter: those in use are past their end and serve as
    holders of the key. Raises ValueError for what is no certificate with an RSA key.
    """
    key = _certificate(certificate).public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("The certificate holds no RSA key")
    return base64.b64encode(key.encrypt(password.encode(), PKCS1v15())).decode()


def _certificate(text: str) -> x509.Certificate:
    try:
        if "-----BEGIN" in text:
            return x509.load_pem_x509_certificate(text.strip().encode())
        return x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, binascii.Error) as fault:
        raise ValueError("This is no certificate, neither PEM nor base64") from fault
