"""What a tab has written and not had acknowledged: sent in order, with the same id every time."""

import asyncio
from random import Random
from typing import Any

from tests.faults.clients.answers import CLOSED, Answer
from tests.faults.clients.people import Draft, Sent
from tests.faults.clients.rooms import Message
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import InboxTab, RoomTab, Tab

SHARE_OVER_SOCKET = 0.7


class Outbox:
    def __init__(self, scene: Scene, tab: Tab) -> None:
        self.scene = scene
        self.tab = tab
        self.unsent: list[Draft] = []

    async def send(self, drafts: list[Draft], random: Random) -> None:
        """New messages: over the socket one right after the other, over HTTP one when the one
        before is answered, as a page does it. What is not acknowledged stays."""
        self.unsent += drafts
        doors = [self._choose_door(draft, random) for draft in drafts]
        webs = [self.scene.choose_web(random) for _ in drafts]
        ways = list(zip(drafts, doors, webs, strict=True))
        said = [self._try(draft, door, web) for draft, door, web in ways if door == "socket"]
        await asyncio.gather(*said)
        for draft, door, web in ways:
            if door == "http" and (await self._try(draft, door, web)).try_again:
                break

    async def send_over(self, door: str, draft: Draft, web: int) -> Answer:
        """A new message, or once more, over this door and no other. It stays until it is done."""
        if draft not in self.unsent:
            self.unsent.append(draft)
        return await self._try(draft, door, web)

    async def send_again(self, random: Random) -> bool:
        """In order, up to the first that is still without an answer. Whether nothing is left."""
        for draft in list(self.unsent):
            door, web = self._choose_door(draft, random), self.scene.choose_web(random)
            if (await self._try(draft, door, web)).try_again:
                return False
        return True

    async def send_doubled(self, draft: Draft, random: Random, times: int, late: float) -> None:
        """The same post several times at once, and once more later (nemesis 14)."""
        self.unsent.append(draft)
        about = {"person": self.tab.person.id, "key": draft.key, "times": times + 1}
        self.scene.history.see(self.tab.who, "doubled", **about)
        webs = [self.scene.choose_web(random) for _ in range(times + 1)]
        self.scene.spawn(self._send_late(draft, webs.pop(), late))
        await asyncio.gather(*(self._try(draft, "http", web) for web in webs))

    async def _send_late(self, draft: Draft, web: int, late: float) -> None:
        await asyncio.sleep(late)
        if self.tab.person.is_in.is_set():
            await self._post(draft, web)

    def _choose_door(self, draft: Draft, random: Random) -> str:
        over_socket = random.random() < SHARE_OVER_SOCKET
        return "socket" if over_socket and not draft.starts and self._can_say(draft) else "http"

    def _can_say(self, draft: Draft) -> bool:
        tab = self.tab
        if isinstance(tab, RoomTab):
            return tab.knows(draft.conversation)
        return isinstance(tab, InboxTab) and tab.ready

    async def _try(self, draft: Draft, door: str, web: int) -> Answer:
        draft.tries += 1
        answer = await (self._say(draft) if door == "socket" else self._post(draft, web))
        if not answer.try_again and draft in self.unsent:
            self.unsent.remove(draft)
        return answer

    async def _say(self, draft: Draft) -> Answer:
        line = self.tab.line
        if line is None or not self._can_say(draft):  # Any more.
            return CLOSED
        frame: dict[str, Any] = {"message": draft.body, "client_message_id": draft.key}
        if isinstance(self.tab, InboxTab):
            frame["conversation"] = draft.conversation.id
        operation = self._begin(draft, "socket", line.web, line.session.number)
        answer = await line.say(
            {"type": "chat_message", **frame}, lambda receipt: self._keep(draft, receipt)
        )
        self._end(operation, draft, answer)
        return answer

    async def _post(self, draft: Draft, web: int) -> Answer:
        session = self.tab.session()
        if draft.starts:
            path = f"/listings/{draft.conversation.listing}/conversation/"
        else:
            path = f"/conversation/{draft.conversation.id}/new_message/"
        operation = self._begin(draft, "http", web, session.number)
        answer = await self.scene.doors.post(
            web, path, session, message=draft.body, client_message_id=draft.key
        )
        self._end(operation, draft, answer)
        return answer

    def _begin(self, draft: Draft, door: str, web: int, session: int) -> int:
        value: dict[str, Any] = {"person": self.tab.person.id, "tab": self.tab.number}
        if draft.starts:
            value["listing"] = draft.conversation.listing
        else:
            value |= {"conversation": draft.conversation.id, "door": door}
        value |= {"key": draft.key, "body": draft.body, "try": draft.tries}
        value |= {"web": web, "session": session}
        return self.scene.history.invoke(self.tab.who, kind_of(draft), **value)

    def _end(self, operation: int, draft: Draft, answer: Answer) -> None:
        history, who = self.scene.history, self.tab.who
        if not answer.done:
            history.end(operation, who, kind_of(draft), answer.state, **answer.reason)
            return
        names = ["id", "sequence", "revision", "duplicate"] + ["conversation"] * draft.starts
        history.end(
            operation, who, kind_of(draft), "ok", **{name: answer.body[name] for name in names}
        )
        self._keep(draft, answer.body)

    def _keep(self, draft: Draft, receipt: dict[str, Any]) -> None:
        """An acknowledged message is in one's own thread without being told again."""
        draft.is_stored = True
        conversation, sequence = draft.conversation, receipt["sequence"]
        conversation.id = conversation.id or receipt["conversation"]
        person = self.tab.person
        if draft.starts and conversation not in person.conversations:
            for each in (person, conversation.other(person)):
                each.conversations.append(conversation)
            self.scene.conversations.append(conversation)
        if not receipt["duplicate"]:
            person.sent.append(Sent(conversation, sequence, receipt["revision"], draft.body))
        if isinstance(self.tab, RoomTab):
            message = Message(sequence, receipt["revision"], draft.body, False)
            self.tab.room_of(conversation.id).take_own(message)


def kind_of(draft: Draft) -> str:
    return "start" if draft.starts else "send"
