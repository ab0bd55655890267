"""The table of failures: which evidence means what. The first row that fits is the answer.

Evidence goes from special to general: an upstream's own code, then its prose, then the bare status. Each row has a test
of its name; docs/failures.md shows the same rows. How a row is matched is in evidence.py.
"""

from proxx.upstream.failures.body import PAGE, PER_DAY, PER_MINUTE
from proxx.upstream.failures.evidence import Row, code_set, only, words

BLAMES_REQUEST = only(400, 403, 404, 413, 422, 451, 500, None)
MODEL_TROUBLE = only(400, 403, 404, 422, 429, None)
BUSY = only(429, 500, 502, 503, 529, None)
LIMITED = only(429, None)

ROWS: tuple[Row, ...] = (
    Row(
        "a_context_overflow_is_the_callers",
        "context_length",
        "request",
        "The prompt is longer than the model's context; every vendor says it in other words.",
        BLAMES_REQUEST,
        code_set("context_length_exceeded context_window_exceeded exceed_context_size_error"),
        words(
            r"maximum context length",
            r"prompt is too long",
            r"exceeds? (?:the |its |your )?(?:model'?s? )?(?:available |maximum )?context",
            r"input length and .{0,20}max_tokens.{0,20} exceed",
            r"input token count .{0,40}exceeds",
            r"context (?:length|window|size) (?:limit )?(?:is |was )?exceeded",
            r"reduce the length of (?:the|your) (?:messages|prompt|input)",
        ),
    ),
    Row(
        "refused_content_is_the_callers",
        "content_policy",
        "request",
        "A content filter or usage policy refused the prompt.",
        BLAMES_REQUEST,
        code_set("content_policy_violation content_filter cyber_policy invalid_prompt moderation_blocked 1301")
        | code_set("data_inspection_failed datainspectionfailed responsibleaipolicyviolation"),
        words(r"content (?:management )?policy", r"usage polic(?:y|ies)", r"safety system", r"\bwas flagged\b"),
    ),
    Row(
        "a_wrong_key_is_the_credentials",
        "auth",
        "credential",
        "The key is unknown, expired or malformed; some vendors say so with 400.",
        only(400, 401, 403, None),
        code_set("invalid_api_key api_key_invalid authentication_error unauthenticated token_expired")
        | code_set("invalid_authentication_error 1000 1001 1002 1003 1004"),
        words(
            r"api key not valid", r"(?:invalid|incorrect) api key", r"invalid (?:authentication|bearer|access token)"
        ),
    ),
    Row(
        "a_refused_region_is_the_providers",
        "permission",
        "provider",
        "The provider refuses the country this gateway runs in: no other key helps.",
        only(400, 403, None),
        code_set("unsupported_country_region_territory"),
        words(r"country, region, or territory", r"location is not supported"),
    ),
    Row(
        "a_model_outside_the_plan_is_the_accounts",
        "permission",
        "model",
        "The account may not use this model; others may.",
        MODEL_TROUBLE,
        code_set("usage_not_included model_not_allowed model_access_denied"),
        words(
            r"access to (?:the |this )?model",
            r"unable to access model",
            r"not (?:included|available) (?:in|on|with|under) your (?:current )?(?:plan|subscription|account)",
            r"not supported when using codex",
            r"not (?:authorized|allowed|permitted) to (?:access|use) (?:the |this )?model",
        ),
    ),
    Row(
        "an_unknown_model_is_looked_for_elsewhere",
        "not_found",
        "model",
        "This provider has no such model, or has it no longer.",
        only(400, 404, 410, 422, None),
        code_set("model_not_found model_decommissioned model_not_available 1211"),
        words(
            r"\bmodels?\b.{0,120}?(?:not found|not exist|doesn't exist|decommissioned|no longer available)",
            r"\bmodels?/\S{1,120} is not",
            r"\b(?:unknown|invalid|no such|unsupported) model\b",
            r"not a valid model",
            r"model identifier is invalid",
            r"no endpoints found",
            r"^model: \S+$",
        ),
    ),
    Row(
        "a_request_too_large_says_so_by_code",
        "too_large",
        "request",
        "The body, not the prompt, is over the provider's limit.",
        only(400, 413, 422, None),
        code_set("request_too_large payload_too_large"),
        words(r"request (?:entity|body|payload) (?:is )?too large"),
    ),
    Row(
        "an_overloaded_model_rests_alone",
        "overloaded",
        "model",
        "One model is busy or still loading; the provider's others are not.",
        BUSY,
        code_set("1312"),
        words(r"\bmodel\b.{0,80}?\b(?:overloaded|loading|at capacity|high (?:demand|traffic)|busy)"),
    ),
    Row(
        "an_overloaded_provider_is_left_alone",
        "overloaded",
        "provider",
        "The provider says that it is overloaded, under whichever status.",
        BUSY,
        code_set(
            "overloaded_error server_is_overloaded server_overloaded engine_overloaded_error slow_down unavailable"
        ),
        words(r"overloaded", r"no healthy upstream"),
    ),
    Row(
        "a_daily_quota_is_spent_for_that_model",
        "quota_spent",
        "model",
        "Google's QuotaFailure names a per-day quota: waiting a minute does not help.",
        LIMITED,
        code_set(PER_DAY),
    ),
    Row(
        "a_minute_quota_is_only_a_rate",
        "rate_limited",
        "model",
        "Google calls a per-minute limit a quota, too.",
        LIMITED,
        code_set(PER_MINUTE),
    ),
    Row(
        "too_many_in_flight_is_told_from_a_rate",
        "too_many_at_once",
        "credential",
        "A limit on parallel requests passes as soon as one of ours ends.",
        only(429, 503, None),
        code_set("1302 concurrency_limit_exceeded too_many_concurrent_requests"),
        words(r"concurren", r"(?:parallel|simultaneous) requests"),
    ),
    Row(
        "a_spent_plan_says_so_by_code",
        "quota_spent",
        "credential",
        "Plan, budget or balance is used up until it resets or is paid.",
        frozenset(),
        code_set(
            "insufficient_quota usage_limit_reached usage_limit_exceeded quota_exceeded billing_hard_limit_reached"
        )
        | code_set("billing_not_active billing_error insufficient_balance insufficient_credits insufficient_user_quota")
        | code_set(
            "exceeded_current_quota_error payment_required credits_exhausted arrearage 1113 1304 1308 1309 1310"
        ),
    ),
    Row(
        "a_rate_says_so_by_code",
        "rate_limited",
        "credential",
        "An ordinary limit per minute or day, named by a code that means nothing else.",
        only(400, 429, 503, None),
        code_set("rate_limit_exceeded rate_limit_reached throttlingexception 1303 1305 1313"),
    ),
    Row(
        "a_429_from_behind_a_router_concerns_the_model",
        "rate_limited",
        "model",
        "A router reports the limit of the vendor behind it, or a shared pool is used up for the moment.",
        LIMITED,
        words=words(r"rate-limited upstream", r"^resource (?:has been )?exhausted"),
    ),
    Row(
        "a_429_about_quota_is_a_spent_plan",
        "quota_spent",
        "credential",
        "Words of plan and money in a 429 (routing.md 6.1).",
        only(429),
        words=words(
            r"usage limit",
            r"quota",
            r"exhausted",
            r"insufficient",
            r"balance",
            r"credit",
            r"billing",
            r"payment",
            r"\b(?:plan|monthly|weekly|daily) limit",
        ),
    ),
    Row(
        "a_429_that_asks_for_patience_is_too_many_at_once",
        "too_many_at_once",
        "credential",
        "Words of momentary capacity in a 429 (routing.md 6.1).",
        only(429),
        words=words(r"capacity", r"temporarily limited", r"slow down", r"please wait"),
    ),
    Row(
        "words_of_an_empty_account_are_a_spent_plan",
        "quota_spent",
        "credential",
        "Some vendors say that the money is gone with a 400 or 500.",
        only(400, 401, 402, 404, 409, 422, 500, None),
        words=words(
            r"outstanding balance",
            r"insufficient[ _-](?:balance|quota|credits?|funds)",
            r"(?:quota|usage limit)[ _-](?:exceeded|reached)",
            r"credits?[ _-]exhausted",
            r"payment[ _-]required",
            r"monthly[ _-]limit",
            r"credit balance is too low",
        ),
    ),
    Row(
        "a_bot_wall_is_no_verdict_on_the_key",
        "upstream_error",
        "provider",
        "A 403 page comes from a wall in front of the provider, which never saw the key.",
        only(403),
        code_set(PAGE),
    ),
    Row(
        "a_timeout_says_so_by_code",
        "timed_out",
        "provider",
        "The provider gave up on itself.",
        only(408, 499, 500, 502, 503, 504, None),
        code_set("timeout timeout_error deadline_exceeded request_timeout"),
    ),
    Row(
        "a_missing_right_says_so_by_code",
        "permission",
        "credential",
        "The key is good but may not do this.",
        only(400, 401, 403, None),
        code_set("permission_error permission_denied account_deactivated 1110 1111 1112 1120 1121"),
    ),
    Row(
        "an_error_in_a_200_that_names_a_rate",
        "rate_limited",
        "credential",
        "A stream that opens with a rate limit.",
        only(None),
        code_set("rate_limit_error resource_exhausted too_many_requests"),
        words(r"rate limit"),
    ),
    Row(
        "an_error_in_a_200_that_blames_the_request",
        "invalid_request",
        "request",
        "A stream that opens with the rejection of the request.",
        only(None),
        code_set("invalid_request_error invalid_argument failed_precondition invalid_value unsupported_parameter"),
    ),
    Row(
        "an_error_in_a_200_that_knows_no_such_thing",
        "not_found",
        "model",
        "A stream that opens with not found.",
        only(None),
        code_set("not_found_error not_found"),
    ),
    Row("a_401_is_the_credentials", "auth", "credential", "No credential, or a wrong one.", only(401)),
    Row("a_402_is_a_spent_plan", "quota_spent", "credential", "Payment is required.", only(402)),
    Row("a_403_is_the_credentials", "permission", "credential", "Known, but not allowed.", only(403, 451)),
    Row("a_404_concerns_the_model", "not_found", "model", "No such model or path at this provider.", only(404, 410)),
    Row("a_413_is_the_callers", "too_large", "request", "The body is over the provider's limit.", only(413)),
    Row("a_429_is_a_rate", "rate_limited", "credential", "A limit without further words.", only(429)),
    Row(
        "a_408_or_504_is_a_timeout",
        "timed_out",
        "provider",
        "The provider, or a proxy in front of it, gave up waiting.",
        only(408, 504),
    ),
    Row(
        "a_503_or_529_is_overload",
        "overloaded",
        "provider",
        "Busy, or the network in front of the provider cannot reach it (520 to 524).",
        only(498, 503, 520, 521, 522, 523, 524, 529),
    ),
    Row(
        "a_wrong_door_is_the_providers",
        "upstream_error",
        "provider",
        "Redirects (never followed), methods, conflicts: the address or the moment is wrong, not the request.",
        frozenset((*range(100, 400), 405, 407, 409, 421, 424, 425, 499)),
    ),
    Row(
        "any_other_4xx_is_the_callers",
        "invalid_request",
        "request",
        "The provider blames the request.",
        frozenset(range(400, 500)),
    ),
    Row("anything_else_is_the_providers", "upstream_error", "provider", "Every other 5xx, and what nobody defined."),
)
