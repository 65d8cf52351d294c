"""OAuth with the official Python client (package `mcp`), which gets only the URL of the MCP endpoint. A person of the demo answers over HTTP:

    python3 mcp/oauth_client.py http://127.0.0.1:3000/mcp developer@acme.example

Prints what the client sees, and exits with 1 if a step fails."""

import asyncio
import html
import http.cookiejar
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

CALLBACK = "http://localhost:51999/callback"


class Memory(TokenStorage):
    """What the client remembers."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class UntilCallback(urllib.request.HTTPRedirectHandler):
    """Follows redirects, except the one to the client, where nothing listens."""

    def redirect_request(self, request, response, code, message, headers, url):
        if url.startswith(CALLBACK):
            return None
        return super().redirect_request(request, response, code, message, headers, url)


class Person:
    """A browser without scripts, in which a person signs in with the demo's provider and allows what is asked."""

    def __init__(self, email):
        self.email = email
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.browser = urllib.request.build_opener(cookies, UntilCallback)

    def open(self, url, form=None):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(url, data, {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
        try:
            response = self.browser.open(request)
            return response.url, response.read().decode()
        except urllib.error.HTTPError as error:
            if error.code == 303 and error.headers["location"].startswith(CALLBACK):
                return error.headers["location"], ""
            raise RuntimeError(f"{url}: {error.code} {error.read().decode()}") from error

    def answer(self, url):
        """Signs in, allows the client, and returns the URL to which the service sends the browser."""
        place, page = self.open(url)
        if "/demo-idp/" in place:
            form = [("person", self.email)]
            form += urllib.parse.parse_qsl(urllib.parse.urlparse(place).query)
            place, page = self.open(place.split("?")[0], form)
        question = html.unescape(re.search(r'name="request" value="([^"]+)"', page).group(1))
        place, _ = self.open(urllib.parse.urljoin(place, "/oauth/authorize"), {"request": question, "decision": "allow"})
        return place


async def main(endpoint, email):
    person, memory, sent = Person(email), Memory(), {}

    async def redirect(url):
        place = await asyncio.to_thread(person.answer, url)
        sent.update(urllib.parse.parse_qsl(urllib.parse.urlparse(place).query))

    async def callback():
        return AuthorizationCodeResult(code=sent["code"], state=sent.get("state"), iss=sent.get("iss"))

    metadata = OAuthClientMetadata(client_name="Python agent", redirect_uris=[CALLBACK])
    provider = OAuthClientProvider(endpoint, metadata, memory, redirect, callback)
    async with httpx2.AsyncClient(auth=provider, follow_redirects=False) as http_client:
        async with Client(streamable_http_client(endpoint, http_client=http_client)) as client:
            tools = (await client.list_tools()).tools
            context = (await client.call_tool("loopiq_get_context", {})).structured_content
    assert memory.tokens.scope == "loopiq:read loopiq:propose", memory.tokens
    assert context["caller"]["email"] == email and context["client"]["name"] == "Python agent", context
    assert any(tool.name == "loopiq_create_work_item" for tool in tools)
    print(f"{len(tools)} tools, acting for {email} with {memory.tokens.scope}")


asyncio.run(main(*sys.argv[1:]))
