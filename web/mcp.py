"""`/mcp`: search, ask and read for programs that speak the Model Context Protocol.

The official SDK over streamable HTTP, without sessions: each request stands alone, as each is
checked alone. A tool is a shell around what pages and API do, with the caller's own rights, limits
and records; none of them writes. A refusal is a tool's error in words, never a broken protocol.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from governance.errors import NotFound
from governance.permissions import Permission
from governance.questions import Channel
from rag.retrieve import clean_limit, clean_question
from web.api.ask import department_of, require_drafts
from web.api.shapes import Json, answer_json, passage_json
from web.asking import Asking
from web.caller import Caller, caller_of
from web.errors import BadField
from web.parts import Platform
from web.problems import problem_of
from web.reading import note_reading, note_search
from web.scoped import detail_for, version_for

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult

MAX_BODY_BYTES = 256 * 1024
MAX_TEXT_CHARS = 20_000  # of one reading; the rest by pages
NAME = "lamplight"


class SearchPolicies(BaseModel):
    """Find the passages of the policies in force that are nearest to a text."""

    model_config = ConfigDict(extra="forbid")
    query: str
    department: str | None = Field(None, description="needed where you may search several")
    k: int | None = Field(None, description="how many passages")
    as_of: AwareDatetime | None = Field(None, description="what was, or will be, in force then")


class AskPolicies(BaseModel):
    """Answer a question from the policies in force, with citations, or say that they do not."""

    model_config = ConfigDict(extra="forbid")
    question: str
    department: str | None = Field(None, description="needed where you may ask several")
    as_of: AwareDatetime | None = Field(None, description="what was, or will be, in force then")


class ReadPolicy(BaseModel):
    """Read the text of a policy, page by page; without a version, of the one in force."""

    model_config = ConfigDict(extra="forbid")
    document_id: str
    version: int | None = None
    page: int = Field(1, ge=1, description="the page to begin with; next_page says where to go on")


class PolicyTools:
    """The tools, by name; one method does what one tool promises."""

    def __init__(self, platform: Platform, asking: Asking) -> None:
        self._platform = platform
        self._asking = asking

    async def search_policies(self, caller: Caller, asked: SearchPolicies) -> Json:
        """Passages, best first."""
        settings = self._platform.rag_settings
        query, k = clean_question(asked.query, settings), clean_limit(asked.k, settings)
        department = department_of(caller, Permission.POLICIES_SEARCH, asked.department)
        require_drafts(caller, department, asked.as_of)
        asker = caller.asker(department.id)
        found = await self._platform.assistant.search(query, department.name, k, asker, asked.as_of)
        await run_in_threadpool(note_search, caller, department, found)
        return {"passages": [passage_json(passage) for passage in found]}

    async def ask_policies(self, caller: Caller, asked: AskPolicies) -> Json:
        """An answer as the platform's API gives it."""
        question = clean_question(asked.question, self._platform.rag_settings)
        department = department_of(caller, Permission.POLICIES_ASK, asked.department)
        require_drafts(caller, department, asked.as_of)
        admitted = await self._asking.admit(caller, question, department, Channel.MCP, asked.as_of)
        return answer_json(await self._asking.answer(admitted))

    async def read_policy(self, caller: Caller, asked: ReadPolicy) -> Json:
        """Pages of one version, as many as fit."""
        return await run_in_threadpool(self._read, caller, asked)

    def _read(self, caller: Caller, asked: ReadPolicy) -> Json:
        policies = self._platform.policies
        number = asked.version
        if number is None:
            in_force = detail_for(caller, policies, asked.document_id).in_force
            if in_force is None:
                raise NotFound("No version of this policy is in force.", "Search again.")
            number = in_force.version
        version = version_for(caller, policies, asked.document_id, number)
        texts = policies.page_texts(asked.document_id, number)
        if asked.page > len(texts):
            raise NotFound(f"This policy has {len(texts)} pages.", "Read one of them.")
        note_reading(caller, version, "mcp")
        shown = _fitting(texts, asked.page)
        following = asked.page + len(shown)
        return {
            "document_id": asked.document_id,
            "title": version.title,
            "policy_number": version.policy_number,
            "version": number,
            "department": version.department,
            "state": version.state.value,
            "pages": [{"page": asked.page + n, "text": text} for n, text in enumerate(shown)],
            "next_page": following if following <= len(texts) else None,
        }


class Mcp:
    """The protocol around the tools."""

    def __init__(self, platform: Platform, asking: Asking) -> None:
        tools = PolicyTools(platform, asking)
        self._tools: Mapping[str, tuple[type[BaseModel], Callable[..., Awaitable[Json]]]] = {
            "search_policies": (SearchPolicies, tools.search_policies),
            "ask_policies": (AskPolicies, tools.ask_policies),
            "read_policy": (ReadPolicy, tools.read_policy),
        }

    def routes(self) -> list[Route]:
        """Where this is."""
        return [Route("/mcp", self, methods=["POST"])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # Half a second and 55 MB, for those who use it alone.
        from mcp.server.lowlevel import Server
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        server: Server[Any] = Server(
            NAME,
            instructions="Answers come from the policies in force, with citations, or not at all.",
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
        )
        manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES
        )
        # Hosts and origins were checked before (`web/security.py`), for this address like for all.
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async def list_tools(self, _context: "ServerRequestContext", _params: Any) -> "ListToolsResult":
        """What there is."""
        from mcp_types import ListToolsResult, Tool, ToolAnnotations

        reading = ToolAnnotations(read_only_hint=True, open_world_hint=False)
        tools = [
            Tool(
                name=name,
                description=shape.__doc__,
                input_schema=shape.model_json_schema(),
                annotations=reading,
            )
            for name, (shape, _) in self._tools.items()
        ]
        return ListToolsResult(tools=tools)

    async def call_tool(
        self, context: "ServerRequestContext", params: "CallToolRequestParams"
    ) -> "CallToolResult":
        """Do it for whoever sent this very request."""
        from mcp_types import CallToolResult, TextContent

        try:
            found = await self._call(context.request, params.name, params.arguments or {})
        except Exception as error:
            problem = problem_of(error)
            if problem.type == "internal":
                raise
            text = f"{problem.message} {problem.hint}".strip()
            return CallToolResult(content=[TextContent(text=text)], is_error=True)
        text = json.dumps(found, ensure_ascii=False)
        return CallToolResult(content=[TextContent(text=text)], structured_content=found)

    async def _call(self, request: Request | None, name: str, arguments: Json) -> Json:
        if request is None or name not in self._tools:
            raise BadField(f"There is no tool {name}.", f"There are {', '.join(self._tools)}.")
        shape, tool = self._tools[name]
        try:
            asked = shape.model_validate(arguments)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise BadField(f"{place}: {first['msg']}.", "See the tool's input schema.") from error
        return await tool(caller_of(request), asked)


def _fitting(texts: tuple[str, ...], page: int) -> tuple[str, ...]:
    """The pages from this one on that fit; one page at least, cut where it alone is too long."""
    fitting = [texts[page - 1][:MAX_TEXT_CHARS]]
    left = MAX_TEXT_CHARS - len(fitting[0])
    for text in texts[page:]:
        if len(text) > left:
            break
        fitting.append(text)
        left -= len(text)
    return tuple(fitting)
