"""files.*: the two-step upload, sharing, downloading."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests import shop
from localslack.tests.methods.asking import error_of

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"


async def test_a_file_is_uploaded_shared_and_read(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    parent = (await client.chat_postMessage(channel=PAYMENTS, text="report"))["ts"]
    answer = await client.files_upload_v2(
        channel=PAYMENTS,
        thread_ts=parent,
        filename="timeline.csv",
        title="Timeline",
        content="a,b\n",
        initial_comment="here",
    )
    message = sandbox.person("ana").messages("#payments", parent)[-1]
    assert (message.text, [file["title"] for file in message.files]) == ("here", ["Timeline"])
    about = (await client.files_info(file=answer["files"][0]["id"]))["file"]
    assert about["shares"]["public"][PAYMENTS][0]["ts"] == message.ts
    async with aiohttp.ClientSession() as session, session.get(about["url_private_download"]) as response:
        assert await response.text() == "a,b\n"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_refused(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    started = await client.files_getUploadURLExternal(filename="x.txt", length=3)
    done = {"files": [{"id": started["file_id"]}], "channel_id": PAYMENTS}
    assert await error_of(client, "files.completeUploadExternal", **done) == "file_not_found"  # nothing sent yet
    async with aiohttp.ClientSession() as session:
        async with session.post(started["upload_url"], data=b"abc") as response:
            assert response.status == 200
        async with session.post(started["upload_url"], data=b"abc") as response:
            assert response.status == 404  # a ticket serves once
    assert await error_of(client, "files.completeUploadExternal", **done) == "not_in_channel"
    assert await error_of(client, "files.getUploadURLExternal", filename="x.txt", length=0) == "missing_argument"
    assert await error_of(client, "files.info", file=started["file_id"]) == "file_not_found"


async def test_files_are_written_to_a_folder_under_safe_names(tmp_path: Path) -> None:
    async with LocalSlack(manifest=shop.manifest(), files_dir=tmp_path / "files") as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        await client.files_upload_v2(filename="../../etc/passwd", content="x")
        written = list((tmp_path / "files").iterdir())
    assert [file.name.split("-", 1)[1] for file in written] == ["_.._etc_passwd"]
