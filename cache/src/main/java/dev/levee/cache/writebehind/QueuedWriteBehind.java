package dev.levee.cache.writebehind;

import dev.levee.cache.writebehind.WriteTicket.Ruling;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.parts.HandOver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The write-behind: its shards, what callers wait for, and its end. See ADR 107 and ADR 108. */
final class QueuedWriteBehind<K, V> implements WriteBehind<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

    private final String name;
    private final StoreCalls<K, V> store;
    private final WriteBehindConfig<K, V> config;
    private final Environment environment;
    private final AtomicLong sequences = new AtomicLong();
    private final WriteRoom room;
    private final DeadBox<K, V> box;
    private final JournalKeeper<K, V> journal;
    private final StoreWriter<K, V> writer;
    private final WriteWaiters waiters;
    private final List<WriteLane<K, V>> lanes;
    private final List<Consumer<? super K>> caches = new CopyOnWriteArrayList<>();
    private final WriteIntake<K, V> intake;
    private final ReentrantLock reporting = new ReentrantLock();
    private volatile @Nullable WriteBehindReport<K, V> report;

    /** Whether the journal is closed, too. */
    private volatile boolean ended;

    QueuedWriteBehind(String name, StoreCalls<K, V> store, WriteBehindConfig<K, V> config, Environment environment) {
        this.name = Require.name(name);
        this.store = store;
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        room = new WriteRoom(config.maxPending(), config.maxBytes());
        box = new DeadBox<>(config.maxDead());
        journal = new JournalKeeper<>(name, config.journal());
        waiters = new WriteWaiters(environment);
        writer = new StoreWriter<>(name, store, journal, box, config, environment, this::drop, waiters::signal);
        lanes = lanes();
        intake = new WriteIntake<>(name, store, config, environment, room, journal, waiters, lanes, this::drop);
        recover();
    }

    static <K, V> WriteBehindConfig<K, V> configured(
            String name, Consumer<? super WriteBehindConfig.Builder<K, V>> configure) {
        return Require.configured(
                "write-behind",
                name,
                WriteBehindConfig.<K, V>builder(),
                configure,
                WriteBehindConfig.Builder<K, V>::build);
    }

    private List<WriteLane<K, V>> lanes() {
        HandOver handOver = new HandOver(LOG, WriteRefusedException.label(name));
        List<WriteLane<K, V>> made = new ArrayList<>();
        for (int i = 0; i < config.workers(); i++) {
            WriteShard<K, V> shard = new WriteShard<>(config, room, config.batchSize());
            made.add(new WriteLane<>(
                    shard,
                    new ShardDoor<>(shard, sequences, box, journal.isThere()),
                    new ShardWorker<>(new ShardExit<>(shard, box), writer, environment, handOver)));
        }
        return List.copyOf(made);
    }

    private void recover() {
        WriteJournal.Recovered<K, V> kept = journal.open();
        long now = environment.clock().nanoTime();
        Instant wallNow = environment.wallClock().instant();
        long last = kept.lastSequence();
        List<PendingWrite<K, V>> pending = new ArrayList<>(kept.pending());
        pending.sort(Comparator.comparingLong(PendingWrite::sequence));
        for (PendingWrite<K, V> write : pending) {
            last = Math.max(last, write.sequence());
            lane(write.key()).door().recover(write, weighRecovered(write), now - age(write.acceptedAt(), wallNow));
        }
        for (DeadWrite<K, V> there : kept.dead()) {
            DeadWrite<K, V> letter = asChosen(there);
            last = Math.max(last, letter.write().sequence());
            box.recover(letter);
            lane(letter.write().key()).door().recover(letter);
        }
        sequences.set(last);
        lanes.forEach(lane -> lane.worker().plan());
    }

    /** A key that is blocked no longer may get newer writes, and the journal has to know that before they come. */
    private DeadWrite<K, V> asChosen(DeadWrite<K, V> letter) {
        if (!letter.blocking() || config.whenDead() == DeadKey.BLOCK) {
            return letter;
        }
        DeadWrite<K, V> free = letter.notBlocking();
        boolean done = false;
        try {
            journal.bury(free);
            done = true;
        } finally {
            if (!done) {
                journal.close();
            }
        }
        return free;
    }

    private long weighRecovered(PendingWrite<K, V> write) {
        try {
            return Math.min(intake.weigh(write.key(), write.value()), config.maxBytes());
        } catch (Throwable broken) { // a write that was accepted is not refused
            return 0;
        }
    }

    private static long age(Instant at, Instant now) {
        try {
            return Math.min(
                    Nanos.of(Duration.between(at, now).isNegative() ? Duration.ZERO : Duration.between(at, now)),
                    Nanos.NEVER / 2);
        } catch (ArithmeticException tooFar) {
            return 0;
        }
    }

    private WriteLane<K, V> lane(K key) {
        int hash = key.hashCode() * 0x9E3779B9;
        return lanes.get((int) (((hash & 0xFFFFFFFFL) * lanes.size()) >>> 32));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public @Nullable V load(K key) throws Exception {
        StackRoom.require();
        PendingWrite<K, V> write = lane(Require.nonNull("key", key)).shard().find(key);
        return write != null ? write.value() : store.load(key);
    }

    @Override
    public void whenChanged(Consumer<? super K> drop) {
        caches.add(Require.nonNull("drop", drop));
    }

    /** A value is not what was accepted: caches in front drop it. */
    private void drop(K key) {
        for (Consumer<? super K> cache : caches) {
            try {
                cache.accept(key);
            } catch (Throwable thrown) {
                SafeLog.warn(
                        LOG, "{}: a cache in front could not drop a value", WriteRefusedException.label(name), thrown);
            }
        }
    }

    @Override
    public void save(K key, V value) throws Exception {
        accept(Require.nonNull("key", key), Require.nonNull("value", value));
    }

    @Override
    public void delete(K key) throws Exception {
        accept(Require.nonNull("key", key), null);
    }

    private void accept(K key, @Nullable V value) throws Exception {
        StackRoom.require();
        intake.accept(lane(key), key, value);
    }

    @Override
    public boolean flush(Duration timeout) {
        long nanos = Nanos.of(Require.notNegative("timeout", timeout));
        StackRoom.require();
        long until = environment.clock().nanoTime() + nanos;
        long[] positions = new long[lanes.size()];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = lanes.get(i).shard().urge();
            lanes.get(i).worker().plan();
        }
        waiters.await(() -> report != null || haveEnded(positions), until, nanos < Nanos.NEVER);
        WriteBehindReport<K, V> made = report;
        return made == null ? haveEnded(positions) : made.left().isEmpty();
    }

    private boolean haveEnded(long[] positions) {
        for (int i = 0; i < positions.length; i++) {
            if (!lanes.get(i).shard().hasEnded(positions[i])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public List<DeadWrite<K, V>> deadWrites() {
        return box.all();
    }

    @Override
    public boolean replay(DeadWrite<K, V> dead) {
        StackRoom.require();
        intake.requireJournal();
        DeadWrite<K, V> letter = box.take(Require.nonNull("dead", dead));
        if (letter == null) {
            return false;
        }
        boolean gone = false;
        try {
            K key = letter.write().key();
            WriteLane<K, V> lane = lane(key);
            WriteTicket<K, V> ticket = intake.ticket(key, letter.write().value(), letter);
            Ruling answer = lane.door().admit(ticket);
            if (answer == Ruling.RESERVED) {
                intake.append(lane, ticket);
            } else if (answer != Ruling.ACCEPTED) {
                return false;
            } else if (ticket.plan) {
                lane.worker().plan();
            }
            gone = true;
            drop(key);
        } finally {
            box.release(letter, gone);
        }
        return true;
    }

    @Override
    public int replayAll() {
        int replayed = 0;
        RefusedLetters refused = new RefusedLetters();
        for (DeadWrite<K, V> letter : box.all()) {
            try {
                if (replay(letter)) {
                    replayed++;
                }
            } catch (WriteRefusedException failed) { // the journal, for all of them, or a close
                throw failed;
            } catch (RuntimeException | Error ofLetter) {
                refused.add(ofLetter);
            }
        }
        refused.throwFirst();
        return replayed;
    }

    /** What was thrown for single letters: the first, with the others. */
    private static final class RefusedLetters {
        private @Nullable Throwable first;

        void add(Throwable thrown) {
            if (first == null) {
                first = thrown;
            } else if (first != thrown) {
                first.addSuppressed(thrown);
            }
        }

        void throwFirst() {
            if (first instanceof Error error) {
                throw error;
            }
            if (first instanceof RuntimeException exception) {
                throw exception;
            }
        }
    }

    @Override
    public boolean discard(DeadWrite<K, V> dead) {
        StackRoom.require();
        DeadWrite<K, V> letter = box.take(Require.nonNull("dead", dead));
        if (letter == null) {
            return false;
        }
        boolean gone = false;
        try {
            if (journal.isThere()) {
                journal.discard(letter);
            }
            gone = true;
        } finally {
            box.release(letter, gone);
        }
        K key = letter.write().key();
        lane(key).shard().forgetDead(letter);
        drop(key);
        return true;
    }

    @Override
    public int discardAll() {
        int discarded = 0;
        for (DeadWrite<K, V> letter : box.all()) {
            if (discard(letter)) {
                discarded++;
            }
        }
        return discarded;
    }

    @Override
    public WriteBehindCounts counts() {
        WriteBehindCounts sum = new WriteBehindCounts(0, 0, 0, 0, 0, 0, 0, 0);
        for (WriteLane<K, V> lane : lanes) {
            sum = sum.plus(lane.shard().counts());
        }
        return sum;
    }

    @Override
    public void close() {
        close(config.closeWithin());
    }

    @Override
    public WriteBehindReport<K, V> close(Duration timeout) {
        long nanos = Nanos.of(Require.notNegative("timeout", timeout));
        StackRoom.require();
        long until = environment.clock().nanoTime() + nanos;
        boolean ever = nanos < Nanos.NEVER;
        lanes.forEach(lane -> lane.shard().beginClose());
        room.wakeAll();
        lanes.forEach(lane -> lane.worker().plan());
        waiters.await(() -> report != null || isOver(until, ever), until, ever);
        WriteBehindReport<K, V> made = finish();
        waiters.await(() -> ended, until, ever); // another call may be closing the journal
        return made;
    }

    private boolean isOver(long until, boolean ever) {
        for (WriteLane<K, V> lane : lanes) {
            if (!lane.shard().isOver(until, ever)) {
                return false;
            }
        }
        return true;
    }

    private WriteBehindReport<K, V> finish() {
        WriteBehindReport<K, V> made;
        reporting.lock();
        try {
            if (report != null) {
                return report;
            }
            List<PendingWrite<K, V>> left = new ArrayList<>();
            lanes.forEach(lane -> left.addAll(lane.shard().seal()));
            left.sort(Comparator.comparingLong(PendingWrite::sequence));
            made = new WriteBehindReport<>(counts(), box.there(), left, journal.keeps());
            report = made;
        } finally {
            reporting.unlock();
        }
        lanes.forEach(lane -> lane.worker().stop());
        waiters.signal();
        room.wakeAll();
        journal.close();
        ended = true;
        waiters.signal();
        return made;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        WriteBehindCounts counts = counts();
        long now = environment.clock().nanoTime();
        long age = 0;
        for (WriteLane<K, V> lane : lanes) {
            age = Math.max(age, lane.shard().oldestAge(now));
        }
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_PENDING, (double) counts.pending());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_IN_FLIGHT, (double) counts.inFlight());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_BYTES, (double) room.bytes());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_OLDEST_AGE, (double) age);
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_ACCEPTED, (double) counts.accepted());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_WRITTEN, (double) counts.written());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_COALESCED, (double) counts.coalesced());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_DEAD, (double) counts.dead());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_DEAD_KEPT, box.size());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_DROPPED, (double) counts.dropped());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_RETURNED, (double) counts.returned());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_REFUSED, (double) intake.refused.sum());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_RETRIES, (double) writer.retries.sum());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_FLUSHES, (double) writer.flushes.sum());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_CALLS, (double) writer.calls.sum());
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_CALLS_SAVED, (double)
                (counts.coalesced() + writer.rowsSaved.sum()));
        sink.value(name, WriteBehindMetrics.WRITEBEHIND_JOURNAL_FAILED, journal.hasFailed() ? 1 : 0);
    }

    @Override
    public String toString() {
        WriteBehindCounts counts = counts();
        return WriteRefusedException.label(name) + " [" + counts.pending() + " pending, " + counts.inFlight()
                + " in flight, " + box.size() + " dead letters]";
    }
}
