"""Sign-in at the organisation's identity provider, and its word that somebody signed out.

The provider's tokens never reach the browser and are not kept: what remains is a session of ours.
"""

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from governance.clock import Clock, utc_now
from governance.errors import FlowRefused, SignInRefused
from governance.events import Action
from governance.oidc_flows import FLOW_KEPT, Flow, OidcFlows
from governance.provider_sign_in import LetIn, ProviderSignIn
from web.config import WebSettings
from web.errors import IdentityRefused, ProviderUnreachable
from web.group_roles import grants_of, parse_group_roles
from web.id_token import (
    ID_TOKEN_TYPES,
    LOGOUT_TOKEN_TYPES,
    Expected,
    Identity,
    check_id_token,
    check_logout_token,
)
from web.identity_provider import IdentityProvider
from web.next_page import local_page
from web.pages import Pages
from web.parts import Platform
from web.security import nonce_of
from web.session_cookie import is_safe, session_token, set_session_cookie

START = "/sign-in/oidc"
CALLBACK = "/sign-in/oidc/callback"
LOGOUT = "/sign-in/oidc/logout"
# The browser's half of a sign-in under way. `__Host-`: no other host can set it.
SAFE_COOKIE, PLAIN_COOKIE = "__Host-lamplight_oidc", "lamplight_oidc"
MAX_LOGOUT_FIELDS = 8
ADMINISTRATORS_NAMED = 3


