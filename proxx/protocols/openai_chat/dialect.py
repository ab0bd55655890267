"""The dialect's own words, used by its readers and writers alike."""

NAME = "openai_chat"
OPENAI = (NAME, "openai_responses")  # one vendor: files and models are the same in both
