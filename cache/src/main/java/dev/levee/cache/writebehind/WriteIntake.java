package dev.levee.cache.writebehind;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.cache.writebehind.WriteTicket.Ruling;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How callers get a write accepted: at once, by way of the journal, or when there is no room. */
final class WriteIntake<K, V> {
    private static final long WALL_TIME_NANOS = 1_000_000;

    private final String name;
    private final StoreCalls<K, V> store;
    private final WriteBehindConfig<K, V> config;
    private final Environment environment;
    private final WriteRoom room;
    private final JournalKeeper<K, V> journal;
    private final WriteWaiters waiters;
    private final List<WriteLane<K, V>> lanes;
    private final Consumer<K> dropped;
    private volatile @Nullable WallReading wallTime;
    final LongAdder refused = new LongAdder();

    /** A reading of the wall clock, and of the other one. */
    private record WallReading(Instant instant, long readAt) {}

    WriteIntake(
            String name,
            StoreCalls<K, V> store,
            WriteBehindConfig<K, V> config,
            Environment environment,
            WriteRoom room,
            JournalKeeper<K, V> journal,
            WriteWaiters waiters,
            List<WriteLane<K, V>> lanes,
            Consumer<K> dropped) {
        this.name = name;
        this.store = store;
        this.config = config;
        this.environment = environment;
        this.room = room;
        this.journal = journal;
        this.waiters = waiters;
        this.lanes = lanes;
        this.dropped = dropped;
    }

    void accept(WriteLane<K, V> lane, K key, @Nullable V value) throws Exception {
        WriteTicket<K, V> ticket = ticket(key, value, null);
        requireJournal();
        Ruling answer = lane.door().admit(ticket);
        if (answer != Ruling.FULL) {
            finish(lane, ticket, answer);
        } else if (config.whenFull() == WriteOverflow.WRITE_THROUGH) {
            writeThrough(lane, ticket);
        } else {
            finish(lane, ticket, whenFull(lane, ticket));
        }
    }

    WriteTicket<K, V> ticket(K key, @Nullable V value, @Nullable DeadWrite<K, V> letter) {
        long bytes = weigh(key, value);
        long now = environment.clock().nanoTime();
        return new WriteTicket<>(key, value, bytes, wallTime(now), now, letter);
    }

    /** Returns the time of the wall clock, which is read once in a millisecond at most. */
    private Instant wallTime(long now) {
        WallReading last = wallTime;
        if (last != null && now - last.readAt >= 0 && now - last.readAt < WALL_TIME_NANOS) {
            return last.instant;
        }
        Instant instant = environment.wallClock().instant();
        wallTime = new WallReading(instant, now);
        return instant;
    }

    long weigh(K key, @Nullable V value) {
        WriteWeigher<? super K, ? super V> weigher = config.weigher();
        if (weigher == null) {
            return 0;
        }
        long bytes = weigher.bytes(key, value);
        if (bytes < 0) {
            throw new IllegalArgumentException(
                    WriteRefusedException.label(name) + ": the weigher must return at least 0, but returned " + bytes);
        }
        return bytes;
    }

    void requireJournal() {
        if (journal.hasFailed()) {
            count();
            journal.require();
        }
    }

    /** Does what follows from the answer of a shard. */
    private void finish(WriteLane<K, V> lane, WriteTicket<K, V> ticket, Ruling answer) {
        switch (answer) {
            case ACCEPTED -> {}
            case RESERVED -> append(lane, ticket);
            case BLOCKED -> throw refusal(Reason.KEY_BLOCKED);
            case CLOSED -> throw refusal(Reason.CLOSED);
            default -> throw refusal(Reason.FULL);
        }
        if (ticket.plan) {
            lane.worker().plan();
        }
    }

    /** Has the journal keep a write that has room, and accepts it then. */
    void append(WriteLane<K, V> lane, WriteTicket<K, V> ticket) {
        boolean kept = false;
        boolean accepted = false;
        try {
            PendingWrite<K, V> write = ticket.op().write();
            if (ticket.letter == null) {
                journal.append(write);
            } else {
                journal.replay(ticket.letter, write);
            }
            kept = true;
        } finally {
            if (kept) {
                accepted = lane.door().confirm(ticket);
            } else {
                count();
                lane.door().withdraw(ticket);
            }
            if (ticket.owed != null) {
                journal.forget(ticket.owed);
                lane.door().forgotten();
            }
            waiters.signal();
            if (ticket.plan) {
                lane.worker().plan();
            }
        }
        if (!accepted) {
            throw refusal(Reason.CLOSED).detachedAfterRun();
        }
    }

    private Ruling whenFull(WriteLane<K, V> lane, WriteTicket<K, V> ticket) {
        if (!room.canEverHold(ticket.bytes)) {
            return Ruling.FULL;
        }
        return switch (config.whenFull()) {
            case BLOCK -> block(lane, ticket);
            case DROP_OLDEST -> makeRoom(lane, ticket);
            default -> {
                urge();
                yield Ruling.FULL;
            }
        };
    }

