"""CloudFreedom's side of LiteLLM: who is calling, may it be paid for, what did it cost.

LiteLLM loads this file from a ConfigMap, beside which cloudfreedom_limits.py lies, as `callbacks: cloudfreedom_hook.gateway` and as
`custom_auth: cloudfreedom_hook.authenticate`. The way of a request:

    authenticate        key -> identity; only offered routes; only known headers and body fields pass
    async_pre_call_hook requests and tokens a minute; upper bound of tokens -> authorise at the control plane, intent
                        into the outbox
    (LiteLLM calls the provider, with retries and fallbacks)
    one of              async_log_success_event      -> settle, real tokens
                        async_post_call_failure_hook -> void, or settle what a broken stream gave
                        the stream's own end         -> settle, where LiteLLM reports nothing (client gone early)

Every authorised request ends in exactly one settle or void: the first of them takes the call out of `Gateway.calls`.
Results go to the tenant's Redis first and from there to the control plane until it acknowledges; whatever a killed
pod leaves behind, another pod (or its successor) delivers. The control plane is idempotent by request id, so a
delivery that happens twice counts once. Without Redis nothing new is called (503). Without control plane a call is
made only within a lease: a slice of the budget that was held for this gateway beforehand.
"""

import asyncio
import contextvars
import gc
import hashlib
import hmac
import itertools
import json
import logging
import os
import random
import re
import secrets
import sys
import time
import types
import uuid
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import unquote

import aiohttp
import httpx
import litellm
import orjson
from fastapi import Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth
from litellm.proxy.common_utils.http_parsing_utils import (
    read_request_body,
    safe_get_request_headers,
    safe_set_request_parsed_body,
)
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

# LiteLLM loads this file by its path, so its folder is none where Python would look.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cloudfreedom_limits import TAKE, Excess, RateLimits  # noqa: E402

# -- limits -----------------------------------------------------------------------------------------------------------

CONTROL_PLANE_TIMEOUT_SECONDS: Final = 10.0  # a burst can stall LiteLLM's event loop for seconds: 2 s gave false 503s
CONTROL_PLANE_KEEP_ALIVE_SECONDS: Final = 30.0
UNAVAILABLE_RETRY_AFTER_SECONDS: Final = 5
REDIS_TIMEOUT_SECONDS: Final = 5.0
REDIS_CONNECTIONS: Final = 32
IDENTITY_TTL_SECONDS: Final = 30.0
FREE_IDENTITY_TTL_SECONDS: Final = 0.5  # where no authorise asks again: a revoked key is refused within a second
STRANGER_TTL_SECONDS: Final = 3.0
IDENTITIES_KEPT: Final = 10_000
OPEN_CALLS_LIMIT: Final = 5_000
OPEN_CALL_SECONDS: Final = 3_600.0  # longer than any answer; a call that reported no end by then is given up
UNREPORTED_GRACE_SECONDS: Final = 3.0  # LiteLLM reports a stream's end within milliseconds of it
DETACHED_GRACE_SECONDS: Final = 600.0  # /v1/messages reads on upstream after its client left, and reports then
OUTBOX_LIMIT: Final = 20_000  # results waiting for delivery before new calls are refused
DELIVERIES_AT_ONCE: Final = 16
DELIVERY_FIRST_WAIT_SECONDS: Final = 0.2
DELIVERY_LONGEST_WAIT_SECONDS: Final = 15.0
DEAD_LETTERS_KEPT: Final = 1_000
LEASE_SECONDS: Final = 30  # longer than a burst ever stalled the event loop
HEARTBEAT_SECONDS: Final = 5.0
BEATS_BEFORE_RESCUE: Final = 3  # after an outage of Redis every living gateway has renewed its lease by then
RENEWAL_SECONDS: Final = 10.0
ROOM_SECONDS: Final = 30  # no gateway takes a lease for so long after a request found no room beside one
RESERVE_PAUSE_SECONDS: Final = 60.0  # after little was left, or a request needed what we held
CALLER_SECONDS: Final = 900.0  # whoever was authorised within it is known, and keeps the lease alive
CALLERS_KEPT: Final = 10_000
PICO_PER_NANO: Final = 1_000
BEATS_BETWEEN_REPORTS: Final = 12
REPORTED_REQUESTS: Final = 2_000  # as many as a body of the control plane has room for
MODEL_NAME_LIMIT: Final = 200
USER_FIELD_LIMITS: Final = {"externalId": 320, "email": 320, "name": 320, "role": 40}
LANGUAGES_READ: Final = 16
TAKEOVER_BATCH: Final = 200
EXCEPTION_CHAIN_LIMIT: Final = 16

SETTINGS: Final = ("CONTROL_PLANE_URL", "CREDENTIAL", "CHAT_KEY", "REDIS_URL", "POD")

# -- what is offered --------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Kind:
    """One of the offered interfaces: its path (with or without /v1 in front), LiteLLM's name for its calls, where the
    question is, where a request says how much it wants at most (the first is written when it says nothing), and the
    further body fields a client may set."""

    path: str
    call_type: str
    question: str
    limits: tuple[str, ...]
    fields: str

    def allows(self, name: str) -> bool:
        return name in ("model", self.question, *self.limits) or name in self.fields.split()


# All other calls (text completions, Gemini-native, pass-through, audio, batches, files, realtime …) lose usage on some
# path. All other body fields are dropped before LiteLLM reads the body: it takes routing, logging, caching, pricing and
# retry orders from it, and providers sell extras there (service tiers, predicted outputs, built-in tools, background
# runs) that no token bound covers, or keep what was said (stored responses).
SAMPLING: Final = "stream temperature top_p tools tool_choice "
KINDS: Final[Mapping[str, Kind]] = {
    "chat": Kind(
        "/chat/completions",
        "acompletion",
        "messages",
        ("max_tokens", "max_completion_tokens"),
        SAMPLING + "stream_options n stop presence_penalty frequency_penalty seed logit_bias logprobs top_logprobs "
        "parallel_tool_calls response_format functions function_call reasoning_effort thinking verbosity top_k",
    ),
    "responses": Kind(
        "/responses",
        "aresponses",
        "input",
        ("max_output_tokens",),
        SAMPLING + "instructions parallel_tool_calls reasoning text truncation include top_logprobs",
    ),
    "messages": Kind(
        "/messages",
        "anthropic_messages",
        "messages",
        ("max_tokens",),
        SAMPLING + "system stop_sequences top_k thinking",
    ),
    "embedding": Kind("/embeddings", "aembedding", "input", (), "encoding_format dimensions"),
    "image": Kind(
        "/images/generations",
        "image_generation",
        "prompt",
        (),
        "n size quality response_format style output_format background moderation output_compression",
    ),
}
CACHED_KINDS: Final = frozenset({"chat", "embedding"})
HEADERS: Final = frozenset(
    "host accept accept-encoding connection content-type content-length transfer-encoding user-agent".split()
    + ["traceparent", "anthropic-version"]
)
# What a lease prices: kinds of models, and the ceiling of each bucket.
LEASED_MODES: Final = {"chat": "chat", "responses": "chat", "messages": "chat", "embedding": "embedding", "image": "image"}
LEASED_BUCKETS: Final = {
    "inputTokens": "inputPicoEur",
    "cachedInputTokens": "inputPicoEur",
    "cacheWriteTokens": "inputPicoEur",
    "audioInputTokens": "audioInputPicoEur",
    "outputTokens": "outputPicoEur",
    "audioOutputTokens": "outputPicoEur",
    "images": "imagePicoEur",
}
TOOL_TYPES: Final = frozenset({"function", "custom"})
# Further fields whose text counts as input.
INPUT_FIELDS: Final = ("system", "instructions", "tools", "functions", "response_format", "text", "prompt")
# Tells a client that it gets a shorter answer than it asked for, because the budget covers no longer one.
CLAMPED_HEADER: Final = "x-cloudfreedom-max-tokens-clamped"

