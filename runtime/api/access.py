"""What each route of the runtime asks of its visitor; a route that is absent here is refused."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from governance.permissions import Permission


class Public(Enum):
    """The mark of a route that answers everybody."""

    PUBLIC = "public"


PUBLIC: Final = Public.PUBLIC
Access = Permission | Public

ROUTES: Mapping[tuple[str, str], Access] = {
    # Clients probe with these before they say who they are; neither tells of models or people.
    ("GET", "/"): PUBLIC,
    ("HEAD", "/"): PUBLIC,
    ("GET", "/api/version"): PUBLIC,
    ("HEAD", "/api/version"): PUBLIC,
    ("GET", "/api/status"): Permission.MODELS_USE,
    ("POST", "/api/me"): Permission.MODELS_USE,
    ("POST", "/api/signout"): Permission.MODELS_USE,
    ("DELETE", "/api/user/keys/{key}"): Permission.MODELS_USE,
    ("POST", "/api/experimental/web_search"): Permission.MODELS_USE,
    ("POST", "/api/experimental/web_fetch"): Permission.MODELS_USE,
    ("GET", "/api/experimental/model-recommendations"): Permission.MODELS_USE,
    ("GET", "/openapi.json"): Permission.MODELS_USE,
    ("GET", "/api/tags"): Permission.MODELS_USE,
    ("HEAD", "/api/tags"): Permission.MODELS_USE,
    ("GET", "/api/ps"): Permission.MODELS_USE,
    ("POST", "/api/show"): Permission.MODELS_USE,
    ("GET", "/api/upstreams"): Permission.MODELS_USE,
    ("POST", "/api/generate"): Permission.MODELS_USE,
    ("POST", "/api/chat"): Permission.MODELS_USE,
    ("POST", "/api/embed"): Permission.MODELS_USE,
    ("POST", "/api/embeddings"): Permission.MODELS_USE,
    ("POST", "/api/tokenize"): Permission.MODELS_USE,
    ("POST", "/api/detokenize"): Permission.MODELS_USE,
    ("GET", "/v1/models"): Permission.MODELS_USE,
    ("GET", "/v1/models/{model:path}"): Permission.MODELS_USE,
    ("POST", "/v1/chat/completions"): Permission.MODELS_USE,
    ("POST", "/v1/completions"): Permission.MODELS_USE,
    ("POST", "/v1/responses"): Permission.MODELS_USE,
    ("POST", "/v1/messages"): Permission.MODELS_USE,
    ("POST", "/v1/embeddings"): Permission.MODELS_USE,
    ("POST", "/v1/rerank"): Permission.MODELS_USE,
    ("POST", "/v1/audio/transcriptions"): Permission.MODELS_USE,
    ("POST", "/api/pull"): Permission.MODELS_MANAGE,
    ("POST", "/api/push"): Permission.MODELS_MANAGE,
    ("POST", "/api/create"): Permission.MODELS_MANAGE,
    ("POST", "/api/copy"): Permission.MODELS_MANAGE,
    ("HEAD", "/api/blobs/{digest}"): Permission.MODELS_MANAGE,
    ("POST", "/api/blobs/{digest}"): Permission.MODELS_MANAGE,
    ("DELETE", "/api/delete"): Permission.MODELS_MANAGE,
}