    private Ruling block(WriteLane<K, V> lane, WriteTicket<K, V> ticket) {
        WaitingCaller caller = new WaitingCaller();
        long since = environment.clock().nanoTime();
        room.join(caller);
        try {
            while (true) {
                caller.look();
                Ruling answer = lane.door().admit(ticket);
                if (answer != Ruling.FULL) {
                    return answer;
                }
                requireJournal();
                if (caller.thread.isInterrupted()) {
                    throw interrupted();
                }
                long left = left(since);
                if (left <= 0) {
                    return Ruling.FULL;
                }
                urge();
                caller.park(environment.scheduler(), room, left);
            }
        } finally {
            room.leave(caller);
        }
    }

    private InterruptedWaitException interrupted() {
        count();
        return new InterruptedWaitException("write-behind", name, new InterruptedException());
    }

    /** Returns how long a caller may go on waiting that has begun at a time. */
    private long left(long since) {
        Deadline deadline = CallContext.current().deadline();
        long left = config.maxWaitNanos();
        if (left < Nanos.NEVER) {
            left -= environment.clock().nanoTime() - since;
        }
        return deadline == null ? left : Math.min(left, deadline.remainingNanos());
    }

    private Ruling makeRoom(WriteLane<K, V> lane, WriteTicket<K, V> ticket) {
        WriteRoom.Missing missing = room.missing(ticket.bytes);
        lanes.forEach(each -> each.shard().countDroppable(missing));
        if (missing.isSomething()) {
            return Ruling.FULL; // none is given up for nothing
        }
        while (true) {
            WriteLane<K, V> oldest = null;
            long age = -1;
            for (WriteLane<K, V> each : lanes) {
                long own = each.shard().droppableAge(ticket.now);
                if (own > age) {
                    age = own;
                    oldest = each;
                }
            }
            PendingWrite<K, V> given = oldest == null ? null : oldest.shard().dropOldest();
            if (given != null) {
                journal.forget(given);
                dropped.accept(given.key());
                waiters.signal();
            }
            Ruling answer = lane.door().admit(ticket);
            if (answer != Ruling.FULL || oldest == null) {
                return answer;
            }
        }
    }

    private void writeThrough(WriteLane<K, V> lane, WriteTicket<K, V> ticket) throws Exception {
        Ruling answer = lane.door().beginDirect(ticket);
        if (answer == Ruling.BUSY) {
            long since = environment.clock().nanoTime();
            lane.shard().urge();
            lane.worker().plan();
            Ruling[] last = {answer};
            waiters.await(
                    () -> (last[0] = lane.door().beginDirect(ticket)) != Ruling.BUSY,
                    since + Math.max(left(since), 0),
                    left(since) < Nanos.NEVER);
            answer = last[0];
            if (answer == Ruling.BUSY && Thread.currentThread().isInterrupted()) {
                throw interrupted();
            }
        }
        if (answer != Ruling.DIRECT) {
            finish(lane, ticket, answer);
            return;
        }
        PendingWrite<K, V> write = ticket.op().write();
        boolean done = false;
        try {
            if (journal.isThere()) {
                journal.append(write); // an older one of the key that is still there must not come after this one
            }
            Map<K, ? extends @Nullable Throwable> failures = store.write(List.of(write));
            if (failures == null || !failures.isEmpty()) {
                throw new BatchFailure(failures);
            }
            done = true;
        } catch (BatchFailure failure) {
            throw failure.seen();
        } finally {
            journal.forget(lane.door().settled(ticket));
            lane.door().endDirect(ticket, done);
            waiters.signal();
            if (ticket.plan) {
                lane.worker().plan();
            }
        }
    }

    /** What a batch store says of a batch of one write. */
    private static final class BatchFailure extends Exception {
        private static final long serialVersionUID = 1L;

        BatchFailure(@Nullable Map<?, ? extends @Nullable Throwable> failures) {
            super("the batch store did not write it", first(failures));
        }

        private static @Nullable Throwable first(@Nullable Map<?, ? extends @Nullable Throwable> failures) {
            return failures == null ? null : failures.values().iterator().next();
        }

        Exception seen() {
            Throwable cause = getCause();
            if (cause instanceof Error error) {
                throw error;
            }
            return cause instanceof Exception exception ? exception : this;
        }
    }

    private void urge() {
        for (WriteLane<K, V> lane : lanes) {
            lane.shard().urge();
            lane.worker().plan();
        }
    }

    private WriteRefusedException refusal(Reason reason) {
        count();
        return WriteRefusedException.of(name, reason, null);
    }

    private void count() {
        refused.increment();
        Listener listener = environment.listener();
        if (listener != Listener.NONE) {
            listener.onRefused(Policy.Kind.QUEUE, name);
        }
    }
}
