"""Tokens that their issuers mark by a prefix: one word of letters, digits, `_` and `-`, and nothing around it.

Each form is the issuer's own, as its documentation or its secret scanning names it.
"""

from __future__ import annotations

import functools
import re

FORMS: tuple[tuple[str, str], ...] = (
    ("adafruit-key", r"aio_[A-Za-z0-9]{28}"),
    ("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("alibaba-key", r"LTAI[A-Za-z0-9]{16,20}"),
    ("anthropic-key", r"sk-ant-[A-Za-z0-9_-]{24,}"),
    ("artifactory-token", r"AKCp[A-Za-z0-9]{60,}"),
    ("atlassian-token", r"AT(?:ATT|CTT)3[A-Za-z0-9_-]{60,}|ATBB[A-Za-z0-9]{28,}"),
    ("aws-access-key", r"(?:AKIA|ASIA|ABIA|ACCA)(?![A-Z0-9]{9}EXAMPLE)[A-Z2-7]{16}"),
    ("buildkite-token", r"bk[au]a_[a-f0-9]{40}"),
    ("circleci-token", r"CCIPAT_[A-Za-z0-9_-]{40,}|CCIPRJ_[A-Za-z0-9_-]{40,}"),
    ("clojars-token", r"CLOJARS_[a-z0-9]{60}"),
    ("contentful-token", r"CFPAT-[A-Za-z0-9_-]{40,}"),
    ("crates-token", r"cio[A-Za-z0-9]{32}"),
    ("databricks-token", r"dapi[a-f0-9]{32}(?:-\d)?"),
    ("deepseek-key", r"sk-[a-f0-9]{32}"),
    ("digitalocean-token", r"do[opr]_v1_[a-f0-9]{64}"),
    ("docker-token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
    ("easypost-key", r"EZ[AT]K[A-Za-z0-9]{54}"),
    ("elevenlabs-key", r"sk_[a-f0-9]{48}"),
    ("facebook-token", r"EAA[A-Za-z0-9]{90,}"),
    ("figma-token", r"figd_[A-Za-z0-9_-]{40,}"),
    ("fly-token", r"fo1_[A-Za-z0-9_-]{40,}|fm[12][ar]?_[A-Za-z0-9_-]{60,}"),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,255}"),
    ("gitlab-token", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_-]{20,}|GR1348941[A-Za-z0-9_-]{20}"),
    ("google-key", r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}"),
    ("grafana-token", r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9]{32,}"),
    ("groq-key", r"gsk_[A-Za-z0-9]{40,}"),
    ("heroku-key", r"HRKU-[A-Za-z0-9_-]{36,}"),
    ("hubspot-token", r"pat-(?:na|eu|ap)\d-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"),
    ("huggingface-token", r"hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z0-9]{34}"),
    ("langfuse-key", r"sk-lf-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"),
    ("langsmith-key", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    ("linear-key", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}"),
    ("mailgun-key", r"key-[a-f0-9]{32}"),
    ("netlify-token", r"nf[bcopu]_[A-Za-z0-9]{36}"),
    ("newrelic-key", r"NR(?:AK|JS|II|RA)-[A-Za-z0-9_-]{24,}"),
    ("notion-token", r"ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}"),
    ("npm-token", r"npm_[A-Za-z0-9]{36}"),
    ("nuget-key", r"oy2[a-z0-9]{43}"),
    ("nvidia-key", r"nvapi-[A-Za-z0-9_-]{60,}"),
    ("onepassword-token", r"ops_eyJ[A-Za-z0-9_-]{100,}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),
    ("openai-key", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{24,}|sk-[A-Za-z0-9]{40,64}"),
    ("openrouter-key", r"sk-or-v1-[a-f0-9]{64}"),
    ("perplexity-key", r"pplx-[A-Za-z0-9]{40,}"),
    ("pinecone-key", r"pcsk_[A-Za-z0-9_]{50,}"),
    ("planetscale-token", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_-]{32,}"),
    ("postman-key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("prefect-key", r"pn[ub]_[A-Za-z0-9]{36}"),
    ("pulumi-token", r"pul-[a-f0-9]{40}"),
    ("pypi-token", r"pypi-[A-Za-z0-9_-]{50,}"),
    ("razorpay-key", r"rzp_(?:live|test)_[A-Za-z0-9]{14,}"),
    ("readme-key", r"rdme_[a-z0-9]{60,}"),
    ("render-key", r"rnd_[A-Za-z0-9]{28,}"),
    ("replicate-token", r"r8_[A-Za-z0-9]{37,40}"),
    ("rubygems-key", r"rubygems_[a-f0-9]{48}"),
    ("sendinblue-key", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    ("sentry-token", r"sntry[su]_[A-Za-z0-9_-]{40,}"),
    ("shippo-token", r"shippo_(?:live|test)_[a-f0-9]{40}"),
    ("shopify-token", r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
    ("slack-token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[A-Za-z0-9]{20,}"),
    ("sonar-token", r"sq[apu]_[a-f0-9]{40}"),
    ("square-token", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{56,64}"),
    ("stripe-key", r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,}"),
    ("supabase-key", r"sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{22,}"),
    ("tailscale-key", r"tskey-[a-z]+-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}"),
    ("tavily-key", r"tvly-[A-Za-z0-9-]{20,}"),
    ("tencent-key", r"AKID[A-Za-z0-9]{32}"),
    ("twilio-key", r"SK[a-f0-9]{32}"),
    ("voyage-key", r"pa-[A-Za-z0-9_-]{40,}"),
    ("wandb-key", r"wandb_v1_[A-Za-z0-9_]{40,}"),
    ("xai-key", r"xai-[A-Za-z0-9]{60,}"),
)  # fmt: skip

HEADS = frozenset(
    b"aio AGE LTA sk- AKC ATA ATC ATB AKI ASI ABI ACC bka bku CCI CLO CFP cio dap doo dop dor dck EZA EZT sk_ EAA fig "
    b"fo1 fm1 fm2 ghp gho ghu ghs ghr git glp gld glr glc glf gli gla glo gls glw GR1 AIz GOC gsk HRK pat hf_ api lsv "
    b"lin key nfp nfc nfo nfb nfu NRA NRJ NRI NRR ntn sec npm oy2 nva ops A3- ppl pcs psc PMA pnu pnb pul pyp rzp rdm "
    b"rnd r8_ rub xke snt shi shp xox xap sqa sqp squ sq0 rk_ whs sbp sb_ tsk tvl SKa SKb SKc SKd SKe SKf SK0 SK1 SK2 "
    b"SK3 SK4 SK5 SK6 SK7 SK8 SK9 pa- wan xai".split()
)
"""The first three characters of each form, so that a word costs one look."""

_BREAK = bytes(char if chr(char).isalnum() or char in b"_-" else 32 for char in range(128)) + b" " * 128


@functools.cache
def _pattern() -> re.Pattern[bytes]:
    return re.compile("|".join(f"(?P<_{n}>{form})" for n, (_, form) in enumerate(FORMS)).encode())


def find(text: bytes) -> dict[bytes, str]:
    """The words of a text that are tokens: word → type."""
    found = {}
    for word in text.translate(_BREAK).split():
        if len(word) >= 15 and word[:3] in HEADS and word not in found:
            match = _pattern().fullmatch(word)
            if match and match.lastgroup and len(set(word[-12:])) > 3 and b"xxxx" not in word.lower():
                found[word] = FORMS[int(match.lastgroup[1:])][0]
    return found