class OidcPages:
    """`/sign-in/oidc` and what the identity provider calls."""

    def __init__(
        self,
        settings: WebSettings,
        pages: Pages,
        flows: OidcFlows,
        sign_in: ProviderSignIn,
        department_ids: Callable[[], Mapping[str, str]],
        clock: Clock = utc_now,
        provider: IdentityProvider | None = None,
    ) -> None:
        """Raises BadProviderSettings, BadGroupRoles. department_ids: by name, as they are now."""
        self._settings = settings
        self._pages = pages
        self._flows = flows
        self._sign_in = sign_in
        self._department_ids = department_ids
        self._clock = clock
        self._provider = provider or IdentityProvider(settings)
        self._rules = parse_group_roles(settings.oidc_group_roles)

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route(START, self.start, methods=["GET"]),
            Route(CALLBACK, self.callback, methods=["GET"]),
            Route(LOGOUT, self.logout, methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider. Raises ProviderUnreachable."""
        page = local_page(request.query_params.get("next", "/"))
        now, token = self._clock(), session_token(request)
        locked = await run_in_threadpool(self._sign_in.locked_session, token, now)
        flow = self._flows.start(page, locked, now)
        address = await self._provider.sign_in_address(
            flow.state, flow.nonce, flow.verifier, self._redirect_uri(request)
        )
        response = RedirectResponse(address, 303)
        # Lax: the way back from the provider is a navigation that another site began.
        response.set_cookie(
            _flow_cookie(request),
            flow.cookie,
            max_age=int(FLOW_KEPT.total_seconds()),
            secure=is_safe(request),
            httponly=True,
            samesite="lax",
        )
        return response

    async def callback(self, request: Request) -> Response:
        """Take the provider's answer and open a session.

        Raises FlowRefused, IdentityRefused, ProviderUnreachable, SignInRefused.
        """
        try:
            flow = self._flow(request)
            identity = await self._identity(request, flow)
        except (FlowRefused, IdentityRefused, ProviderUnreachable) as error:
            await self._note(error.reason)
            raise
        try:
            let_in = await run_in_threadpool(self._let_in, identity, flow, request)
        except (FlowRefused, SignInRefused) as error:
            reason = error.reason if isinstance(error, FlowRefused) else error.message
            await self._note(reason, subject=identity.subject)
            raise
        response = await self._welcome(request, let_in, flow.next_path)
        response.delete_cookie(
            _flow_cookie(request), secure=is_safe(request), httponly=True, samesite="lax"
        )
        set_session_cookie(response, request, let_in.token)
        return response

    async def logout(self, request: Request) -> Response:
        """End the sessions of whom the provider signed out (back-channel logout)."""
        issuer = self._provider.issuer
        try:
            async with request.form(max_files=0, max_fields=MAX_LOGOUT_FIELDS) as form:
                token = form.get("logout_token")
            if not isinstance(token, str):
                raise IdentityRefused("There is no logout token.")
            claims = await self._provider.claims(token, LOGOUT_TOKEN_TYPES)
            subject = check_logout_token(claims, issuer, self._provider.client_id, self._clock())
        except IdentityRefused as error:
            await self._note(f"Sign-out: {error.reason}", Action.ACCESS_DENIED)
            answer = {"error": "invalid_request", "error_description": error.reason}
            return JSONResponse(answer, 400)
        await run_in_threadpool(self._sign_in.let_go, issuer, subject)
        return Response(status_code=200)

    async def _note(
        self, reason: str, action: Action = Action.SESSION_REFUSED, subject: str | None = None
    ) -> None:
        issuer, now = self._provider.issuer, self._clock()
        await run_in_threadpool(self._flows.refused, issuer, reason, now, action, subject)

    def _flow(self, request: Request) -> Flow:
        names = [name for name, _ in request.query_params.multi_items()]
        if len(names) != len(set(names)):
            raise IdentityRefused("The answer says something twice.")
        state = request.query_params.get("state", "")
        cookie = request.cookies.get(_flow_cookie(request), "")
        return self._flows.take_up(state, cookie, self._clock())

    async def _identity(self, request: Request, flow: Flow) -> Identity:
        code = await self._provider.check_answer(request.query_params)
        token = await self._provider.id_token(code, flow.verifier, self._redirect_uri(request))
        claims = await self._provider.claims(token, ID_TOKEN_TYPES)
        settings = self._settings
        expected = Expected(
            self._provider.issuer,
            self._provider.client_id,
            flow.nonce,
            flow.begun_at,
            tuple(filter(None, settings.oidc_required_acr)),
            tuple(filter(None, settings.oidc_required_amr)),
            settings.oidc_groups_claim,
        )
        return check_id_token(claims, expected, self._clock())

    def _let_in(self, identity: Identity, flow: Flow, request: Request) -> LetIn:
        issuer, subject, now = identity.issuer, identity.subject, self._clock()
        self._flows.finish(flow, issuer, subject, identity.signed_in_at, now)
        return self._sign_in.let_in(
            issuer,
            subject,
            identity.name,
            grants_of(identity.groups, self._rules, self._department_ids()),
            request.headers.get("user-agent", ""),
            now,
            session_token(request),
            flow.locked_session,
        )

    async def _welcome(self, request: Request, let_in: LetIn, next_path: str) -> Response:
        now = self._clock()
        ends = [held.expires_at for held in let_in.person.grants]
        if any(end is None or end > now for end in ends):
            return RedirectResponse(next_path, 303)
        names = await run_in_threadpool(self._sign_in.administrators)
        return self._pages.page(
            "sign_in/no_role.html",
            nonce=nonce_of(request.scope),
            person=let_in.person,
            administrators=names[:ADMINISTRATORS_NAMED],
        )

    def _redirect_uri(self, request: Request) -> str:
        if self._settings.oidc_redirect_uri is not None:
            return self._settings.oidc_redirect_uri
        # The guard has checked that this host is one of our names.
        return f"{request.url.scheme}://{request.headers['host']}{CALLBACK}"


def oidc_routes(platform: Platform, pages: Pages) -> list[Route]:
    """The routes of sign-in at an identity provider; none where none is set.

    Raises BadProviderSettings, BadGroupRoles.
    """
    parts, policies = platform.oidc, platform.policies
    if parts is None:
        return []

    def department_ids() -> dict[str, str]:
        return {one.name: one.id for one in policies.departments()}

    return OidcPages(
        platform.settings, pages, parts.flows, parts.sign_in, department_ids, platform.clock
    ).routes()


def _flow_cookie(request: Request) -> str:
    return SAFE_COOKIE if is_safe(request) else PLAIN_COOKIE
