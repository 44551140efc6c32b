package dev.levee.journal;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.journal.JournalException.Reason;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Knows which records are live, by key, and writes what changes that. See {@link FileJournal}. */
final class SegmentedJournal<K, V> implements WriteJournal<K, V> {
    private final String name;
    private final JournalDisk disk;
    private final Codec<K> keys;
    private final Codec<V> values;
    private final FileJournalConfig config;
    private final RandomGenerator random;

    private final AtomicReference<State> state = new AtomicReference<>(State.NEW);
    private volatile @Nullable Opened<K> opened;

    private enum State {
        NEW,
        OPENING,
        OPEN,
        CLOSED
    }

    /** An open journal; the maps and the number are guarded by the lock of the commits. */
    private static final class Opened<K> {
        final Closeable lock;
        final SegmentLog log;
        final GroupCommit commits;
        final Map<K, LiveRecord> pending = new HashMap<>();
        final Map<DeadName<K>, LiveRecord> dead = new HashMap<>();
        long nextNumber;

        Opened(Closeable lock, SegmentLog log, GroupCommit commits, long nextNumber) {
            this.lock = lock;
            this.log = log;
            this.commits = commits;
            this.nextNumber = nextNumber;
        }
    }

    private record DeadName<K>(K key, long sequence) {}

    SegmentedJournal(
            String name,
            JournalDisk disk,
            Codec<K> keys,
            Codec<V> values,
            FileJournalConfig config,
            RandomGenerator random) {
        this.name = name;
        this.disk = disk;
        this.keys = keys;
        this.values = values;
        this.config = config;
        this.random = random;
    }

    @Override
    public Durability durability() {
        return config.durability();
    }

    @Override
    public Recovered<K, V> open() throws IOException {
        if (!state.compareAndSet(State.NEW, State.OPENING)) {
            throw new IllegalStateException("journal \"" + name + "\": was opened or closed before");
        }
        boolean done = false;
        try {
            Closeable lock = disk.lock();
            try {
                Recovered<K, V> recovered = open(lock);
                done = true;
                return recovered;
            } finally {
                if (!done) {
                    lock.close();
                }
            }
        } finally {
            state.set(done ? State.OPEN : State.NEW);
        }
    }

    private Recovered<K, V> open(Closeable lock) throws IOException {
        Recovery read = Recovery.read(name, disk);
        RecoveredRecords<K, V> decoded = RecoveredRecords.of(read, keys, values);
        SegmentLog log;
        try {
            read.cleanUp();
            log = new SegmentLog(name, disk, config, random, read);
        } catch (IOException e) {
            throw new JournalException(
                    Reason.FAILED,
                    "journal \"" + name + "\": " + disk.path("") + " cannot be written: "
                            + Text.printable(e.getMessage()),
                    e);
        }
        boolean done = false;
        try {
            GroupCommit commits = new GroupCommit(name, log);
            Opened<K> made = new Opened<>(lock, log, commits, read.nextRecord());
            decoded.link(
                    log, made.pending, (key, letter) -> made.dead.put(new DeadName<>(key, letter.sequence), letter));
            byte[] stale = Records.gone(decoded.stale());
            commits.commit(stale.length, batch -> {
                if (!decoded.stale().isEmpty()) {
                    batch.add(stale, null, true);
                    decoded.stale().forEach(batch::remove);
                }
            });
            opened = made;
            done = true;
        } finally {
            if (!done) {
                log.close(false);
            }
        }
        return new Recovered<>(decoded.pending(), decoded.dead(), read.lastSequence());
    }

    @Override
    public void append(PendingWrite<K, V> write) throws IOException {
        Opened<K> journal = opened();
        byte[] record = record(write, null);
        journal.commits.commit(record.length, batch -> add(journal, batch, write, record, null));
    }

    @Override
    public void remove(Collection<PendingWrite<K, V>> writes) throws IOException {
        Opened<K> journal = opened();
        List<PendingWrite<K, V>> removed = List.copyOf(writes);
        if (removed.isEmpty()) {
            return;
        }
        journal.commits.commit(goneBytes(removed.size()), batch -> {
            List<LiveRecord> gone = new ArrayList<>(removed.size());
            for (PendingWrite<K, V> write : removed) {
                LiveRecord live = journal.pending.get(write.key());
                if (live != null && live.sequence == write.sequence()) {
                    journal.pending.remove(write.key());
                    gone.add(live);
                }
            }
            remove(batch, gone, false);
        });
    }

    @Override
    public void bury(DeadWrite<K, V> letter) throws IOException {
        Opened<K> journal = opened();
        PendingWrite<K, V> write = letter.write();
        Records.Death death = new Records.Death(letter.error(), letter.tries(), letter.diedAt(), letter.blocking());
        byte[] record = record(write, death);
        journal.commits.commit(record.length, batch -> {
            LiveRecord pending = journal.pending.get(write.key());
            if (pending != null && pending.sequence > write.sequence()) {
                pending = null; // a newer one
            } else if (pending != null) {
                journal.pending.remove(write.key());
            }
            LiveRecord made = new LiveRecord(journal.nextNumber++, write.sequence());
            LiveRecord same = journal.dead.put(new DeadName<>(write.key(), write.sequence()), made);
            add(batch, record, made, pending, same);
        });
    }

