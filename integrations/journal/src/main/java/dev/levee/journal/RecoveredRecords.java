package dev.levee.journal;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The live records of a journal, decoded before anything in it is changed. */
final class RecoveredRecords<K, V> {
    private final Recovery read;
    private final List<Loaded<K, V>> loaded = new ArrayList<>();
    private final Map<K, Loaded<K, V>> newest = new HashMap<>();
    private final Map<Long, DeadWrite<K, V>> dead = new TreeMap<>();
    private final List<LiveRecord> stale = new ArrayList<>();

    /** A live record with its place and what it says. */
    private record Loaded<K, V>(
            LiveRecord live, PendingWrite<K, V> write, boolean isDead, Segment segment, int offset, int length) {}

    /** Takes a dead letter of a key. */
    interface Letters<K> {
        void put(K key, LiveRecord letter);
    }

    private RecoveredRecords(Recovery read) {
        this.read = read;
    }

    static <K, V> RecoveredRecords<K, V> of(Recovery read, Codec<K> keys, Codec<V> values) throws JournalException {
        RecoveredRecords<K, V> records = new RecoveredRecords<>(read);
        List<Records.Read> inOrder = new ArrayList<>(read.live().values());
        inOrder.sort(Comparator.comparingLong((Records.Read it) -> it.segment().number)
                .thenComparingInt(Records.Read::offset));
        read.live().clear();
        for (Records.Read record : inOrder) {
            records.add(record, keys, values);
        }
        return records;
    }

    private void add(Records.Read record, Codec<K> keys, Codec<V> values) throws JournalException {
        LiveRecord live = new LiveRecord(record.number(), record.sequence());
        PendingWrite<K, V> write = decode(record, keys, values);
        Loaded<K, V> added =
                new Loaded<>(live, write, record.isDead(), record.segment(), record.offset(), record.length());
        loaded.add(added);
        if (record.isDead()) {
            Records.Death death = record.death();
            dead.put(
                    live.number,
                    new DeadWrite<>(write, death.error(), death.tries(), death.diedAt(), death.blocking()));
            return;
        }
        Loaded<K, V> other = newest.get(write.key());
        if (other == null) {
            newest.put(write.key(), added);
        } else if (other.live.sequence < live.sequence) {
            newest.put(write.key(), added);
            stale.add(other.live);
        } else {
            stale.add(live);
        }
    }

    private PendingWrite<K, V> decode(Records.Read record, Codec<K> keys, Codec<V> values) throws JournalException {
        try {
            K key = Require.nonNull("key", keys.decode(record.key()));
            byte[] bytes = record.value();
            V value = bytes == null ? null : Require.nonNull("value", values.decode(bytes));
            return new PendingWrite<>(key, value, record.sequence(), record.acceptedAt());
        } catch (RuntimeException e) {
            throw read.unreadable(record, e);
        }
    }

    /** Says where the records are, and which of them are live by name. */
    void link(SegmentLog log, Map<K, LiveRecord> pending, Letters<K> letters) {
        for (Loaded<K, V> it : loaded) {
            log.link(it.live, it.segment, it.offset, it.length);
            if (it.isDead) {
                letters.put(it.write.key(), it.live);
            }
        }
        newest.forEach((key, it) -> pending.put(key, it.live));
    }

    /** Returns the pending writes in the order of their sequences. */
    List<PendingWrite<K, V>> pending() {
        List<Loaded<K, V>> inOrder = new ArrayList<>(newest.values());
        inOrder.sort(Comparator.comparingLong((Loaded<K, V> it) -> it.live.sequence)
                .thenComparingLong(it -> it.live.number));
        List<PendingWrite<K, V>> writes = new ArrayList<>(inOrder.size());
        inOrder.forEach(it -> writes.add(it.write));
        return writes;
    }

    /** Returns the dead letters in the order in which they were buried. */
    List<DeadWrite<K, V>> dead() {
        return new ArrayList<>(dead.values());
    }

    /** Returns writes whose key has a newer one: a codec may write equal keys as different bytes. */
    List<LiveRecord> stale() {
        return stale;
    }
}
