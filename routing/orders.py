"""The orders of accounts by name, in words for people. What each does is policies.py."""

# How the equal accounts of a provider are ordered (policies.py), and what to tell people of it.
STRATEGIES = {
    "affinity": "a conversation stays with its account, calls without one take turns by weight",
    "round_robin": "accounts take turns, one of weight 3 three times in a row",
    "weighted": "accounts take turns by weight, well mixed",
    "priority": "always the same order, the oldest account first",
    "least_in_flight": "the account with the fewest calls under way for its weight",
    "fastest": "the account that begins to answer soonest; one call in ten tries the others",
    "random": "drawn by lot, by weight",
    "quota_first": "the account whose plan begins anew soonest, so that nothing is lost; untouched ones before",
    "plan_aware": "the account with the biggest plan; those with equal plans take turns",
    "free_first": "accounts with a free plan, then small plans, then big ones; equals take turns",
}
