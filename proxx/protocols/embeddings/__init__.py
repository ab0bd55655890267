"""Embeddings: OpenAI's, Ollama's, Gemini's, and servers that are upstreams only."""

from proxx.protocols.embeddings.kinds import PROTOCOLS

__all__ = ["PROTOCOLS"]