    @Override
    public void replay(DeadWrite<K, V> letter, PendingWrite<K, V> write) throws IOException {
        Opened<K> journal = opened();
        byte[] record = record(write, null);
        DeadName<K> name = new DeadName<>(letter.write().key(), letter.write().sequence());
        journal.commits.commit(record.length, batch -> add(journal, batch, write, record, journal.dead.remove(name)));
    }

    @Override
    public void discard(Collection<DeadWrite<K, V>> letters) throws IOException {
        Opened<K> journal = opened();
        List<DeadWrite<K, V>> discarded = List.copyOf(letters);
        if (discarded.isEmpty()) {
            return;
        }
        journal.commits.commit(goneBytes(discarded.size()), batch -> {
            List<LiveRecord> gone = new ArrayList<>(discarded.size());
            for (DeadWrite<K, V> letter : discarded) {
                LiveRecord live = journal.dead.remove(
                        new DeadName<>(letter.write().key(), letter.write().sequence()));
                if (live != null) {
                    gone.add(live);
                }
            }
            remove(batch, gone, true);
        });
    }

    /** Adds a write unless a newer one of its key is there; then it is superseded, and durable as soon as that one. */
    private void add(
            Opened<K> journal, Batch batch, PendingWrite<K, V> write, byte[] record, @Nullable LiveRecord replayed) {
        LiveRecord older = journal.pending.get(write.key());
        if (older != null && older.sequence > write.sequence()) {
            remove(batch, replayed == null ? List.of() : List.of(replayed), true);
            return;
        }
        LiveRecord made = new LiveRecord(journal.nextNumber++, write.sequence());
        journal.pending.put(write.key(), made);
        add(batch, record, made, older, replayed);
    }

    private static void add(
            Batch batch, byte[] record, LiveRecord made, @Nullable LiveRecord replaced, @Nullable LiveRecord another) {
        Records.number(record, made.number, number(replaced), number(another));
        batch.add(record, made, true);
        if (replaced != null) {
            batch.remove(replaced);
        }
        if (another != null) {
            batch.remove(another);
        }
    }

    private static long number(@Nullable LiveRecord record) {
        return record == null ? 0 : record.number;
    }

    /** Adds removals; none are a record too, whose batch is then waited for. */
    private static void remove(Batch batch, List<LiveRecord> gone, boolean force) {
        batch.add(Records.gone(gone), null, force);
        gone.forEach(batch::remove);
    }

    private static int goneBytes(int count) {
        return (int) Math.min(Integer.MAX_VALUE, Records.PREFIX_BYTES + (long) Long.BYTES * count);
    }

    private byte[] record(PendingWrite<K, V> write, Records.@Nullable Death death) {
        V value = write.value();
        byte[] key = bytes("key", keys, write.key());
        byte[] bytes = value == null ? null : bytes("value", values, value);
        long length = key.length + (bytes == null ? 0L : bytes.length);
        if (length > FileJournal.MAX_WRITE_BYTES) {
            throw new IllegalArgumentException("journal \"" + name + "\": key and value must have at most "
                    + FileJournal.MAX_WRITE_BYTES + " bytes, but had " + length);
        }
        return Records.write(key, bytes, write.sequence(), write.acceptedAt(), death);
    }

    /** What a codec throws is of this write alone, and must not be taken for a failure of the journal. */
    private <T> byte[] bytes(String what, Codec<T> codec, T object) {
        byte[] bytes;
        try {
            bytes = codec.encode(object);
        } catch (UncheckedIOException | IllegalStateException refused) {
            throw new IllegalArgumentException(
                    "journal \"" + name + "\": the codec cannot write a " + what + ": " + Text.ofThrown(refused),
                    refused);
        }
        return Require.nonNull("journal \"" + name + "\": bytes of a " + what, bytes);
    }

    private Opened<K> opened() {
        Opened<K> journal = opened;
        if (journal == null) {
            throw new IllegalStateException("journal \"" + name + "\": is not open");
        }
        return journal;
    }

    @Override
    public void close() throws IOException {
        if (state.get() == State.OPENING) {
            throw new IllegalStateException("journal \"" + name + "\": is being opened");
        }
        Opened<K> journal = opened;
        if (state.getAndSet(State.CLOSED) != State.OPEN || journal == null) {
            return;
        }
        try {
            close(journal);
        } finally {
            journal.lock.close();
        }
    }

    private void close(Opened<K> journal) throws IOException {
        boolean failed = journal.commits.hasFailed();
        try {
            if (!failed) {
                byte[] record = Records.closed();
                journal.commits.close(record.length, batch -> batch.add(record, null, true));
            }
        } finally {
            journal.log.close(!failed && !journal.commits.hasFailed());
        }
    }

    /** Returns how many bytes the segments have. */
    long bytes() {
        return opened().log.bytes();
    }
}
