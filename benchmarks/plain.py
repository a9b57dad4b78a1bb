"""The plain assembly that ours is compared with: Haystack's parts, as a first weekend joins them.

PyPDF, python-docx and stripped HTML, 200 words a passage with 20 of overlap, BM25, five passages in
a plain prompt at temperature 0.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docx
import pypdf
from selectolax.lexbor import LexborHTMLParser

from rag.evaluate import Found, Given, Item  # before Haystack: it keeps it from reporting
from rag.questions import Question

# isort: split
from haystack import Document
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils import Secret

WORDS, OVERLAP, TOP = 200, 20, 10
READ = 5  # passages in the prompt
PROMPT = """Answer the question using only the context. If the context does not contain the
answer, say "I don't know". Cite the passages you use as [1], [2].

{context}

Question: {question}
Answer:"""
GAVE_UP = ("i don't know", "i do not know", "does not contain", "not mentioned", "no information")


@dataclass
class PlainAssembly:
    """Loads folders and answers questions from them, through a server of OpenAI's shape."""

    retriever: InMemoryBM25Retriever
    model: OpenAIChatGenerator

    @classmethod
    def over(cls, folders: list[Path], chat_url: str, chat_model: str) -> "PlainAssembly":
        """Read every file that can be read."""
        store = InMemoryDocumentStore(
            bm25_algorithm="BM25Okapi", bm25_parameters={"k1": 1.2, "b": 0.75}
        )
        splitter = DocumentSplitter(split_by="word", split_length=WORDS, split_overlap=OVERLAP)
        texts = [one for folder in folders for one in _documents(folder)]
        store.write_documents(splitter.run(documents=texts)["documents"])
        model = OpenAIChatGenerator(
            api_key=Secret.from_token("none"),
            model=chat_model,
            api_base_url=chat_url,
            generation_kwargs={"temperature": 0, "max_tokens": 192},
            http_client_kwargs={"trust_env": False},
            timeout=600,
        )
        return cls(InMemoryBM25Retriever(store, top_k=TOP), model)

    def ask(self, question: Question) -> Item:
        """One question, with what came back for it."""
        began = time.perf_counter()
        found = self.retriever.run(query=question.question)["documents"]
        search_ms = 1000 * (time.perf_counter() - began)
        context = "\n\n".join(f"[{n}] {one.content}" for n, one in enumerate(found[:READ], 1))
        message = ChatMessage.from_user(PROMPT.format(context=context, question=question.question))
        text = self.model.run(messages=[message])["replies"][0].text or ""
        status = "not_found" if any(words in text.lower() for words in GAVE_UP) else "answered"
        passages = tuple(Found(str(one.meta["doc"]), one.content or "") for one in found)
        cited = tuple(passages[n - 1] for n in range(1, READ + 1) if f"[{n}]" in text)
        timings = {"search": search_ms, "total": 1000 * (time.perf_counter() - began)}
        return Item(question, passages, Given(status, text, cited), timings)


def _documents(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.iterdir()):
        text = _text(path)
        if text.strip():
            yield Document(content=text, meta={"doc": path.name})


def _text(path: Path) -> str:
    match path.suffix.lower():
        case ".pdf":
            return "\n".join(page.extract_text() or "" for page in pypdf.PdfReader(path).pages)
        case ".docx":
            return "\n".join(one.text for one in docx.Document(str(path)).paragraphs)
        case ".html":
            return LexborHTMLParser(path.read_bytes()).body.text(separator=" ")
        case ".md" | ".txt":
            return path.read_text(errors="replace")
        case _:
            return ""
