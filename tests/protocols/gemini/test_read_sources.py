"""What a Gemini upstream says beside its text: media, code, sources, probabilities."""

from proxx.protocols.hub.parts import Hosted, Image, Text
from proxx.protocols.hub.reply import fold
from tests.protocols.gemini.saying import chunk, events_of, sse
from tests.upstreams.posting import PNG


def folded(*objects):
    return fold(events_of(sse(*objects)))


def test_pictures_and_code_come_whole():
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    code = {"executableCode": {"language": "PYTHON", "code": "1+1"}}
    parts = folded(chunk({"text": "see"}, picture, code, {"text": "end"}, finish="STOP")).choices[0].parts
    assert parts == (
        Text("see"),
        Image(data=PNG, media_type="image/png"),
        Hosted("code", "code_2", "1+1", raw=(code,), dialect="gemini"),
        Text("end"),
    )


def test_sources_are_cited_by_characters_and_the_search_is_told():
    """D169."""
    grounding = {
        "webSearchQueries": ["q"],
        "groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}],
        "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 5}, "groundingChunkIndices": [0, 9]}],
    }
    end = chunk({"text": "b"}, finish="STOP", groundingMetadata=grounding, usage={"promptTokenCount": 1})
    reply = folded(chunk({"text": "ü a"}), end)
    text, search = reply.choices[0].parts
    (citation,) = text.citations
    assert (citation.url, citation.title, citation.start, citation.end) == ("https://x", "X", 2, 4)
    assert (search.kind, search.query, search.hits[0].url) == ("web_search", "q", "https://x")
    assert reply.usage.web_searches == 1


def test_probabilities_are_told_as_openai_writes_them():
    chosen = [{"token": "a", "logProbability": -0.5}]
    result = {
        "chosenCandidates": chosen,
        "topCandidates": [{"candidates": [*chosen, {"token": "b", "logProbability": -1}]}],
    }
    (text,) = folded(chunk({"text": "a"}, finish="STOP", logprobsResult=result)).choices[0].parts
    assert text.logprobs[0]["token"] == "a"
    assert [one["logprob"] for one in text.logprobs[0]["top_logprobs"]] == [-0.5, -1]


def test_pages_that_were_fetched_are_told():
    urls = {"urlMetadata": [{"retrievedUrl": "https://x", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]}
    _, fetch = folded(chunk({"text": "a"}, finish="STOP", urlContextMetadata=urls)).choices[0].parts
    assert (fetch.kind, [hit.url for hit in fetch.hits]) == ("web_fetch", ["https://x"])


def test_recited_words_name_their_source():
    recited = {"citationSources": [{"startIndex": 1, "endIndex": 2, "uri": "https://x"}, {"license": "mit"}]}
    (text,) = folded(chunk({"text": "abc"}, finish="STOP", citationMetadata=recited)).choices[0].parts
    assert [(one.url, one.start, one.end) for one in text.citations] == [("https://x", 1, 2)]


def test_sources_of_a_form_that_nobody_knows_are_none():
    support = {"segment": {"endIndex": 1}, "groundingChunkIndices": 7}
    grounding = {"webSearchQueries": 2**70, "groundingChunks": [{"web": "x"}], "groundingSupports": [support]}
    reply = folded(chunk({"text": "a"}, finish="STOP", groundingMetadata=grounding))
    assert reply.choices[0].parts == (Text("a"),)
