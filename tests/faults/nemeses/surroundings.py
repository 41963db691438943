"""What programs take for granted: mail that is taken, clocks that are right, disks with room."""

import asyncio
from collections import Counter

from tests.faults.nemeses.field import Field, needs
from tests.faults.servers.disk import SmallDisk
from tests.faults.servers.mails import FAULTS
from tests.faults.servers.programs import PROGRAMS

MAIL_SHARE = 0.2
HOUR = 3600
TABLESPACE = "faults"
NO_ROOM = "No space left on device"
# On it lies an index of what is added from now on, a page of which is full after 17 rows. Whatever
# statement needs one more fails, as when any other disk of the database is full.
INDEXED = ("messaging_message", "notifications_notification")
WIDE = "||".join(f"md5('{number}' || id)" for number in range(14))


@needs(5)
async def fail_mails(field: Field) -> None:
    """One mail in five; and now and then nobody listens at all."""
    if name := field.choose(["mail"]):
        mails = field.stack.mails
        before = Counter(mails.counts)
        async with field.fault("mail_fault", name, share=MAIL_SHARE) as told:
            mails.share = MAIL_SHARE
            try:
                await field.sleep(5, 15)
            finally:
                mails.share = 0.0
            met = mails.counts - before
            told.update(met)
            told["effect"] = sum(met[fault] for fault in FAULTS)


@needs(1)
async def stop_mails(field: Field) -> None:
    if name := field.choose(["mail"]):
        async with field.fault("mail_fault", name, away=True) as told:
            told["effect"] = int(field.stack.kill(name))
            try:
                await field.sleep(1, 5)
            finally:
                field.stack.start_process(name)


@needs(4)
async def jump_clock(field: Field) -> None:
    """A process begins with a clock that is up to an hour wrong; while it runs, the clock jumps to
    as far on the other side. In the end it begins once more, with a clock that is right. It met
    something if the process was really told another time."""
    if name := field.choose(PROGRAMS):
        stack, clocks = field.stack, field.stack.clocks
        seconds = field.random.choice([-1, 1]) * field.random.randint(60, HOUR)
        async with field.fault("clock", name, seconds=seconds) as told:
            told["effect"] = 0
            environment = clocks.environment(name)
            clocks.set(name, seconds)
            try:
                await stack.restart(name, **environment)
                await field.sleep(2, 8)
                told["effect"] = int(clocks.reach(stack.processes[name].pid))
                clocks.set(name, -seconds)
                await field.sleep(2, 8)
            finally:
                clocks.set(name, 0)
            await stack.restart(name)


@needs(4)
async def fill_disk(field: Field) -> None:
    """An index of the messages and one of the notifications lie on a disk that gets full. It met
    the statements that failed for that."""
    disk = field.stack.disk
    if disk is None or not (name := field.choose(["database"])):
        return
    async with field.fault("disk_full", name) as told:
        told["effect"], before = 0, field.stack.database.log_size()
        try:
            await drop_indexes(field)  # One that could not be dropped the last time.
            await lay_indexes(field, disk)
            await asyncio.to_thread(disk.fill)
            await field.sleep(4, 12)
        finally:
            await asyncio.to_thread(disk.heal)
            told["effect"] = field.stack.database.count_logged(NO_ROOM, since=before)
            await drop_indexes(field)


async def lay_indexes(field: Field, disk: SmallDisk) -> None:
    database = field.stack.database
    await database.try_to_run(f"CREATE TABLESPACE {TABLESPACE} LOCATION '{disk.directory}'")
    for table in INDEXED:
        last = await database.ask(f"SELECT COALESCE(max(id), 0) FROM {table}")
        # CONCURRENTLY: people go on writing meanwhile.
        await database.run(
            f"CREATE INDEX CONCURRENTLY {index_of(table)} ON {table} (id, ({WIDE}))"
            f" TABLESPACE {TABLESPACE} WHERE id > {last}"
        )


async def drop_indexes(field: Field) -> None:
    drops = (f"DROP INDEX CONCURRENTLY IF EXISTS {index_of(table)}" for table in INDEXED)
    await field.stack.database.try_to_run(*drops)


def index_of(table: str) -> str:
    return f"faults_{table}"