# A byte-level tokenizer never makes more tokens than bytes; JSON's own punctuation covers what chat formats add per
# message. Both constants are above what providers document for their hidden preambles.
REQUEST_OVERHEAD_TOKENS: Final = 32
TOOLS_OVERHEAD_TOKENS: Final = 1_024
IMAGE_PART_TOKENS: Final = 50_000  # gpt-4o-mini counts one large picture as 48,169 tokens
UNKNOWN_INPUT_TOKENS: Final = 100_000_000  # audio, files, references: the control plane cuts it to the context limit
ASKED_OUTPUT_LIMIT: Final = 10_000_000
REASONING_TOKENS: Final = 4_096  # what LiteLLM gives a model for high effort; the answer comes after it
CHOICES_LIMIT: Final = 16
IMAGES_LIMIT: Final = 10
IMAGE_PARTS: Final = frozenset({"image", "image_url", "input_image"})
TEXT_PARTS: Final = frozenset(
    "message text input_text output_text refusal summary_text reasoning_text reasoning thinking".split()
    + "redacted_thinking tool_use tool_result function function_call function_call_output".split()
    + ["custom_tool_call", "custom_tool_call_output"]
)

# -- refusals ---------------------------------------------------------------------------------------------------------

# OpenAI's type of an error, by its status.
ERROR_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "budget_exceeded",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
    503: "service_unavailable",
}
# Refusals of our own by code; those about budgets and models come from the control plane, text and all.
STATUSES: Final[Mapping[str, int]] = {
    "invalid_api_key": 401,
    "chat_key_outside": 401,
    "route_not_offered": 404,
    "invalid_request": 400,
    "tool_not_offered": 400,
    "budget_unavailable": 503,
    "gateway_busy": 503,
}
# A refusal that only passes with time: its text, by language and whose limit it is.
LIMIT_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": {
        "tenant": "Gerade kommen zu viele Anfragen auf einmal: Für alle zusammen gelten {limit} {unit} je Minute. "
        "Bitte in {seconds} Sekunden erneut versuchen.",
        "user": "Das ging zu schnell: Für Sie gelten {limit} {unit} je Minute. Bitte in {seconds} Sekunden erneut "
        "versuchen.",
        "requests": "Anfragen",
        "tokens": "Token",
    },
    "en": {
        "tenant": "Too many requests are coming in at once: all together may use {limit} {unit} a minute. Please try "
        "again in {seconds} seconds.",
        "user": "That was too fast: you may use {limit} {unit} a minute. Please try again in {seconds} seconds.",
        "requests": "requests",
        "tokens": "tokens",
    },
}
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": {
        "invalid_api_key": "Dieser API-Schlüssel ist unbekannt oder abgelaufen. Bitte einen gültigen verwenden.",
        "chat_key_outside": "Dieser Schlüssel gehört dem Chat und gilt nur im Cluster. Bitte einen eigenen anlegen.",
        "route_not_offered": "Angeboten werden nur die Schnittstellen {detail} und models.",
        "invalid_request": "Die Anfrage ist ungültig: {detail}",
        "tool_not_offered": "Das Werkzeug »{detail}« wird nicht angeboten, weil seine Kosten vorab keine Obergrenze "
        'haben. Angeboten werden eigene Funktionen (type "function").',
        "budget_unavailable": "Das Budget kann gerade nicht geprüft werden. Die Anfrage wurde nicht gesendet und "
        "kostet nichts. Bitte in einigen Sekunden erneut versuchen.",
        "gateway_busy": "Gerade laufen zu viele Anfragen. Bitte in einigen Sekunden erneut versuchen.",
    },
    "en": {
        "invalid_api_key": "This API key is unknown or has expired. Please use a valid one.",
        "chat_key_outside": "This key is the chat's and valid inside the cluster only. Please create one of your own.",
        "route_not_offered": "This interface is not offered. Offered are {detail} and models.",
        "invalid_request": "The request is invalid: {detail}",
        "tool_not_offered": "The tool “{detail}” is not offered, because its cost has no upper bound beforehand. "
        'Offered are functions of your own (type "function").',
        "budget_unavailable": "The budget cannot be checked right now. The request was not sent and costs nothing. "
        "Please try again in a few seconds.",
        "gateway_busy": "Too many requests are running right now. Please try again in a few seconds.",
    },
}


class JsonLines(logging.Formatter):
    """One JSON object per line. No message of ours holds a key or a word of a prompt."""

    def format(self, record: logging.LogRecord) -> str:
        tenant = os.environ.get("CLOUDFREEDOM_TENANT")
        line = {"at": iso_time(record.created), "level": record.levelname.lower(), "tenant": tenant}
        return json.dumps(line | {"message": record.getMessage()}, ensure_ascii=False)


log: Final = logging.getLogger("cloudfreedom.gateway")
if not log.handlers:  # LiteLLM configures its own loggers only
    log.addHandler(logging.StreamHandler())
    log.handlers[0].setFormatter(JsonLines())
    log.setLevel(logging.INFO)
    log.propagate = False


class Refusal(ProxyException):
    """A refusal in OpenAI's error shape, whose `code` is a word of ours (LiteLLM would repeat the HTTP status)."""

    def __init__(self, status: int, word: str, message: str, retry_after_seconds: int | None = None) -> None:
        headers = {} if retry_after_seconds is None else {"retry-after": str(retry_after_seconds)}
        super().__init__(message=message, type=ERROR_TYPES[status], param=None, code=status, headers=headers)
        self.word = word
        log.info("refused: status=%d code=%s", status, word)

    def to_dict(self) -> dict:
        return {"message": self.message, "type": self.type, "param": None, "code": self.word}


def refusal(word: str, language: str, detail: str = "") -> Refusal:
    """A refusal of our own, in the reader's language."""
    wait = UNAVAILABLE_RETRY_AFTER_SECONDS if STATUSES[word] == 503 else None
    return Refusal(STATUSES[word], word, TEXTS[language][word].format(detail=detail), wait)


def limit_refusal(excess: Excess, language: str) -> Refusal:
    texts, bucket, seconds = LIMIT_TEXTS[language], excess.bucket, excess.retry_after_seconds
    message = texts[bucket.scope].format(limit=bucket.per_minute, unit=texts[bucket.unit], seconds=seconds)
    return Refusal(429, "rate_limited", message, seconds)


def route_refusal(language: str) -> Refusal:
    return refusal("route_not_offered", language, ", ".join(kind.path[1:] for kind in KINDS.values()))


def refusal_of(status: int, reply: Mapping[str, Any], language: str) -> Refusal:
    """The control plane's refusal; its text is in the reader's language already."""
    if status == 401:
        return refusal("invalid_api_key", language)
    word, message, seconds = (reply.get(name) for name in ("code", "message", "retryAfterSeconds"))
    if status in (402, 403, 404, 429) and isinstance(word, str) and isinstance(message, str):
        wait = max(1, seconds) if isinstance(seconds, int) else 1
        return Refusal(status, word, message, wait if status == 429 else None)
    log.error("authorise was answered %d %s", status, word)  # a misunderstanding between the two of us
    return refusal("budget_unavailable", language)


# -- what is passed around --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """Who is calling. `user` is what Open WebUI forwarded; it is believed with the chat key only."""

    key_sha256: str = field(repr=False)
    user: Mapping[str, str] | None
    language: str  # of refusals
    asked_language: str | None  # None: the client named none, so the control plane decides
    holder: str = "chat"  # of the key: a member, or the key itself where it is nobody's

    @property
    def limited_as(self) -> str:
        """Whose limits a request counts against: the chat's user, else the holder of the key."""
        return f"chat:{self.user['externalId']}" if self.user else self.holder


