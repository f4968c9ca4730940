"""A chat as Authlib knows one: the library Open WebUI signs people in with, used strictly.

It finds everything in the discovery document of the cluster, prints the address for the browser, reads the one
the browser came back with from standard input, and prints what it learnt and what was refused.
"""

import json
import os
import sys
import time

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

CLIENT_ID = os.environ["OAUTH_CLIENT_ID"]
CLIENT_SECRET = os.environ["OAUTH_CLIENT_SECRET"]
REDIRECT_URI = os.environ["OPENID_REDIRECT_URI"]
SCOPE = "openid email profile"
TIMEOUT_SECONDS = 20

# the addresses inside the cluster are not encrypted
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"


def say(**what):
    print(json.dumps(what), flush=True)


def session(**more):
    fields = {"scope": SCOPE, "redirect_uri": REDIRECT_URI, "code_challenge_method": "S256", **more}
    return OAuth2Session(CLIENT_ID, CLIENT_SECRET, token_endpoint_auth_method="client_secret_basic", **fields)


def identity(provider, keys, id_token, nonce):
    """The claims of an ID token that has passed every check of the specification."""
    options = {"iss": {"essential": True, "values": [provider["issuer"]]}, "aud": {"values": [CLIENT_ID]}}
    parameters = {"client_id": CLIENT_ID, "nonce": nonce}
    token = jwt.decode(id_token, keys, algorithms=provider["id_token_signing_alg_values_supported"])
    claims = CodeIDToken(token.claims, token.header, options, parameters)
    claims.validate(now=int(time.time()), leeway=0)
    return dict(claims)


def refused(attempt):
    """The code of the error that `attempt` ends with; the empty text when it does not."""
    try:
        attempt()
    except OAuthError as error:
        return error.error
    except JoseError as error:
        return type(error).__name__
    return ""


def forged(id_token):
    """The same token, said to need no signature."""
    header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    return ".".join([header, id_token.split(".")[1], ""])


def main():
    client = session()
    provider = client.get(os.environ["OPENID_PROVIDER_URL"], withhold_token=True, timeout=TIMEOUT_SECONDS).json()
    keys = KeySet.import_key_set(client.get(provider["jwks_uri"], withhold_token=True).json())

    verifier, nonce = generate_token(48), generate_token(24)
    url, state = client.create_authorization_url(
        provider["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    say(url=url)
    back = sys.stdin.readline().strip()

    def redeem(**more):
        fields = {"authorization_response": back, "code_verifier": verifier, **more}
        return session(state=state).fetch_token(provider["token_endpoint"], **fields)

    wrong_verifier = refused(lambda: redeem(code_verifier=generate_token(48)))
    wrong_secret = refused(lambda: redeem(auth=(CLIENT_ID, "not-the-secret-of-this-client")))
    token = redeem()
    claims = identity(provider, keys, token["id_token"], nonce)
    user = session(token=token).get(provider["userinfo_endpoint"], timeout=TIMEOUT_SECONDS).json()

    renewed = session(token=token).refresh_token(provider["token_endpoint"], refresh_token=token["refresh_token"])
    after = identity(provider, keys, renewed["id_token"], nonce)
    say(
        claims=claims,
        user=user,
        renewed=after["sub"],
        refused={
            "wrong verifier": wrong_verifier,
            "wrong secret": wrong_secret,
            "code again": refused(redeem),
            "no signature": refused(lambda: identity(provider, keys, forged(token["id_token"]), nonce)),
            "another nonce": refused(lambda: identity(provider, keys, token["id_token"], "another")),
        },
    )


main()
