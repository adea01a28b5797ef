"""The download of the embedded model, shown in the empty pane while a prompt waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError
from moa_tui.text import clean
from moa_tui.ui import words
from moa_tui.ui.welcome import Fetching

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.worker import Worker

    from moa_tui.ui.ports import EmbeddedModel
    from moa_tui.ui.welcome import Welcome


class Download:
    """Fetches the model once at a time; ``ended`` hears whether it is there now."""

    def __init__(
        self, model: EmbeddedModel, welcome: Welcome, ended: Callable[[bool], None]
    ) -> None:
        self._model = model
        self._welcome = welcome
        self._ended = ended
        self._worker: Worker[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is going on."""
        return self._worker is not None

    def start(self) -> None:
        """Begin it."""
        self._worker = self._welcome.run_worker(self._fetch(), group="fetch")

    def stop(self) -> None:
        """Give it up, if it is going on; nothing half is left."""
        if self._worker is not None:
            self._worker.cancel()

    async def _fetch(self) -> None:
        welcome, failure = self._welcome, ""
        welcome.show_fetching(Fetching())
        try:
            await self._model.fetch(
                lambda done, total: welcome.show_fetching(Fetching(done=done, total=total))
            )
        except ConfigError as error:
            failure = clean(str(error))
        except asyncio.CancelledError:
            failure = words.FETCH_STOPPED
            raise
        finally:
            self._worker = None
            welcome.show_fetching(Fetching(failure=failure) if failure else None)
            self._ended(not failure)