@dataclass
class Call:
    """An authorised request under way."""

    request_id: str
    call_type: str
    model: str
    traceparent: str
    stream: bool
    bound_input_tokens: int
    prompt: Any  # counted only if the provider never says what it was
    bound_output_tokens: int = 0
    clamped: bool = False
    streamed: list[str] = field(default_factory=list)
    started_at: float = field(default_factory=time.time)
    first_token_at: float | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)  # what the control plane is told to authorise it by
    lease: Any = None  # the Lease it was made within, and what it may cost of it at most
    leased_nano_eur: int = 0
    limited_as: str = ""


@dataclass(frozen=True)
class Bound:
    """The most a request can use. `output_tokens` None: the client set no limit; it counts all `choices` together.
    `reasoning_tokens` are thought before the answer begins, so a useful answer is longer than they are."""

    input_tokens: int
    output_tokens: int | None = None
    output_field: str | None = None
    choices: int = 1
    images: int = 0
    audio_input: bool = False
    reasoning_tokens: int = 0


@dataclass
class Delivery:
    """A result on its way. `path` None: nothing to tell the control plane, only the intent is to be removed."""

    request_id: str
    path: str | None
    body: dict[str, Any]
    stored: bool = False
    since: float = field(default_factory=time.monotonic)


class Unavailable(Exception):
    """The control plane gave no usable answer; whether it saw the request is unknown."""


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def iso_time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def child_traceparent(incoming: str | None) -> str:
    """A new span in the caller's trace, or in a trace of its own (W3C trace context)."""
    parts = r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})"
    match = re.fullmatch(parts, incoming or "")
    trace, flags = match.groups() if match else (secrets.token_hex(16), "01")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


def language_of(accepted: str | None) -> str | None:
    """The one of our languages that an Accept-Language header likes best; None when it likes none."""
    likes = []
    for place, part in enumerate((accepted or "").split(",")[:LANGUAGES_READ]):
        match = re.fullmatch(r"\s*([a-zA-Z]{2})(?:-[\w-]+)?\s*(?:;\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?))?\s*", part)
        if match and match[1].lower() in TEXTS and float(match[2] or 1) > 0:
            likes.append((-float(match[2] or 1), place, match[1].lower()))
    return min(likes)[2] if likes else None


def forwarded_user(headers: Mapping[str, str]) -> Mapping[str, str] | None:
    """The chat's user as Open WebUI forwards it (values are URL-quoted); None when it forwards none."""
    named = {"externalId": "id", "email": "email", "name": "name", "role": "role"}
    values = {name: unquote(headers.get(f"x-openwebui-user-{suffix}", "")).strip() for name, suffix in named.items()}
    known = {name: value[: USER_FIELD_LIMITS[name]] for name, value in values.items() if value}
    return known if "externalId" in known else None


# -- upper bound ------------------------------------------------------------------------------------------------------


class InputTally:
    """Adds up the bytes, pictures and unknown parts of messages."""

    def __init__(self) -> None:
        self.bytes = 0
        self.images = 0
        self.unknown = False

    def add(self, value: object) -> None:
        if isinstance(value, list):
            for part in value:
                self.add(part)
        elif not isinstance(value, dict):
            self.bytes += len(orjson.dumps(value))
        elif value.get("type", "message") in IMAGE_PARTS:
            self.images += 1
        elif value.get("type", "message") in TEXT_PARTS and "audio" not in value:
            nested = {name: value[name] for name in ("content", "output") if isinstance(value.get(name), list)}
            self.bytes += len(orjson.dumps({name: part for name, part in value.items() if name not in nested}))
            for part in nested.values():
                self.add(part)
        else:
            self.unknown = True

    def tokens(self) -> int:
        return UNKNOWN_INPUT_TOKENS if self.unknown else self.bytes + self.images * IMAGE_PART_TOKENS


def bound_of(call_type: str, body: Mapping[str, Any]) -> Bound:
    """The upper bound of a request; raises ValueError with a sentence about the field that is wrong."""
    kind = KINDS[call_type]
    question = body.get(kind.question)
    if not question or (call_type in ("chat", "messages") and not is_list_of_objects(question)):
        raise ValueError(f"{kind.question} is missing or has the wrong form")
    tally = InputTally()
    blocks = body.get("system") if isinstance(body.get("system"), list) else []  # which may hold more than text
    for part in ([] if call_type == "image" else [question], blocks):
        tally.add(part)
    extra = {name: body[name] for name in INPUT_FIELDS if body.get(name) is not None and body[name] is not blocks}
    overhead = REQUEST_OVERHEAD_TOKENS + (TOOLS_OVERHEAD_TOKENS if body.get("tools") or body.get("functions") else 0)
    inputs = min(tally.tokens() + len(orjson.dumps(extra)) + overhead, UNKNOWN_INPUT_TOKENS)

    choices = whole_number(body, "n", CHOICES_LIMIT if call_type == "chat" else IMAGES_LIMIT) or 1
    if not kind.limits:
        return Bound(inputs, images=choices if call_type == "image" else 0, audio_input=tally.unknown)
    limits = {name: limit for name in kind.limits if (limit := whole_number(body, name)) is not None}
    output_field = min(limits, key=lambda name: limits[name]) if limits else kind.limits[0]
    output_tokens = limits[output_field] * choices if limits else None
    return Bound(inputs, output_tokens, output_field, choices, 0, tally.unknown, reasoning_of(body))


def reasoning_of(body: Mapping[str, Any]) -> int:
    """Tokens that the client lets the model think, in any of the ways to say so."""
    asked = (body.get("thinking"), body.get("reasoning"))
    thinking, reasoning = (value if isinstance(value, dict) else {} for value in asked)
    if isinstance(thinking.get("budget_tokens"), int):
        return min(max(thinking["budget_tokens"], 0), ASKED_OUTPUT_LIMIT)
    effort = body.get("reasoning_effort") or reasoning.get("effort") or thinking.get("type")
    return 0 if effort in (None, "none", "minimal", "disabled") else REASONING_TOKENS


def is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def whole_number(body: Mapping[str, Any], name: str, largest: int = ASKED_OUTPUT_LIMIT) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise ValueError(f"{name} must be a whole number from 1 to {largest}")
    return value


def unoffered_tool(body: Mapping[str, Any]) -> str | None:
    """The first tool that a provider would run (and bill) itself; a client's own functions are free of that."""
    for tool in body.get("tools") or []:
        if not isinstance(tool, dict):
            return "?"
        if tool.get("type") not in TOOL_TYPES and ("type" in tool or "input_schema" not in tool):
            return str(tool.get("type") or next(iter(tool), "?"))
    return None


def without_long_cache(value: Any) -> Any:
    """Takes the one-hour lifetime out of cache marks: it costs twice the price that a cache write is bounded with."""
    if isinstance(value, list):
        return [without_long_cache(item) for item in value]
    if isinstance(value, dict):
        return {
            name: {"type": "ephemeral"} if name == "cache_control" and item is not None else without_long_cache(item)
            for name, item in value.items()
        }
    return value


# -- usage ------------------------------------------------------------------------------------------------------------


TOKEN_BUCKETS: Final = (
    "inputTokens",
    "cachedInputTokens",
    "cacheWriteTokens",
    "audioInputTokens",
    "outputTokens",
    "audioOutputTokens",
)
INPUT_BUCKETS: Final = ("inputTokens", "cachedInputTokens", "cacheWriteTokens", "audioInputTokens")


def first(source: object, *names: str) -> Any:
    """What the first of `names` that says something says, in a mapping or an object."""
    found = (source.get(name) if isinstance(source, Mapping) else getattr(source, name, None) for name in names)
    return next((value for value in found if value), None)


def count(source: object, *names: str) -> int:
    """The first of `names` that holds a number above zero, else 0."""
    values = (first(source, name) for name in names)
    return next((value for value in values if isinstance(value, int) and value > 0), 0)


