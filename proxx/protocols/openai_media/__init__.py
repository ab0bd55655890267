"""OpenAI's endpoints beside chat: legacy completions, pictures, speech, transcriptions, moderations."""

from proxx.protocols.openai_media.kinds import PROTOCOLS

__all__ = ["PROTOCOLS"]
