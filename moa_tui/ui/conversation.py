"""The screen: prompts go to runs, events come back, and each part is told what it shows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import on, work
from textual.screen import Screen

from moa_tui.text import clean
from moa_tui.ui import told, words
from moa_tui.ui.composer.composer import Composer, Draft, Prompt
from moa_tui.ui.compositor import SteadyCompositor
from moa_tui.ui.desk import Desk
from moa_tui.ui.download import Download
from moa_tui.ui.header import Header
from moa_tui.ui.judging import Judging
from moa_tui.ui.keymap import binding_chain, keymap_of
from moa_tui.ui.keys import Names
from moa_tui.ui.live import LiveRun
from moa_tui.ui.mixing import Mixing
from moa_tui.ui.recording import Opened, Recording
from moa_tui.ui.replaying import Replaying
from moa_tui.ui.scene import Scene
from moa_tui.ui.spending import Spending, pricing
from moa_tui.ui.stage import Stage, TooSmall
from moa_tui.ui.steering import Steering
from moa_tui.ui.versions import Versions
from moa_tui.ui.welcome import Welcome
from moa_tui.ui.windows import Windows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingsMap
    from textual.dom import DOMNode

    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.run import Given
    from moa_tui.engine.state import RunState
    from moa_tui.ui.ports import Ports, Start

_TICK_S = 0.25

AROUND_STAGE: Final = (Mixing, Desk, Steering, Judging, Versions, Replaying)
"""What holds the stage, nearest first: the keys of all of them count wherever the focus is."""


class ConversationScreen(Screen[None]):
    """One conversation: the composer, the run that is live, and what was said before."""

    AUTO_FOCUS = "Draft"

    def __init__(self, ports: Ports, start: Start, *, opened: Opened | None = None) -> None:
        super().__init__()
        self._compositor = SteadyCompositor()
        self._ports = ports
        self._start = start
        self._opened = opened or Opened()
        self._turns = self._opened.turns
        self._recording = Recording(ports.store, self._opened, clock=ports.clock)
        self._recording.is_waiting = opened is None and start.session != ""
        self._live = LiveRun(ports, self._hear, self._show)
        self._taking: Seat | None = None
        self._is_asking = False
        self._waits_for_model: Prompt | Versions.WantsRun | None = None
        self._is_waiting = False
        self._problem: told.Problem | None = None
        names = Names(lambda: keymap_of(self.app))
        self._stage = Stage(
            told.greeting(ports, start, start.mixture),
            names,
            can_swap=Mixing.can_choose_with(ports, start),
        )
        self._download = Download(ports.embedded, self._stage.welcome, self._fetched)
        self._mixing = Mixing(ports, start, self._stage)
        facts = told.Facts(title=self._turns.title, mixture=start.mixture, run=None)
        self._header = Header(facts)
        self._too_small = TooSmall()
        desk = self._desk = Desk(self._header, self._mixing, self._stage, ports=ports)
        self._windows = Windows(self._turns)
        self._spending = Spending(ports, self._turns)
        scene = Scene(self._turns, self._recording, self._live, self._stage, self._mixing)
        self._steering = Steering(desk, scene, download=self._download)
        self._judging = Judging(self._steering, scene, chance=ports.chance)
        self._versions = Versions(self._judging, scene)
        self._replaying = Replaying(self._versions, scene, clock=ports.clock)

    def compose(self) -> ComposeResult:
        """The desk, and what covers it where the screen is too small."""
        yield self._replaying
        yield self._too_small

    def on_mount(self) -> None:
        """Say what enter will do."""
        self._stage.composer.equip(
            commands=self._desk.commands, files=self._ports.files, editor=self._ports.editor
        )
        self._stage.composer.draft.remember(self._opened.prompts)
        if self._opened.draft:
            self._stage.composer.draft.put(Prompt(self._opened.draft, self._opened.draft))
        self._tell()
        if self._start.is_demo:
            self.call_after_refresh(self.ask, Prompt(words.EXAMPLES[0], words.EXAMPLES[0]))
        if len(self._turns):
            self._open_stored()

    @work(group="opening")
    async def _open_stored(self) -> None:
        """Show what was stored, and replay it if that is wanted."""
        await self._versions.show_stored().wait()
        self._tell()
        if self._opened.is_replay:
            self._replaying.action_replay()

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        return binding_chain(self)

    # Prompts.

    @on(Composer.Submitted)
    def _submit(self, event: Composer.Submitted) -> None:
        prompt = event.prompt
        if prompt.text in ("exit", "quit"):
            self.leave()
        elif prompt.text:
            edited, self._versions.edited = self._versions.edited, None
            self.ask(prompt, edited=edited)
        elif self._turns.queue and not self._is_busy and self._versions.edited is None:
            self._go_on(is_next=False)
        else:
            self._stage.composer.refuse(words.EMPTY_REFUSED)

    @on(Draft.Recalled)
    def _recall(self, event: Draft.Recalled) -> None:
        draft = self._stage.composer.draft
        if draft.text.strip():
            self._stage.composer.refuse(words.WRITTEN_FIRST)
        elif (prompt := self._turns.recall(event.index)) is not None:
            draft.put(prompt)
            draft.focus()
        self._tell()

    @on(Welcome.Chosen)
    def _ask_example(self, event: Welcome.Chosen) -> None:
        self.ask(Prompt(event.text, event.text))

    def ask(self, prompt: Prompt, *, edited: int | None = None, is_next: bool = False) -> None:
        """Send a prompt, or queue it behind the run or the download that is live.

        ``edited`` is the number of the turn in whose place it is asked; ``is_next``: it waited in
        the queue, and nobody asks for it now.
        """
        self._replaying.action_end_replay()
        if self._is_busy:
            self._turns.wait(prompt)
        elif self._mixing.is_undecided:
            self._is_waiting = True
            self._turns.wait(prompt)
        elif told.needs_fetch(self._ports, self._mixing.mixture):
            self._waits_for_model = prompt
            self._download.start()
        elif why := self._spending.question(self._mixing.mixture, prompt.text):
            if self._spending.keep(prompt, self._stage.composer.draft, is_next=is_next):
                self._versions.edited = edited
                send = partial(self._send_kept, prompt, edited)
                self._desk.ask_to_spend(why, self._spending.allow, send)
        else:
            self._open_turn(prompt, edited)
            self._mixing.use(is_recorded=self._recording.is_kept)
            self._run(self._mixing.mixture)
        self._tell()

    def _send_kept(self, prompt: Prompt, edited: int | None) -> None:
        self._stage.composer.draft.empty()
        self._versions.edited = None
        self.ask(prompt, edited=edited)

    def _open_turn(self, prompt: Prompt, edited: int | None) -> None:
        """Open a turn behind the last one, or in the place of the one that was edited."""
        if edited is None:
            self._turns.begin(prompt)
        else:
            self._stage.cut(edited)
            self._turns.branch(edited, prompt)
        self._recording.open_turn()

    def _go_on(self, *, is_next: bool = True) -> None:
        prompt = self._turns.next()
        if prompt is not None:
            self.ask(prompt, is_next=is_next)

    @property
    def _is_busy(self) -> bool:
        return self._is_asking or self._download.is_under_way

    @on(Mixing.Changed)
    def _take_mixture(self) -> None:
        """Tell what the mixture is now; a prompt that waited for it is asked."""
        mixture, states = self._mixing.mixture, self._mixing.states
        self._windows.states = states
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

    def _run(
        self,
        mixture: Mixture,
        *,
        given: Given | None = None,
        given_from: int = 0,
        is_again: bool = False,
    ) -> None:
        self._is_asking = True
        # Nothing of the run before is this one's.
        self._live.state = None
        self._answer(mixture, given, given_from=given_from, is_again=is_again)

    @work(group="run")
    async def _answer(
        self, mixture: Mixture, given: Given | None, *, given_from: int, is_again: bool
    ) -> None:
        turns = self._turns
        record = self._recording.open_run(mixture, given_from=given_from)
        last = len(turns) - 1
        version = turns.place(last)
        await self._versions.show_sent(last)
        await self._stage.begin(turns[-1].prompt, mixture, version=version, is_again=is_again)
        ticking = self._tick()
        try:
            # Nothing is sent that a crash could lose.
            await self._recording.settle()
            state = await self._live.go(mixture, turns.conversation(), given=given, record=record)
        finally:
            self._is_asking = False
            ticking.cancel()
            self._recording.close_run()
        self._finish(state)
        self._save()
        if state.status == "done":
            self._go_on()
        self._tell()

    @on(Desk.StoreChanged)
    @work(group="save", exclusive=True)
    async def _save(self) -> None:
        """Say whether the run that ended last is safely on disk, once that is known."""
        await self._recording.learn()
        self._tell()

    def _hear(self, state: RunState, event: Event) -> None:
        """Tell the parts whom an event concerns."""
        from moa_tui.engine import events  # noqa: PLC0415 - loaded long ago, by the run

        match event:
            case events.TextDelta() | events.ThinkingDelta():
                self._stage.stream(state, event.seat, t=event.t)
            case events.MergeForced():
                self.notify(words.merges(state, partial=event.partial), markup=False)
            case events.SeatNote():
                # Its tile told how long a model loaded, the answer's head tells of each step.
                if event.kind not in ("loaded", "merge"):
                    self.notify(clean(event.message), markup=False)

    def _show(self, state: RunState, t: float) -> None:
        self._stage.show(state, t=t)
        self._tell()

    def _finish(self, state: RunState) -> None:
        """Close the turn; a prompt that failed goes back to an empty composer."""
        draft = self._stage.composer.draft
        is_back = self._turns.end(state)
        self._desk.ended(state, self._turns.title_of_last)
        last = len(self._turns) - 1
        self._stage.finish(last, state, stand_in=self._turns.stand_in(last))
        self._stage.show(state, t=state.t)
        taking, self._taking = self._taking, None
        if is_back:
            self._versions.go_back(taking)
        elif taking is not None:
            self._versions.take(last, taking)
        elif state.status == "failed" and self._turns.last is not None and not draft.text:
            draft.offer_again(self._turns.last)

    @work(group="tick")
    async def _tick(self) -> None:
        """Show how much time has passed, four times a second while a run is live."""
        while self._is_asking:
            if self._live.is_live and self._live.state is not None:
                self._stage.show(self._live.state, t=self._live.t)
                self._header.show(self._facts())
            await self._ports.clock.sleep(_TICK_S)

    # The download.

    def _fetched(self, is_there: bool) -> None:  # noqa: FBT001 - what the download ends with
        draft = self._stage.composer.draft
        prompt, self._waits_for_model = self._waits_for_model, None
        if prompt is None:
            return
        if is_there:
            self._mixing.learn()
        if isinstance(prompt, Versions.WantsRun):
            if is_there:
                self._run_version(prompt)
        elif is_there:
            self.ask(prompt)
        elif draft.text:
            self._turns.wait(prompt)
        else:
            draft.offer_again(prompt)
        self._tell()

    # What the chrome says.

    @on(Composer.Grown)
    @on(Stage.Rearranged)
    @on(Versions.Changed)
    @on(Replaying.Changed)
    def _tell(self) -> None:
        """Tell everybody what holds now, and deal the rows out anew."""
        self._header.show(self._facts())
        self._desk.follow(self._live.state, self._turns.title_of_last)
        self._mixing.is_crowded = self._stage.is_zoomed
        room = self._stage.fit(
            self._turns, sidebar=self._mixing.has_sidebar_beside, above=self._desk.rows_above
        )
        self._too_small.cover(is_needed=room is None)
        self._desk.keep_clear(0 if room is None else room.below_answer)
        self._mixing.fit()
        self._tell_next()
        self._stage.composer.draft.has_queue = bool(self._turns.queue)
        if self.focused is None and self.is_active:
            self._stage.find_focus(is_lost=True)
        self._replaying.blocked = told.blocked(
            is_live=self._is_asking, is_fetching=self._download.is_under_way
        )
        self._versions.blocked = self._judging.blocked = self._replaying.blocks
        self.refresh_bindings()

    @on(Composer.Written)
    def _tell_next(self) -> None:
        """Keep the draft, and say what enter does with it now and what that may cost."""
        mixture, draft = self._mixing.mixture, self._stage.composer.draft.whole
        self._recording.keep_draft(draft)
        notice = told.notice(
            self._ports,
            mixture,
            is_live=self._is_asking,
            is_fetching=self._download.is_under_way,
            problem=self._problem,
            has_queue=bool(self._turns.queue),
            cost=self._spending.ahead(mixture, draft),
            tight=self._windows.tightest(mixture),
            edited=self._versions.edited,
            stop=self._versions.key_of("stop", "escape", is_writing=True),
        )
        self._stage.composer.tell(notice, is_busy=self._is_busy)

    def on_resize(self) -> None:
        """Deal the rows out anew."""
        self._tell()

    def _facts(self) -> told.Facts:
        mixture, run = self._mixing.mixture, self._live.state
        ran = run.mixture if run is not None else None
        if self._is_asking:
            mixture = ran or mixture
        elif ran is not None and ran != mixture.expanded():
            # What was figured for one mixture must not stand beside the name of another.
            run = None
        earlier = self._spending.earlier(run, is_replayed=self._replaying.is_on)
        return told.Facts(
            title=self._turns.title,
            mixture=mixture,
            run=run,
            t=self._live.t if run is not None else 0.0,
            cost=told.cost(run, pricing=pricing(self._ports, mixture), earlier=earlier),
            is_demo=self._start.is_demo,
            is_saved=self._recording.is_saved,
            is_private=self._opened.is_private,
            replay=self._replaying.speed if self._replaying.is_on else 0,
            is_paused=self._replaying.is_paused,
            is_taken=any(turn.version.taken for turn in tuple(self._turns)[-1:]),
        )

    @on(Versions.WantsRun)
    def _run_version(self, event: Versions.WantsRun) -> None:
        self._versions.edited = None
        if told.needs_fetch(self._ports, event.mixture):
            self._waits_for_model = event
            self._download.start()
            self._tell()
            return
        if why := self._spending.question(event.mixture, given=tuple(event.given or ())):
            send = partial(self._run_version, event)
            self._desk.ask_to_spend(why, self._spending.allow, send)
            return
        self._turns.begin_version()
        if event.given is None:
            self._mixing.use(is_recorded=self._recording.is_kept)
        self._run(event.mixture, given=event.given, given_from=event.given_from, is_again=True)

    @on(Steering.Taken)
    def _take(self, event: Steering.Taken) -> None:
        """Make a proposal the answer; a run that is live ends with it."""
        number = self._stage.turn
        if not self._steering.can_take_from(event.seat):
            # The key was pressed before the run was begun.
            self.notify(words.NOT_BEGUN, severity="warning", markup=False)
        elif number is None and self._is_asking:
            # One that is over takes no commands, and is closed in a moment.
            self._live.command(lambda run: run.stop())
            self._taking = event.seat
        else:
            self._versions.take(len(self._turns) - 1 if number is None else number, event.seat)

    @property
    def draft(self) -> str:
        """What is written and wasn't sent."""
        return self._stage.composer.draft.whole

    def stay(self) -> None:
        """Hear that no other conversation is opened."""
        self._recording.is_waiting = False
        self._tell()

    # Ways out.

    def want(self, session: str, *, is_replay: bool = False) -> None:
        """Ask for another conversation, by its id."""
        self._steering.want(session, is_replay=is_replay)

    def leave(self) -> None:
        """Leave the program; a run that is live is asked about first."""
        if self._is_busy and not self._desk.is_asking:
            is_kept = self._ports.store is not None and not self._opened.is_private
            self._desk.ask_to_quit(self.app.exit, is_kept=is_kept)
        else:
            self.app.exit()