def buckets_of(usage: object) -> dict[str, Any]:
    """Disjoint token buckets. LiteLLM's prompt_tokens includes cached, newly cached and audio tokens, raw Anthropic's
    not; completion_tokens includes audio and reasoning, which is output like any other."""
    details = first(usage, "prompt_tokens_details", "input_tokens_details")
    cached = count(details, "cached_tokens") or count(usage, "cache_read_input_tokens")
    written = count(details, "cache_write_tokens", "cache_creation_tokens")
    written = written or count(usage, "cache_creation_input_tokens")
    total = count(usage, "prompt_tokens", "input_tokens")
    inclusive = count(usage, "prompt_tokens") > 0 or details is not None
    fresh = total - cached - written if inclusive and total >= cached + written else total
    heard = min(count(details, "audio_tokens"), fresh)
    output = count(usage, "completion_tokens", "output_tokens")
    spoken = min(count(first(usage, "completion_tokens_details", "output_tokens_details"), "audio_tokens"), output)
    return {
        "inputTokens": fresh - heard,
        "cachedInputTokens": cached,
        "cacheWriteTokens": written,
        "audioInputTokens": heard,
        "outputTokens": output - spoken,
        "audioOutputTokens": spoken,
        "images": 0,
        "totalTokens": count(usage, "total_tokens") or None,
    }


# -- control plane ----------------------------------------------------------------------------------------------------


class ControlPlane:
    """One keep-alive connection pool to the control plane's gateway routes."""

    def __init__(self, url: str, credential: str) -> None:
        self._url = f"{url.rstrip('/')}/v1/gateway"
        self._headers = {"authorization": f"Bearer {credential}", "content-type": "application/json"}
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=CONTROL_PLANE_KEEP_ALIVE_SECONDS)
            timeout = aiohttp.ClientTimeout(total=CONTROL_PLANE_TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=self._headers)
        return self._session

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status below 500 and the JSON answer. A broken connection is tried once more: all calls are idempotent."""
        headers = {"traceparent": body["traceparent"]} if body.get("traceparent") else {}
        url, content = f"{self._url}/{path}", orjson.dumps(body)
        for last in (False, True):
            try:
                async with self.session().post(url, data=content, headers=headers) as answer:
                    raw = await answer.read()
                if answer.status >= 500:
                    raise Unavailable(f"status {answer.status}")
                value = orjson.loads(raw) if raw else {}
                return answer.status, value if isinstance(value, dict) else {}
            except (aiohttp.ClientError, asyncio.TimeoutError, orjson.JSONDecodeError) as error:
                if last or not isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
                    raise Unavailable(type(error).__name__) from error
        raise AssertionError("unreachable")


# -- outbox -----------------------------------------------------------------------------------------------------------

# Moves a batch of what a dead gateway left into our own outbox. Nothing moves while its lease lives. Reading and moving
# are one step, so two rescuers never take the same entry.
TAKE_OVER: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return {} end
local batch = redis.call('HRANDFIELD', KEYS[2], ARGV[1], 'WITHVALUES')
for i = 1, #batch, 2 do
  redis.call('HSET', KEYS[3], batch[i], batch[i + 1])
  redis.call('HDEL', KEYS[2], batch[i])
end
if #batch == 0 then redis.call('SREM', KEYS[4], ARGV[2]) end
return batch
"""


async def done(step: Awaitable[Any]) -> bool:
    """Whether Redis did it; if not, the next round tries again."""
    try:
        await step
        return True
    except RedisError:
        return False


