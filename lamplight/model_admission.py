"""Asks whether the embedding model may see what is loaded or searched, before it is called."""

from governance.clock import Clock, utc_now
from governance.errors import ModelNotApproved
from governance.events import Actor
from governance.model_guard import AskedBy
from rag.asker import Asker
from rag.config import RagSettings
from rag.embed import Admit
from rag.errors import ModelRefused
from web.model_parts import ModelParts


def embedding_admission(models: ModelParts, settings: RagSettings, clock: Clock = utc_now) -> Admit:
    """What the embedder asks; where it may not, search goes on by words alone."""
    name = settings.embed_model

    def admit(asker: Asker) -> None:
        found = models.known.find(name, embeds=True)
        if found is None:
            return  # our own runtime does not have it, and says so
        actor = Actor("lamplight", "platform", "runtime", asker.person)
        for_all = asker.department is None
        by = AskedBy(actor, asker.department, "platform", asker.request, for_all)
        try:
            models.guard.require(found, by, clock())
        except ModelNotApproved as error:
            raise ModelRefused(name, error.message, error.hint) from error

    return admit
