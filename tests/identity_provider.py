"""An OpenID Connect provider on a loopback port: real HTTP, signed tokens, and every lie a test asks it to tell."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from django.test import Client

CLIENT_ID = "claimwright"


@cache
def rsa_key(name: str) -> RSAPrivateKey:
    """Return a key pair, made once per name: making one is the slow part."""
    return generate_private_key(public_exponent=65537, key_size=2048)


class IdentityProvider:
    """`claims` are what it says about its one person; `lie` changes the whole token answer before it is sent."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "00u-ada", "email": "ada@acme.example", "email_verified": True}
        self.userinfo: dict[str, Any] = {}
        self.lie: Callable[[dict[str, Any]], Any] = lambda answer: answer
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: self.signed(claims)
        self.asked: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, **more: str) -> dict[str, str]:
        entry = {"id": "acme-id", "name": "Acme ID", "issuer": self.issuer, "client_id": CLIENT_ID}
        return {**entry, "client_secret": "provider-secret", **more}

    def signed(self, claims: dict[str, Any], *, key: Any = None, alg: str = "RS256", **header: Any) -> str:
        return jwt.encode(claims, key or rsa_key("provider"), algorithm=alg, headers={"kid": "k1", **header})

    def return_visit(self, browser: Client, *, link: bool = False, then: str = "", **change: str) -> Any:
        """Send the browser to the provider and back; `change` alters what it brings back."""
        body = {"next": then, **({"link": "true"} if link else {})}
        start = browser.post("/sign-in/sso/acme-id/", body)
        assert start.status_code == 302 and start.headers["Location"].startswith(f"{self.issuer}/authorize"), start
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(start.headers["Location"]).query).items()}
        return browser.get("/sign-in/sso/acme-id/callback/", {"code": "c", "state": self.asked["state"], **change})

    def _document(self, path: str, form: dict[str, list[str]]) -> Any:
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            found = {name: f"{self.issuer}/{end}" for name, end in ends.items()}
            more = {"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo else {}
            return {"issuer": self.issuer, **found, **more, **self.discovery}
        if path == "/keys":
            jwk = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key("provider").public_key(), as_dict=True)
            return {"keys": [{**jwk, "kid": "k1", "use": "sig"}]}
        if path == "/userinfo":
            return self.userinfo
        if path == "/authorize":
            return {"page": "where people sign in"}
        return self._tokens(form)

    def _tokens(self, form: dict[str, list[str]]) -> Any:
        """The proof key (RFC 7636) is asked for as a real provider would."""
        digest = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.asked["code_challenge"]:
            return {"error": "invalid_grant"}
        now = int(time.time())
        facts = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": self.asked["nonce"]}
        return self.lie({"access_token": "at", "token_type": "Bearer", "id_token": self.sign({**facts, **self.claims})})

    def _handler(provider) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))

            def _answer(self, form: dict[str, list[str]]) -> None:
                raw = json.dumps(provider._document(urlsplit(self.path).path, form)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_args: Any) -> None:
                """Say nothing: the tests' output is about the product."""

        return Handler