class Outbox:
    """What the control plane is still to be told, in the tenant's Redis, and the relay that tells it.

    Each gateway has one hash, request id -> message. Before a call it holds an intent: the void to send should the
    gateway vanish. The call's result takes the intent's place, in one step, and is removed when it is acknowledged. A
    hash whose gateway has lost its lease is taken over, whatever it holds, by the next gateway that looks.
    """

    def __init__(self, redis_url: str, pod: str, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        # a restarted container keeps its pod's name, so each process has a name of its own
        self._name = f"{pod}.{uuid.uuid4().hex[:12]}"
        self._messages = self._key("messages", self._name)
        # in a burst a call waits for a connection; the client's own pool would refuse it
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=REDIS_CONNECTIONS,
            timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
        )
        self._redis = Redis.from_pool(pool)
        self._pending: dict[str, Delivery] = {}
        self._leased: Counter[str] = Counter()  # results among them, by their lease
        self._tasks: set[asyncio.Task[None]] = set()
        self._senders = asyncio.Semaphore(DELIVERIES_AT_ONCE)
        self._take_over = self._redis.register_script(TAKE_OVER)
        # shares the connections: a request is not let in where its end could not be stored
        self.take_limits = self._redis.register_script(TAKE)

    @staticmethod
    def _key(*parts: str) -> str:
        return ":".join(("cloudfreedom:outbox", *parts))

    def full(self) -> bool:
        return len(self._pending) >= OUTBOX_LIMIT

    async def intend(self, request_id: str) -> None:
        """Stores, before a call is made, the void that is sent should this process vanish. Raises RedisError."""
        lost = {"path": "void", "body": {"requestId": request_id, "reason": "gateway_lost"}}
        await self._store(request_id, orjson.dumps(lost))

    async def _store(self, request_id: str, message: bytes) -> None:
        """A message never lies in a hash that nobody knows of: a flush, or a rescue after a long stall, has taken this
        gateway out of the set, and it may be killed before its next heartbeat puts it back. Raises RedisError."""
        async with self._redis.pipeline(transaction=True) as step:
            step.hset(self._messages, request_id, message)
            step.sadd(self._key("gateways"), self._name)
            await step.execute()

    def awaits(self, lease_id: str) -> bool:
        """Whether a call that was made within this lease is still to be told."""
        return self._leased[lease_id] > 0

    def deliver(self, delivery: Delivery) -> None:
        """Takes a result over; from here on it is stored and sent until it is acknowledged."""
        self._pending[delivery.request_id] = delivery
        self._leased[delivery.body.get("lease", {}).get("leaseId", "")] += 1
        task = asyncio.get_running_loop().create_task(self._relay(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, delivery: Delivery) -> None:
        message = orjson.dumps({"path": delivery.path, "body": delivery.body})
        acknowledged = delivery.path is None
        for attempt in itertools.count():
            if not acknowledged:
                # what cannot be stored now stays in memory and is still sent
                delivery.stored = delivery.stored or await done(self._store(delivery.request_id, message))
                if not (delivery.path == "void" and self.awaits(delivery.request_id)):  # a lease ends after its calls
                    async with self._senders:
                        acknowledged = await self._send(delivery)
            if acknowledged and await done(self._redis.hdel(self._messages, delivery.request_id)):
                self._pending.pop(delivery.request_id, None)
                lease_id = delivery.body.get("lease", {}).get("leaseId", "")
                self._leased[lease_id] -= 1
                if not self._leased[lease_id]:
                    del self._leased[lease_id]
                return
            ceiling = min(DELIVERY_LONGEST_WAIT_SECONDS, DELIVERY_FIRST_WAIT_SECONDS * 2 ** min(attempt, 10))
            await asyncio.sleep(ceiling * random.uniform(0.5, 1.0))

    async def _send(self, delivery: Delivery) -> bool:
        assert delivery.path is not None
        try:
            status, answer = await self._control_plane.post(delivery.path, delivery.body)
        except Unavailable:
            return False
        code = answer.get("code")
        if status < 300 or code == "already_posted":  # what was billed needs no void
            return True
        if status in (401, 408, 425, 429):  # a credential being rolled or a control plane in distress: both pass
            return False
        log.error("request %s: %s was refused for good: %s %s", delivery.request_id, delivery.path, status, code)
        letter = orjson.dumps({"path": delivery.path, "body": delivery.body, "status": status, "code": code})
        async with self._redis.pipeline(transaction=True) as step:
            step.lpush(self._key("dead"), letter)
            step.ltrim(self._key("dead"), 0, DEAD_LETTERS_KEPT - 1)
            return await done(step.execute())

    async def heartbeat(self, rescue: bool) -> None:
        """Renews this gateway's lease and, where wished, rescues what gateways without one left. Raises RedisError."""
        async with self._redis.pipeline(transaction=True) as step:
            step.set(self._key("lease", self._name), "1", ex=LEASE_SECONDS)
            step.sadd(self._key("gateways"), self._name)
            step.smembers(self._key("gateways"))
            _, _, members = await step.execute()
        for name in sorted(member.decode() for member in members):
            if rescue and name != self._name:
                await self._rescue(name)

    async def report(self) -> None:
        """Tells the control plane what it has not been told yet: it holds that against its live holds. A report that
        does not arrive is made up for by the next one."""
        now = time.monotonic()
        open_ids = [key.decode() for key in await self._redis.hkeys(self._messages)]
        dead = await self._redis.llen(self._key("dead"))
        oldest = min((delivery.since for delivery in self._pending.values()), default=now)
        await self._control_plane.post(
            "report",
            {
                "gateway": self._name,
                "undelivered": len(self._pending),
                "oldestSeconds": int(now - oldest),
                "deadLetters": dead,
                "open": open_ids[:REPORTED_REQUESTS],
                "complete": len(open_ids) <= REPORTED_REQUESTS,
            },
        )

    async def want_room(self) -> None:
        """Asks all gateways to give their slices of the budget back."""
        await done(self._redis.set(self._key("room"), "1", ex=ROOM_SECONDS))

    async def room_wanted(self) -> bool:
        try:
            return await self._redis.exists(self._key("room")) > 0
        except RedisError:
            return False

    async def resign(self) -> None:
        """Gives the lease up, so that others need not wait for its end."""
        await done(self._redis.delete(self._key("lease", self._name)))

    async def _rescue(self, name: str) -> None:
        keys = [self._key("lease", name), self._key("messages", name), self._messages, self._key("gateways")]
        while not self.full():
            moved = await self._take_over(keys=keys, args=[TAKEOVER_BATCH, name])
            if not moved:
                return
            log.info("took %d undelivered messages over from gateway %s", len(moved) // 2, name)
            for request_id, entry in zip(moved[::2], moved[1::2], strict=True):
                value = orjson.loads(entry)
                self.deliver(Delivery(request_id.decode(), value["path"], value["body"], stored=True))


# -- lease ------------------------------------------------------------------------------------------------------------


@dataclass
class Lease:
    """A slice of the budget that the control plane holds for this gateway alone."""

    lease_id: str
    amount_nano_eur: int
    rounding_nano_eur: int
    models: Mapping[str, Mapping[str, Any]]
    until: float = 0.0  # by the monotonic clock
    left_nano_eur: int = 0  # neither spent nor needed at most by calls under way
    calls: int = 0  # under way

    def bound(self, call: Call, bound: Bound) -> tuple[int, int] | None:
        """What the call can cost at most, never less than the control plane would hold for it, and the output tokens of
        that; None where the model is not offered."""
        ceiling = self.models.get(call.model)
        if ceiling is None or ceiling["mode"] != LEASED_MODES[call.call_type]:
            return None
        context = ceiling["contextTokens"]
        inputs = bound.input_tokens if context is None else min(bound.input_tokens, context)
        output = ceiling["maxOutputTokens"] if bound.output_tokens is None else bound.output_tokens
        name = "audioInputTokens" if bound.audio_input else "inputTokens"
        return self.price(call.model, {name: inputs, "outputTokens": output, "images": bound.images}), output

    def price(self, model: str, usage: Mapping[str, Any]) -> int:
        """The same for what it has used."""
        ceiling = self.models[model]
        pico = sum(int(ceiling[LEASED_BUCKETS[name]]) * (usage.get(name) or 0) for name in LEASED_BUCKETS)
        return self.rounding_nano_eur - -pico // PICO_PER_NANO


class Reserve:
    """Keeps one lease while calls are made, and spends from it while the control plane does not answer."""

    def __init__(self, control_plane: ControlPlane, outbox: Outbox) -> None:
        self._control_plane = control_plane
        self._outbox = outbox
        self._lease: Lease | None = None
        self._retired: list[Lease] = []
        self._callers: OrderedDict[tuple[str, str | None], float] = OrderedDict()
        self._authorised_at = self._paused_until = self._returned_at = float("-inf")
        self._wanted = asyncio.Event()
        self._returning: asyncio.Task[None] | None = None

    def authorised(self, identity: Identity, leasable: bool) -> None:
        """Notes whom the control plane has let through, if a lease may serve them too."""
        caller = caller_of(identity)
        self._callers.pop(caller, None)
        if not leasable:
            return
        self._callers[caller] = self._authorised_at = time.monotonic()
        if len(self._callers) > CALLERS_KEPT:
            self._callers.popitem(last=False)
        if self._lease is None and self._paused_until < self._authorised_at:
            self._wanted.set()

    def knows(self, key_sha256: str, user: str | None = None) -> bool:
        return self._callers.get((key_sha256, user), float("-inf")) > time.monotonic() - CALLER_SECONDS

    def offers(self, call: Call, bound: Bound, identity: Identity) -> tuple[int, int] | None:
        """The most that the call can cost, and its output tokens, if it may be made within the lease."""
        lease = self._lease
        if lease is None or lease.until < time.monotonic() or not self.knows(*caller_of(identity)):
            return None
        offer = lease.bound(call, bound)
        return offer if offer is not None and offer[0] <= lease.left_nano_eur else None

    def lend(self, call: Call, offer: tuple[int, int]) -> None:
        assert self._lease is not None
        call.lease, (call.leased_nano_eur, call.bound_output_tokens) = self._lease, offer
        call.lease.left_nano_eur -= call.leased_nano_eur
        call.lease.calls += 1

    @staticmethod
    def ended(call: Call, result: Mapping[str, Any]) -> None:
        """Takes back what a leased call did not need."""
        if call.lease is not None:
            billed = "usage" in result and not result["cacheHit"]
            used = call.lease.price(call.model, result["usage"]) if billed else 0
            call.lease.left_nano_eur += call.leased_nano_eur - used
            call.lease.calls -= 1

    async def give_back(self, since: float) -> bool:
        """Frees what gateways hold for themselves, ours at once; whether anything came free after `since`."""
        if self._authorised_at > float("-inf"):  # else the plan has no leases
            await self._outbox.want_room()
        await self._give_back_ours()
        return self._returned_at > since

    async def _give_back_ours(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            self._paused_until = time.monotonic() + RESERVE_PAUSE_SECONDS
            if lease.calls or self._outbox.awaits(lease.lease_id):
                self._retired.append(lease)
            else:
                self._returning = asyncio.get_running_loop().create_task(self._return(lease))
        if self._returning is not None:
            await asyncio.shield(self._returning)

    async def _return(self, lease: Lease) -> None:
        message = {"requestId": lease.lease_id, "reason": "lease_returned"}
        try:
            await self._control_plane.post("void", message)
            self._returned_at = time.monotonic()
        except Unavailable:
            pass
        self._outbox.deliver(Delivery(lease.lease_id, "void", message))

    async def live(self) -> None:
        while True:
            try:
                self._wanted.clear()
                await self._keep()
            except Exception as error:  # noqa: BLE001  what must not end by any surprise
                log.error("no lease: %s", type(error).__name__)
            try:
                await asyncio.wait_for(self._wanted.wait(), RENEWAL_SECONDS)
            except asyncio.TimeoutError:
                pass

    async def _keep(self) -> None:
        """Takes a lease or makes it last longer; gives back what is retired as soon as its calls are told."""
        now = time.monotonic()
        lease = self._lease
        idle = self._authorised_at < now - CALLER_SECONDS
        low = lease is not None and lease.left_nano_eur * 2 < lease.amount_nano_eur
        if lease is not None and not lease.calls and not self._outbox.awaits(lease.lease_id) and (idle or low):
            self._retire(lease)
            lease = None
        for retired in [retired for retired in self._retired if not retired.calls]:
            self._retired.remove(retired)
            self._outbox.deliver(voided(retired.lease_id, "lease_returned"))
        if idle or (lease is None and now < self._paused_until):
            return
        if await self._outbox.room_wanted():
            await self._give_back_ours()
            return
        lease_id = lease.lease_id if lease else str(uuid.uuid4())
        try:
            if lease is None:
                await self._outbox.intend(lease_id)  # should we vanish, it is given back by whoever finds it
            status, reply = await self._control_plane.post("leases", {"leaseId": lease_id})
        except (Unavailable, RedisError):
            if lease is None:
                self._paused_until = now + RESERVE_PAUSE_SECONDS
                self._outbox.deliver(voided(lease_id, "lease_returned"))
            return
        if status == 200 and reply.get("outcome") == "granted":
            if lease is None:
                left = int(reply["leftNanoEur"])
                lease = Lease(lease_id, left, int(reply["roundingNanoEur"]), reply["models"], left_nano_eur=left)
                self._lease = lease
            lease.until = now + reply["seconds"]
        elif lease is not None:
            self._retire(lease)
            self._wanted.set()
        else:
            self._paused_until = now + RESERVE_PAUSE_SECONDS
            self._outbox.deliver(Delivery(lease_id, None, {}))

    def _retire(self, lease: Lease) -> None:
        self._retired.append(lease)
        if self._lease is lease:
            self._lease = None


def caller_of(identity: Identity) -> tuple[str, str | None]:
    return identity.key_sha256, (identity.user or {}).get("externalId")


def voided(request_id: str, reason: str) -> Delivery:
    return Delivery(request_id, "void", {"requestId": request_id, "reason": reason})


# -- the gateway ------------------------------------------------------------------------------------------------------


class Gateway(CustomLogger):
    """LiteLLM's callback and its authentication in one. Raises KeyError naming the variable that the operator left out
    of the environment; LiteLLM then does not start."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        setting = {name: environment[f"CLOUDFREEDOM_{name}"] for name in SETTINGS}
        self._chat_key_sha256 = sha256_hex(setting["CHAT_KEY"])
        language = environment.get("CLOUDFREEDOM_LANGUAGE", "de")
        self._language = language if language in TEXTS else "en"
        self._control_plane = ControlPlane(setting["CONTROL_PLANE_URL"], setting["CREDENTIAL"])
        self._outbox = Outbox(setting["REDIS_URL"], setting["POD"], self._control_plane)
        self._reserve = Reserve(self._control_plane, self._outbox)
        self._limits = RateLimits(environment.get("CLOUDFREEDOM_RATE_LIMITS", ""), self._outbox.take_limits)
        # asked when, and whose key it is; None: nobody's that may chat
        self._identities: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        self.calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._warm_up())  # LiteLLM reads its config inside the running loop
        self._spawn(self._live())
        self._spawn(self._reserve.live())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self) -> None:
        """Keeps the lease, rescues, and gives up calls whose end nobody reported."""
        beats = 0
        try:
            while True:
                try:
                    await self._outbox.heartbeat(rescue=beats >= BEATS_BEFORE_RESCUE)
                    if beats % BEATS_BETWEEN_REPORTS == 0:
                        self._spawn(self._report())
                    beats += 1
                except Exception as error:  # noqa: BLE001  the heartbeat must outlive any surprise
                    if beats > 0:
                        log.error("no heartbeat (%s): new requests are refused without Redis", type(error).__name__)
                    beats = 0
                overdue = time.time() - OPEN_CALL_SECONDS
                for call in [call for call in self.calls.values() if call.started_at < overdue]:
                    log.error("request %s: no end was reported", call.request_id)
                    self._void(call, "gateway_lost")
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            await self._outbox.resign()

    async def _report(self) -> None:
        try:
            await self._outbox.report()
        except Exception as error:  # noqa: BLE001  the next one is a minute away
            log.warning("no report: %s", type(error).__name__)

    async def _warm_up(self) -> None:
        """LiteLLM's first call imports for seconds; a call that stays inside the process pays for that at start."""
        try:
            messages = [{"role": "user", "content": "ready?"}]
            await litellm.acompletion(model="gpt-4o-mini", messages=messages, mock_response="ready", api_key="none")
            await self._control_plane.post("identify", {"keySha256": "0" * 64})
        except Exception as error:  # noqa: BLE001  only a head start is lost
            log.warning("warm-up: %s", type(error).__name__)

    # -- before: authentication

    async def authenticate(self, request: Request, api_key: str | None) -> UserAPIKeyAuth:
        """LiteLLM's custom_auth. Raises Refusal; on return the request holds nothing but what is offered."""
        headers = dict(request.headers)
        asked = language_of(headers.get("accept-language"))
        language = asked or self._language
        path = request.scope.get("path", "").removeprefix("/v1")
        kind = next((kind for kind in KINDS if request.method == "POST" and KINDS[kind].path == path), None)
        if kind is None and (request.method, path) != ("GET", "/models"):
            raise route_refusal(language)
        key = (api_key or "").removeprefix("Bearer ").strip()
        digest = sha256_hex(key)
        user, holder = None, "chat"
        if hmac.compare_digest(digest, self._chat_key_sha256):
            if "x-forwarded-host" in headers:  # the ingress sets it; Open WebUI speaks to us directly
                raise refusal("chat_key_outside", language)
            user = forwarded_user(headers)
        else:
            known = await self._holder(digest, language, costs=kind is not None) if key.startswith("cf-") else None
            if known is None:
                raise refusal("invalid_api_key", language)
            holder = known
        await self._strip(request, kind, language)
        metadata = {
            "cloudfreedom_identity": Identity(digest, user, language, asked, holder),
            "cloudfreedom_traceparent": headers.get("traceparent"),
        }
        return UserAPIKeyAuth(api_key=digest, user_role=LitellmUserRoles.INTERNAL_USER, metadata=metadata)

    async def _holder(self, digest: str, language: str, costs: bool) -> str | None:
        """Whose key this is, if it is one of the tenant's that may chat. What costs is asked about again by authorise, so
        there the answer may be older."""
        asked_at = time.monotonic()
        kept = self._identities.get(digest)
        if kept is not None and asked_at - kept[0] < identity_seconds(kept[1], costs):
            return kept[1]
        try:
            status, reply = await self._control_plane.post("identify", {"keySha256": digest})
        except Unavailable:
            if self._reserve.knows(digest):
                return kept[1] if kept is not None and kept[1] else f"key:{digest}"
            status, reply = 503, {}
        if status not in (200, 401, 404):
            raise refusal("budget_unavailable", language)
        holder = f"member:{reply['userId']}" if "userId" in reply else f"key:{reply.get('keyId', digest)}"
        known = holder if status == 200 else None
        self._identities[digest] = (asked_at, known)
        self._identities.move_to_end(digest)
        if len(self._identities) > IDENTITIES_KEPT:
            self._identities.popitem(last=False)
        return known

    async def _strip(self, request: Request, kind: str | None, language: str) -> None:
        """Leaves only known headers and body fields, before LiteLLM takes orders from them."""
        scope = request.scope
        scope["headers"][:] = [pair for pair in scope["headers"] if pair[0].decode("latin-1").lower() in HEADERS]
        cached = safe_get_request_headers(request)  # LiteLLM's own copy, made while it read the body
        for name in [name for name in cached if name.lower() not in HEADERS]:
            del cached[name]
        if kind is None:
            return
        body = await read_request_body(request)
        if not isinstance(body, dict):
            raise refusal("invalid_request", language, "a JSON object is expected")
        kept = {name: without_long_cache(value) for name, value in body.items() if KINDS[kind].allows(name)}
        cache = body.get("cache")
        if kind in CACHED_KINDS and isinstance(cache, dict) and cache.get("use-cache") is True:
            kept["cache"] = {"use-cache": True}  # a client may ask for a repeated answer, not steer the cache
        safe_set_request_parsed_body(request, kept)
        request._body = orjson.dumps(kept)  # noqa: SLF001  /v1/images/generations parses the raw body again

    # -- before: budget

    async def async_pre_call_hook(
        self, user_api_key_dict: UserAPIKeyAuth, cache: Any, data: dict, call_type: str
    ) -> dict:
        """Returns the request with its output bound set, or raises Refusal. Nothing is called before both the hold and
        the intent are safe."""
        key_metadata = user_api_key_dict.metadata or {}
        identity = key_metadata.get("cloudfreedom_identity")
        if not isinstance(identity, Identity):
            raise refusal("invalid_api_key", self._language)
        kind = next((kind for kind in KINDS if KINDS[kind].call_type == call_type), None)
        if kind is None:
            raise route_refusal(identity.language)
        bound = checked_bound(kind, data, identity.language)
        if len(self.calls) >= OPEN_CALLS_LIMIT or self._outbox.full():
            raise refusal("gateway_busy", identity.language)
        await self._limit(identity)

        traceparent = child_traceparent(key_metadata.get("cloudfreedom_traceparent"))
        stream, question = data.get("stream") is True, data.get(KINDS[kind].question)
        call = Call(str(uuid.uuid4()), kind, data["model"], traceparent, stream, bound.input_tokens, question)
        call.limited_as = identity.limited_as
        await self._authorise(call, bound, identity)
        metadata = data.get("litellm_metadata" if isinstance(data.get("litellm_metadata"), dict) else "metadata")
        if not isinstance(metadata, dict):
            metadata = data["metadata"] = {}
        metadata["cloudfreedom_request_id"] = call.request_id
        metadata["traceparent"] = traceparent
        if bound.output_field is not None:
            for name in KINDS[kind].limits:
                data.pop(name, None)
            data[bound.output_field] = call.bound_output_tokens // bound.choices
            if call.clamped:
                metadata["cloudfreedom_clamped"] = data[bound.output_field]
        if kind == "responses":
            data["store"] = False  # providers keep answers unless told otherwise
        return data

    async def _limit(self, identity: Identity) -> None:
        """Raises Refusal where this minute's requests or tokens are used up."""
        try:
            excess = await self._limits.enter(identity.limited_as)
        except RedisError as error:
            log.error("no limits: %s", type(error).__name__)
            raise refusal("budget_unavailable", identity.language) from error
        if excess is not None:
            raise limit_refusal(excess, identity.language)

    async def _count(self, user: str, tokens: int) -> None:
        try:
            await self._limits.use(user, tokens)
        except RedisError as error:  # the budget has counted them; a minute's limit forgets them
            log.warning("tokens not counted: %s", type(error).__name__)

    async def _authorise(self, call: Call, bound: Bound, identity: Identity) -> None:
        """Holds the budget and notes what was granted. On any other outcome the intent is withdrawn or a void queued;
        raises Refusal."""
        call.asked = {
            "keySha256": identity.key_sha256,
            "model": call.model,
            "callType": call.call_type,
            "boundInputTokens": bound.input_tokens,
            "maxOutputTokens": bound.output_tokens,
            "choices": bound.choices,
            "reasoningTokens": bound.reasoning_tokens,
            "audioInput": bound.audio_input,
            "images": bound.images,
            "stream": call.stream,
            **({"user": identity.user} if identity.user else {}),
        }
        self.calls[call.request_id] = call
        try:
            since = time.monotonic()
            intent, answer = await self._ask(call, identity)
            if not isinstance(answer, BaseException) and answer[0] == 429 and await self._reserve.give_back(since):
                self._rename(call, Delivery(call.request_id, None, {}))  # what was refused once stays so
                intent, answer = await self._ask(call, identity)
            away = isinstance(answer, Unavailable) and not isinstance(intent, BaseException)
            offer = self._reserve.offers(call, bound, identity) if away else None
            if offer is not None:
                self._rename(call, voided(call.request_id, "authorise_unknown"))
                self._reserve.lend(call, offer)
                await self._outbox.intend(call.request_id)
                log.info("request %s: made within a lease, for the control plane is away", call.request_id)
                return
        except RedisError as error:
            intent = error
        except BaseException:  # cancelled: the client went away, or the server is ending
            self._void(call, "client_gone")
            raise
        status, reply = (503, {}) if isinstance(answer, BaseException) else answer
        if status != 503 and not (status == 200 and reply.get("outcome") == "granted"):
            self._close(call, Delivery(call.request_id, None, {}))
            if status == 401:
                self._identities.pop(identity.key_sha256, None)
            raise refusal_of(status, reply, identity.language)
        granted = reply.get("maxOutputTokens")
        call.bound_output_tokens = granted if isinstance(granted, int) else 0
        call.clamped = reply.get("clamped") is True
        if status == 200:
            self._reserve.authorised(identity, reply.get("leasable") is True)
        if call.clamped:  # what we hold may be what is missing
            self._spawn(self._reserve.give_back(since))
        usable = bound.output_field is None or call.bound_output_tokens >= bound.choices
        if isinstance(answer, BaseException) or isinstance(intent, BaseException) or not usable:
            self._void(call, "authorise_unknown")
            log.error("request %s: not authorised: %r, outbox: %r", call.request_id, status, intent)
            raise refusal("budget_unavailable", identity.language)

    async def _ask(self, call: Call, identity: Identity) -> list[Any]:
        language = {"language": identity.asked_language} if identity.asked_language else {}
        question = {"requestId": call.request_id, **call.asked, "traceparent": call.traceparent, **language}
        work = (self._outbox.intend(call.request_id), self._control_plane.post("authorise", question))
        return await asyncio.gather(*work, return_exceptions=True)

    def _rename(self, call: Call, delivery: Delivery) -> None:
        """The same call under a new id, for the old one has had its answer, or is never to have one."""
        self._close(call, delivery)
        call.request_id = str(uuid.uuid4())
        self.calls[call.request_id] = call

    # -- after

    async def async_post_call_response_headers_hook(
        self, data: dict, user_api_key_dict: Any, response: Any, request_headers: dict[str, str] | None = None
    ) -> dict[str, str]:
        clamped = found_in(data.get("metadata"), data.get("litellm_metadata"), name="cloudfreedom_clamped")
        return {CLAMPED_HEADER: str(clamped)} if clamped is not None and response is not None else {}

    async def async_log_success_event(self, kwargs: dict, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """The answer is complete, or its client left and LiteLLM counted what was streamed. Arguments come by name."""
        params = kwargs.get("litellm_params") or {}
        call = self._call_in(params.get("metadata"), params.get("litellm_metadata"), kwargs.get("metadata"))
        if call is None:
            return
        payload = kwargs.get("standard_logging_object") or {}
        usage = buckets_of((payload.get("metadata") or {}).get("usage_object") or getattr(response_obj, "usage", None))
        if call.call_type == "image":  # the picture is what is paid; its tokens are another measure of the same
            pictures = len(getattr(response_obj, "data", None) or [])
            usage |= {"outputTokens": 0, "audioOutputTokens": 0, "images": pictures, "totalTokens": None}
        cache_hit = kwargs.get("cache_hit") is True or payload.get("cache_hit") is True
        gone = (params.get("metadata") or {}).get("client_disconnected")
        if gone or (call.streamed and usage["outputTokens"] == 0 and not cache_hit):
            await self._settle_interrupted(call, payload.get("model_group"), usage)
        else:
            self._settle(call, payload.get("model_group"), usage, "complete", cache_hit)

    async def async_post_call_failure_hook(
        self,
        request_data: dict,
        original_exception: Exception,
        user_api_key_dict: UserAPIKeyAuth,
        traceback_str: str | None = None,
    ) -> None:
        """The request has failed for good, after all retries and fallbacks. (async_log_failure_event would fire on the
        first failed attempt, which may still be followed by a success.)"""
        call = self._call_in(request_data.get("metadata"), request_data.get("litellm_metadata"))
        if call is None:
            return
        usage = buckets_of(request_data.get("combined_usage_object"))  # LiteLLM estimates one for any failure
        if usage["outputTokens"] or call.streamed or timed_out_reading(original_exception):
            payload = request_data.get("standard_logging_object") or {}
            await self._settle_interrupted(call, payload.get("model_group"), usage)
        else:
            self._void(call, "upstream_failure")

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: UserAPIKeyAuth, response: Any, request_data: dict
    ) -> AsyncGenerator[Any, None]:
        """Passes a stream through, keeps its text, and sees its end, which LiteLLM does not report when the client left
        before the first chunk."""
        call = self._call_in(request_data.get("metadata"), request_data.get("litellm_metadata"))
        if call is None:
            async for chunk in response:
                yield chunk
            return
        details = getattr(request_data.get("litellm_logging_obj"), "model_call_details", None) or {}
        reads_on = call.call_type == "messages" and details.get("custom_llm_provider") == "anthropic"
        try:
            async for chunk in response:
                call.first_token_at = call.first_token_at or time.time()
                if text := text_of(chunk):
                    call.streamed.append(text)
                yield chunk
        finally:
            self._spawn(self._end_unreported(call, DETACHED_GRACE_SECONDS if reads_on else UNREPORTED_GRACE_SECONDS))

    async def _end_unreported(self, call: Call, grace_seconds: float) -> None:
        await asyncio.sleep(grace_seconds)
        if call.request_id in self.calls:
            await self._settle_interrupted(call, None, buckets_of(None))

    async def _settle_interrupted(self, call: Call, served: object, usage: dict[str, Any]) -> None:
        """Bills what a broken answer gave: the provider's figures, or ours where it gave none or less than was streamed
        (some report output with the last chunk only). Estimates never exceed the hold."""
        streamed = await asyncio.to_thread(tokens_of, call.model, "".join(call.streamed))
        usage["outputTokens"] = min(max(usage["outputTokens"], streamed), call.bound_output_tokens)
        if not any(usage[name] for name in INPUT_BUCKETS):
            prompt = call.prompt if isinstance(call.prompt, str) else orjson.dumps(call.prompt, default=str).decode()
            counted = await asyncio.to_thread(tokens_of, call.model, prompt)
            usage["inputTokens"] = min(counted, call.bound_input_tokens)
        self._settle(call, served, usage | {"totalTokens": None}, "interrupted")

    def _call_in(self, *places: object) -> Call | None:
        request_id = found_in(*places, name="cloudfreedom_request_id")
        return self.calls.get(request_id) if isinstance(request_id, str) else None

    def _settle(self, call: Call, served: object, usage: dict[str, Any], finish: str, cache_hit: bool = False) -> None:
        body = {
            "requestId": call.request_id,
            "modelServed": served if isinstance(served, str) and served else call.model,
            "usage": usage,
            "cacheHit": cache_hit,
            "finish": finish,
            "startedAt": iso_time(call.started_at),
            "firstTokenAt": iso_time(call.first_token_at),
            "endedAt": iso_time(time.time()),
            "traceparent": call.traceparent,
            **({"lease": {"leaseId": call.lease.lease_id, **call.asked}} if call.lease else {}),
        }
        if call.request_id in self.calls and not cache_hit:
            used = sum(usage[name] for name in TOKEN_BUCKETS)
            self._spawn(self._count(call.limited_as, used))
        self._close(call, Delivery(call.request_id, "settle", body))

    def _void(self, call: Call, reason: str) -> None:
        # of a call within a lease the control plane knows nothing
        self._close(call, Delivery(call.request_id, None, {}) if call.lease else voided(call.request_id, reason))

    def _close(self, call: Call, delivery: Delivery) -> None:
        """The only way out for a call: whoever takes it from `calls` first decides its end."""
        if self.calls.pop(call.request_id, None) is not None:
            self._outbox.deliver(delivery)
            self._reserve.ended(call, delivery.body)


def identity_seconds(holder: str | None, costs: bool) -> float:
    """How old an answer about a key may be."""
    if holder is None:
        return STRANGER_TTL_SECONDS
    return IDENTITY_TTL_SECONDS if costs else FREE_IDENTITY_TTL_SECONDS


def checked_bound(kind: str, data: dict, language: str) -> Bound:
    """The bound of a request that can be bounded; raises Refusal for any other."""
    try:
        model = data.get("model")
        if not isinstance(model, str) or not 0 < len(model) <= MODEL_NAME_LIMIT:
            raise ValueError("model must be the name of a model")
        tool = unoffered_tool(data)
        if tool is not None:
            raise refusal("tool_not_offered", language, tool)
        return bound_of(kind, data)
    except (ValueError, TypeError) as error:  # orjson's errors are ValueErrors too
        raise refusal("invalid_request", language, str(error)) from error


def found_in(*places: object, name: str) -> object:
    """What the first of several metadata has under `name`."""
    return next((place[name] for place in places if isinstance(place, Mapping) and name in place), None)


def text_of(chunk: Any) -> str:
    """The text of a streamed chunk: chat chunks have choices, Responses events a delta, Anthropic's are SSE frames."""
    if isinstance(chunk, (bytes, str)):
        raw = chunk if isinstance(chunk, bytes) else chunk.encode()
        frames = [line[5:] for line in raw.split(b"\n") if line.startswith(b"data:") and b"_delta" in line]
        return "".join(text_of_anthropic(frame) for frame in frames)
    choices = getattr(chunk, "choices", None)
    if not choices:
        delta = getattr(chunk, "delta", None)
        return delta if isinstance(delta, str) else ""
    texts = []
    for choice in choices:
        delta = getattr(choice, "delta", None)
        texts += [getattr(delta, "content", None), getattr(delta, "reasoning_content", None)]
        texts += [call.function.arguments for call in getattr(delta, "tool_calls", None) or [] if call.function]
    return "".join(text for text in texts if text)


def text_of_anthropic(frame: bytes) -> str:
    try:
        delta = orjson.loads(frame).get("delta") or {}
        return delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
    except (orjson.JSONDecodeError, AttributeError):  # a frame cut in two; LiteLLM reads those streams on itself
        return ""


def tokens_of(model: str, text: str) -> int:
    """An estimate by LiteLLM's tokenizers, by length where they fail."""
    try:
        return litellm.token_counter(model=model, text=text) if text else 0
    except Exception:  # noqa: BLE001  an ending must not be lost for want of a tokenizer
        return len(text) // 4 + 1


def timed_out_reading(error: BaseException | None) -> bool:
    """The provider had the question and was still at work when we hung up: it bills the input."""
    if not isinstance(error, litellm.Timeout):
        return False
    for _ in range(EXCEPTION_CHAIN_LIMIT):
        if error is None or isinstance(error, httpx.ReadTimeout):
            return error is not None
        error = error.__cause__ or error.__context__
    return False


def keep_context_over_collections() -> None:
    """Works around a crash of CPython that LiteLLM 1.106.2 provokes with or without us, every few thousand requests.

    ContextVar.set() allocates while it reads the context's map; the allocation may start a garbage collection; LiteLLM
    has finalizers that set context variables themselves, which frees the map under the first set. A reference that is
    held from the start of one collection to the start of the next keeps it alive.
    """
    held: list[contextvars.Context] = []

    def hold(phase: str, _info: object) -> None:
        if phase == "start":
            held[:] = [contextvars.copy_context()]

    gc.callbacks.append(hold)


# LiteLLM executes this file once for each of the two names in its config; both must speak to the same gateway.
_shared = sys.modules.setdefault("cloudfreedom_gateway", types.ModuleType("cloudfreedom_gateway"))
if not hasattr(_shared, "gateway"):
    _shared.gateway = Gateway(os.environ)
    keep_context_over_collections()
gateway: Gateway = _shared.gateway
authenticate = gateway.authenticate
