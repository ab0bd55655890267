"""What a provider can speak, by name: its usual path, and which dialects can be served by which.

The translators themselves are proxx/protocols/registry.py; only names stand here, and the planner decides by them.
"""

from collections.abc import Mapping

# The usual path of each thing a provider can speak; the first five are the chat protocols.
USUAL_PATHS: Mapping[str, str] = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/{model}:generateContent",
    "ollama": "/api/chat",
    "openai_completions": "/v1/completions",
    "openai_images": "/v1/images/generations",
    "openai_speech": "/v1/audio/speech",
    "openai_transcriptions": "/v1/audio/transcriptions",
    "openai_moderations": "/v1/moderations",
    "openai_embeddings": "/v1/embeddings",
    "ollama_embed": "/api/embed",
    "gemini_embed": "/v1beta/models/{model}:batchEmbedContents",
    "hf_embeddings": "/pipeline/feature-extraction/{model}",
    "tei_embeddings": "/embed",
}
CHAT_PROTOCOLS = ("openai_chat", "openai_responses", "anthropic", "gemini", "ollama")
EMBEDDING_PROTOCOLS = ("openai_embeddings", "ollama_embed", "gemini_embed", "hf_embeddings", "tei_embeddings")
# What can be translated into each other; everything else is only served by providers that speak just that.
EXCHANGEABLE = (CHAT_PROTOCOLS, EMBEDDING_PROTOCOLS)
# Who stands in where no provider of a model speaks the caller's dialect: a model with a tool does the work.
STAND_INS: Mapping[str, str] = {"openai_images": "openai_responses"}
PICTURE_MODELS = ("gpt-image-*", "chatgpt-image-*", "dall-e-*")
DRAWING_MODEL = "gpt-5.2-codex"  # asked instead of a picture model, which holds no conversation
