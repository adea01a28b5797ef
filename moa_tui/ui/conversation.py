"""The screen: prompts go to runs, events come back, and each part is told what it shows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, assert_never

from textual import on, work
from textual.screen import Screen

from moa_tui.errors import CommandError, ConfigError
from moa_tui.text import clean
from moa_tui.ui import keys, told, words
from moa_tui.ui.composer import Composer, Draft, Prompt
from moa_tui.ui.footer import Footer
from moa_tui.ui.header import Header
from moa_tui.ui.mixing import Mixing
from moa_tui.ui.stage import Stage, TooSmall
from moa_tui.ui.turns import Turns, refused
from moa_tui.ui.welcome import Fetching, Welcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.worker import Worker

    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.run import Run
    from moa_tui.engine.state import RunState
    from moa_tui.ui.ports import Ports, Start

_TICK_S = 0.25
_TWICE_S = 2.0


class ConversationScreen(Screen[None]):
    """One conversation: the composer, the run that is live, and what was said before."""

    AUTO_FOCUS = "Draft"
    BINDINGS: ClassVar[list[BindingType]] = list(keys.COMMANDS)

    def __init__(self, ports: Ports, start: Start) -> None:
        super().__init__()
        self._ports = ports
        self._start = start
        self._turns = Turns()
        self._run: Run | None = None
        self._state: RunState | None = None
        self._is_asking = False
        self._fetching: Worker[None] | None = None
        self._interrupted_at: float | None = None
        self._is_waiting = False
        self._is_free: bool | None = None
        self._problem: told.Problem | None = None
        self._stage = Stage(told.greeting(ports, start, start.mixture))
        self._mixing = Mixing(ports, start, self._stage)
        self._header = Header(self._facts())
        self._too_small = TooSmall()

    def compose(self) -> ComposeResult:
        """Header, sidebar and stage, footer."""
        yield self._header
        yield self._mixing
        yield Footer()
        yield self._too_small

    def on_mount(self) -> None:
        """Say what enter will do."""
        self._tell()
        if self._start.is_demo:
            self.call_after_refresh(self._ask_text, words.EXAMPLES[0])

    # Prompts.

    @on(Composer.Submitted)
    def _submit(self, event: Composer.Submitted) -> None:
        prompt = event.prompt
        if prompt.text in ("exit", "quit"):
            self.app.exit()
        elif prompt.text:
            self.ask(prompt)
        elif self._turns.queue and not self._is_busy:
            self._go_on()
        else:
            self._stage.composer.refuse(words.EMPTY_REFUSED)

    @on(Draft.Recalled)
    def _recall(self) -> None:
        if (prompt := self._turns.recall()) is not None:
            self._stage.composer.draft.put(prompt)
        self._tell()

    @on(Welcome.Chosen)
    def _ask_example(self, event: Welcome.Chosen) -> None:
        self._ask_text(event.text)

    def _ask_text(self, text: str) -> None:
        self.ask(Prompt(text, text))

    def ask(self, prompt: Prompt) -> None:
        """Send a prompt, or queue it behind the run or the download that is live."""
        if self._is_busy:
            self._turns.wait(prompt)
        elif self._mixing.is_undecided:
            self._is_waiting = True
            self._turns.wait(prompt)
        elif told.needs_fetch(self._ports, self._mixing.mixture):
            self._fetching = self._fetch(prompt)
        else:
            self._is_asking = True
            self._mixing.use()
            self._answer(prompt, self._mixing.mixture)
        self._tell()

    def _go_on(self) -> None:
        prompt = self._turns.next()
        if prompt is not None:
            self.ask(prompt)

    @property
    def _is_busy(self) -> bool:
        return self._is_asking or self._fetching is not None

    @on(Mixing.Changed)
    def _take_mixture(self) -> None:
        """Tell what the mixture is now; a prompt that waited for it is asked."""
        mixture, states = self._mixing.mixture, self._mixing.states
        self._problem = told.problem(
            self._ports,
            mixture,
            states,
            is_preset=self._mixing.is_preset,
            coming=self._mixing.pulled_now,
        )
        greeting = told.greeting(self._ports, self._start, mixture, states, problem=self._problem)
        broken = (*greeting.notices, *map(clean, self._mixing.broken))
        self._stage.welcome.show(replace(greeting, notices=broken))
        if self._is_waiting and not self._mixing.is_undecided:
            self._is_waiting = False
            if not self._is_busy:
                self._go_on()
        self._tell()

    # The run.

    @work(group="run")
    async def _answer(self, prompt: Prompt, mixture: Mixture) -> None:
        # The engine costs 25 ms to import, which the first paint shouldn't wait for.
        from moa_tui.engine.run import open_run  # noqa: PLC0415 - see above
        from moa_tui.engine.state import RunState, apply  # noqa: PLC0415 - see above

        self._state = RunState(status="running")
        conversation = self._turns.begin(prompt)
        await self._stage.begin(prompt, mixture)
        providers = self._ports.providers
        ticking: Worker[None] | None = None
        try:
            async with open_run(
                mixture, conversation, providers, clock=self._ports.clock
            ) as self._run:
                self._is_free = told.is_free(providers, mixture)
                ticking = self._tick()
                async for event in self._run:
                    self._state = apply(self._state, event)
                    self._show(self._state, event)
        except ConfigError as error:
            self._finish(refused(self._state, str(error)))
        except Exception as error:  # noqa: BLE001 - a worker's edge: shown, and the conversation stays
            why = f"{words.BUG}: {type(error).__name__}: {error}"
            self._finish(refused(self._state, why))
        finally:
            self._run = None
            self._is_asking = False
            if ticking is not None:
                ticking.cancel()
        if self._state.status == "done":
            self._go_on()
        self._tell()

    def _show(self, state: RunState, event: Event) -> None:
        """Tell the parts whom an event concerns."""
        from moa_tui.engine import events  # noqa: PLC0415 - loaded long ago, by the run

        match event:
            case events.TextDelta() | events.ThinkingDelta():
                self._stage.stream(state, event.seat, t=event.t)
                return
            case events.RunFinished():
                self._turns.answered(event.answer)
                self._finish(state)
            case events.RunFailed():
                self._finish(state)
            case events.SeatNote():
                # How long a model loaded stood on its tile while it did.
                if event.kind != "loaded":
                    self.notify(clean(event.message), markup=False)
            case (
                events.RunStarted()
                | events.LayerStarted()
                | events.LayerFinished()
                | events.MergeForced()
                | events.SeatStarted()
                | events.SeatPhase()
                | events.SeatRetrying()
                | events.SeatSwapped()
                | events.SeatFinished()
                | events.SeatFailed()
                | events.TextRelabelled()
            ):
                pass
            case _:
                assert_never(event)
        self._stage.show(state, t=event.t)
        self._tell()

    def _finish(self, state: RunState) -> None:
        """Close the turn; a prompt that failed goes back to an empty composer."""
        draft = self._stage.composer.draft
        self._state = state
        self._stage.finish(state)
        self._stage.show(state, t=state.t)
        if state.status == "done":
            return
        self._turns.fail(state.status)
        if state.status == "failed" and self._turns.last is not None and not draft.text:
            draft.put(self._turns.last)

    @work(group="tick")
    async def _tick(self) -> None:
        """Show how much time has passed, four times a second while a run is live."""
        while self._run is not None:
            if self._state is not None:
                self._stage.show(self._state, t=self._run.t)
                self._header.show(self._facts())
            await self._ports.clock.sleep(_TICK_S)

    # The download.

    @work(group="fetch")
    async def _fetch(self, prompt: Prompt) -> None:
        welcome, failure = self._stage.welcome, ""
        welcome.show_fetching(Fetching())
        try:
            await self._ports.embedded.fetch(
                lambda done, total: welcome.show_fetching(Fetching(done=done, total=total))
            )
        except ConfigError as error:
            failure = clean(str(error))
        except asyncio.CancelledError:
            failure = words.FETCH_STOPPED
            raise
        finally:
            self._fetching = None
            welcome.show_fetching(Fetching(failure=failure) if failure else None)
            self._fetched(prompt, is_there=not failure)

    def _fetched(self, prompt: Prompt, *, is_there: bool) -> None:
        draft = self._stage.composer.draft
        if is_there:
            self._mixing.learn()
            self.ask(prompt)
        elif draft.text:
            self._turns.wait(prompt)
        else:
            draft.put(prompt)
        self._tell()

    # What the chrome says.

    @on(Composer.Grown)
    def _tell(self) -> None:
        """Tell everybody what holds now, and deal the rows out anew."""
        self._header.show(self._facts())
        room = self._stage.fit(self._turns, sidebar=self._mixing.has_sidebar_beside)
        self._too_small.cover(is_needed=room is None)
        self._mixing.fit()
        notice = told.notice(
            self._ports,
            self._mixing.mixture,
            is_live=self._is_asking,
            is_fetching=self._fetching is not None,
            problem=self._problem,
            has_queue=bool(self._turns.queue),
            is_free=told.is_free_by_name(self._ports, self._mixing.mixture),
        )
        composer = self._stage.composer
        composer.draft.has_queue = bool(self._turns.queue)
        composer.tell(notice, is_busy=self._is_busy)
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Deal the rows out anew."""
        self._tell()

    def _facts(self) -> told.Facts:
        mixture, run = self._mixing.mixture, self._state
        ran = run.mixture if run is not None else None
        if self._run is not None:
            mixture = ran or mixture
        elif ran is not None and ran != mixture.expanded():
            # What was figured for one mixture must not stand beside the name of another.
            run = None
        is_free = self._is_free
        if run is None:
            is_free = told.is_free_by_name(self._ports, mixture)
        return told.Facts(
            title=self._turns.title,
            mixture=mixture,
            run=run,
            t=0.0 if run is None else run.t if self._run is None else self._run.t,
            cost=told.cost(run, is_free=is_free),
            is_demo=self._start.is_demo,
        )

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        now = keys.Now(
            place=self._stage.place,
            state=self._state,
            seat=self._stage.focused_seat,
            is_live=self._run is not None and self._is_running,
            is_fetching=self._fetching is not None,
            was_asked=self._turns.last is not None,
        )
        known = keys.works(action, parameters, now)
        return super().check_action(action, parameters) if known is None else known

    @property
    def _is_running(self) -> bool:
        return self._state is not None and self._state.status == "running"

    def _command(self, command: Callable[[Run], object]) -> None:
        """Give the live run a command; a refusal is said in its words."""
        if self._run is None:
            return
        try:
            command(self._run)
        except CommandError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)

    def action_stop(self) -> None:
        """Stop the run."""
        self._command(lambda run: run.stop())

    def action_stop_seat(self) -> None:
        """Stop the seat in focus."""
        if (seat := self._stage.focused_seat) is not None:
            self._command(lambda run: run.stop(seat.seat))

    def action_retry_seat(self) -> None:
        """Start the seat in focus over."""
        if (seat := self._stage.focused_seat) is not None:
            self._command(lambda run: run.retry(seat.seat))

    def action_stop_fetch(self) -> None:
        """Stop the download."""
        if self._fetching is not None:
            self._fetching.cancel()

    def action_merge_now(self, key: str = "") -> None:
        """Merge what is ready."""
        del key
        self._command(lambda run: run.merge_now())

    def action_refuse_merge(self) -> None:
        """Say why nothing can be merged."""
        self.action_merge_now()

    def action_again(self) -> None:
        """Run the last prompt anew."""
        if (prompt := self._turns.again()) is not None:
            self.ask(prompt)

    def action_interrupt(self) -> None:
        """Copy a selection; else stop; else clear the composer; else, pressed twice, quit."""
        draft = self._stage.composer.draft
        if selected := self.get_selected_text() or draft.selected_text:
            self.app.copy_to_clipboard(selected)
        elif self._run is not None:
            self.action_stop()
        elif self._fetching is not None:
            self.action_stop_fetch()
        elif draft.text:
            draft.empty()
        else:
            self._quit_when_pressed_twice()

    def _quit_when_pressed_twice(self) -> None:
        now, before = self._ports.clock.now(), self._interrupted_at
        if before is not None and now - before < _TWICE_S:
            self.app.exit()
            return
        self._interrupted_at = now
        self._stage.composer.refuse(words.PRESS_AGAIN)
        self._withdraw_later()

    @work(group="withdraw", exclusive=True)
    async def _withdraw_later(self) -> None:
        await self._ports.clock.sleep(_TWICE_S)
        self._stage.composer.withdraw(words.PRESS_AGAIN)
