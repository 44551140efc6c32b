package dev.levee.cache;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The tags of entries, and when each was invalidated last: what makes all entries of a tag invalid at once, without
 * looking for them.
 *
 * <pre>{@code
 * entry --holds--> Tag(epoch) <--weakly-- name        an entry is outdated if a tag of it has an epoch after the one
 *                                                     at which its load, its write or its put began
 * invalidate(name)   now = now + 1;  there is a Tag?  yes: its epoch = now
 *                                                     no:  the epoch of the slot of the name = now
 * a new Tag          begins with the epoch of the slot of its name
 * }</pre>
 *
 * <p><b>Invariants.</b> An invalidation that began after a load did, is seen by the entry of that load, whenever its
 * tags become known: the {@code Tag} has it, or the slot had it when the {@code Tag} was made, since both are changed
 * under the lock of the name. A {@code Tag} that no entry holds is collected, and leaves its epoch to the slot. So
 * memory is bounded by what is held. Names that share a slot cost each other at most an entry that is not kept: one
 * whose load was running when the other name was invalidated, and is the first of its tag. See ADR 105.
 */
class Tags {
    /** A power of two; 16 KB. */
    private static final int SLOTS = 2_048;

    /** A tag that entries hold. */
    static final class Tag {
        final String name;

        /** When it was invalidated last; never goes back. */
        volatile long epoch;

        Tag(String name, long epoch) {
            this.name = name;
            this.epoch = epoch;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** What an entry knows of its tags. */
    interface Stamp {
        /** Returns whether the entry must not be served any more. */
        boolean isOutdated();
    }

    /** The tags of a value, and the epoch at which its load, write or put began. */
    private static final class OfValue implements Stamp {
        private final Tag[] tags;
        private final long epoch;

        OfValue(Tag[] tags, long epoch) {
            this.tags = tags;
            this.epoch = epoch;
        }

        @Override
        public boolean isOutdated() {
            for (Tag tag : tags) {
                if (tag.epoch - epoch > 0) {
                    return true;
                }
            }
            return false;
        }
    }

    /** What is known of an absent value, which might have any tag: that none was invalidated since. */
    private record OfAbsence(Tags all, long epoch) implements Stamp {
        @Override
        public boolean isOutdated() {
            return all.now() - epoch > 0;
        }
    }

    /** Finds a tag that is held, and knows its epoch when it is not any more. */
    private static final class Held extends WeakReference<Tag> {
        final String name;

        /** The epoch of the tag. Guarded by the lock of the name in {@link #held}. */
        long epoch;

        Held(Tag tag, ReferenceQueue<Tag> collected) {
            super(tag, collected);
            name = tag.name;
            epoch = tag.epoch;
        }
    }

    private final ConcurrentHashMap<String, Held> held = new ConcurrentHashMap<>();
    private final ReferenceQueue<Tag> collected = new ReferenceQueue<>();
    private final AtomicLong now = new AtomicLong();

    /** For names without a tag that is held: when one of the slot was invalidated last. */
    private final AtomicLongArray slots = new AtomicLongArray(SLOTS);

    /**
     * Returns the number of invalidations so far. A load, a write or a put reads it before it reads or writes the
     * store, and its entry keeps it.
     */
    long now() {
        return now.get();
    }

    /**
     * Returns what the entry of a value keeps, or null if it has no tags.
     *
     * @param epoch the reading of {@link #now} before the value was read
     */
    @Nullable Stamp of(Set<String> names, long epoch) {
        if (names.isEmpty()) {
            return null;
        }
        forgetCollected();
        Tag[] tags = new Tag[names.size()];
        int next = 0;
        for (String name : names) {
            tags[next++] = of(name);
        }
        return new OfValue(tags, epoch);
    }

    /** Returns what the entry of an absent value keeps. */
    Stamp ofAbsence(long epoch) {
        return new OfAbsence(this, epoch);
    }

    private Tag of(String name) {
        Held known = held.get(name);
        Tag tag = known == null ? null : known.get();
        if (tag != null) {
            return tag;
        }
        Tag[] found = new Tag[1];
        held.compute(name, (same, was) -> {
            Tag present = was == null ? null : was.get();
            if (was != null && present != null) {
                found[0] = present;
                return was;
            }
            Tag made = new Tag(same, Math.max(was == null ? 0 : was.epoch, epochOfUnknown(same)));
            found[0] = made;
            return new Held(made, collected);
        });
        return found[0];
    }

    /** Makes everything invalid that has this tag, or will turn out to have it and has begun before. */
    void invalidate(String name) {
        forgetCollected();
        held.compute(name, (same, was) -> {
            long epoch = now.incrementAndGet();
            if (was == null) {
                raiseUnknown(same, epoch);
                return null;
            }
            was.epoch = epoch;
            Tag tag = was.get();
            if (tag != null) {
                tag.epoch = epoch;
            }
            return was;
        });
    }

    /** Returns the epoch with which a tag begins whose name is not held. */
    long epochOfUnknown(String name) {
        return slots.get(slot(name));
    }

    private void raiseUnknown(String name, long epoch) {
        slots.accumulateAndGet(slot(name), epoch, Math::max);
    }

    private static int slot(String name) {
        int hash = name.hashCode() * 0x9E3779B9;
        return hash >>> (Integer.SIZE - Integer.numberOfTrailingZeros(SLOTS));
    }

    private void forgetCollected() {
        for (Object next = collected.poll(); next != null; next = collected.poll()) {
            Held gone = (Held) next;
            held.computeIfPresent(gone.name, (name, was) -> {
                if (was != gone) {
                    return was; // another one has taken its place, and its epoch
                }
                raiseUnknown(name, gone.epoch);
                return null;
            });
        }
    }

    /** Returns how many tags are held, or were not long ago. */
    int size() {
        forgetCollected();
        return held.size();
    }
}
