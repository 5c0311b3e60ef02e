"""What a person does on the page, in the words that stand on it."""

from __future__ import annotations

from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from localslack import LocalSlack

#: name -> (width, height, more for the browser); 200 % halves the room, as the browser's own zoom does
SIZES: dict[str, tuple[int, int, dict[str, Any]]] = {
    "desktop": (1280, 800, {}),
    "200 %": (640, 400, {"device_scale_factor": 2}),
    "phone": (390, 844, {"device_scale_factor": 2, "has_touch": True, "is_mobile": True}),
    "small phone": (320, 640, {"device_scale_factor": 2, "has_touch": True, "is_mobile": True}),
}
PATIENCE = 15_000  # milliseconds; only a failure waits so long

expect.set_options(timeout=PATIENCE)


class Desk:
    """A browser; `tab` opens a tab as somebody. What scripts complained of is kept."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.complaints: list[str] = []

    async def tab(
        self, slack: LocalSlack, who: str, channel: str | None = None, *, size: str = "desktop",
        scheme: Literal["light", "dark"] = "light",
    ) -> Tab:  # fmt: skip
        """A tab of its own (own storage) as one person, at a channel's name or id."""
        width, height, more = SIZES[size]
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", **more
        )
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{who}: {error}"))
        page.on("console", lambda said: self._hear(who, said))
        where = f"&channel={slack.channel(channel).id}" if channel else ""
        await page.goto(f"{slack.url}/?as={who}{where}")
        await page.locator("#composer-text, .home, .channel-foot").first.wait_for()
        return Tab(page)

    def _hear(self, who: str, said: ConsoleMessage) -> None:
        """Errors of scripts, and what the page's own policy had to stop; not answers like 400, which it expects."""
        if said.type == "error" and not said.text.startswith("Failed to load resource"):
            self.complaints.append(f"{who}: {said.text}")


class Tab:
    """One person's tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.form = page.locator("dialog.modal")
        self.pane = page.locator("#pane")
        self.centre = page.locator("#centre")
        self.sidebar = page.locator("#sidebar")
        self.toasts = page.locator("#toasts .toast")

    # -- going about -----------------------------------------------------------------------------

    async def open(self, name: str) -> None:
        """Click a channel whose name begins so."""
        await self.sidebar.locator(".side-row", has_text=name).click()
        await expect(self.centre.locator("h1")).to_contain_text(name)

    async def write(self, text: str) -> None:
        """Write in the open channel, a message or a slash command."""
        box = self.page.locator("#composer-text")
        await box.fill(text)
        await box.press("Enter")

    async def reply(self, text: str) -> None:
        box = self.page.locator("#thread-text")
        await box.fill(text)
        await box.press("Enter")

    def message(self, words: str) -> Locator:
        """The last message of the channel with these words."""
        return self.centre.locator(".message", has_text=words).last

    def in_thread(self, words: str) -> Locator:
        return self.pane.locator(".message", has_text=words).last

    async def thread(self, words: str) -> None:
        """Open the replies of the message with these words."""
        await self.message(words).locator(".replies").click()
        await expect(self.pane.locator("h2")).to_have_text("Thread")

    async def press(self, words: str, label: str) -> None:
        """Press a button of the last message with these words."""
        await self.message(words).get_by_role("button", name=label, exact=True).click()

    # -- forms -----------------------------------------------------------------------------------

    async def fill(self, values: dict[str, str], button: str | None = None) -> None:
        """Fill the open form's fields by their labels; with `button`, submit it."""
        await self.form.wait_for()
        for label, value in values.items():
            await self.form.get_by_label(label).fill(value)
        if button is not None:
            await self.form.get_by_role("button", name=button, exact=True).click()

    async def tools(self, tab: str) -> None:
        """Open one of the tools: Clock, Requests, Faults, Notified."""
        if not await self.pane.locator(".tool-panel").count():
            await self.page.get_by_role("button", name="Tools", exact=True).click()
        await self.pane.get_by_role("tab", name=tab).click()

    async def tour(self) -> list[bool]:
        """Which lines of "Try this" are done."""
        lines = self.sidebar.locator(".tour-lines li")
        return [("done" in (await line.get_attribute("class") or "")) for line in await lines.all()]
