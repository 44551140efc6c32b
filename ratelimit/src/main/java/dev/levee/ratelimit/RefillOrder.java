package dev.levee.ratelimit;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Buckets in the order in which they will be full again: a binary heap by the time at which each was last seen to be
 * full again.
 *
 * <pre>{@code
 *               heap[0]: lowest rank
 *              /                    \
 *       heap[1]                      heap[2]          rank of a parent <= rank of its children
 *      /       \                    /       \         rank of a bucket <= its tat
 * heap[3]     heap[4]          heap[5]     heap[6]     heap[i].place == i
 * }</pre>
 *
 * <p><b>Invariants.</b> The time of a bucket only grows while the bucket is in use, and grows without a change of the
 * heap. So a rank is a lower bound: if the first bucket still has the time it was ranked by, no other can be earlier;
 * if not, {@link #rerank} moves it to its place. Ranks are compared by difference, because ticks wrap. Not thread-safe.
 * See ADR 19.
 *
 * @see <a href="https://doi.org/10.1145/512274.512284">J. W. J. Williams, Algorithm 232: Heapsort, Communications of
 *     the ACM 7, 1964</a>
 */
final class RefillOrder<K> {
    private @Nullable KeyBucket<K>[] heap;
    private int size;

    @SuppressWarnings({"unchecked", "rawtypes"})
    RefillOrder() {
        heap = (KeyBucket<K>[]) new KeyBucket[16];
    }

    int size() {
        return size;
    }

    KeyBucket<K> first() {
        return at(0);
    }

    void add(KeyBucket<K> bucket) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        bucket.rank = bucket.tat();
        up(bucket, size++);
    }

    /** Moves a bucket whose time has grown to the place of that time. */
    void rerank(KeyBucket<K> bucket, long tat) {
        bucket.rank = tat;
        down(bucket, bucket.place);
    }

    void remove(KeyBucket<K> bucket) {
        KeyBucket<K> last = at(--size);
        heap[size] = null;
        if (last != bucket) {
            down(last, bucket.place);
            up(last, last.place);
        }
    }

    private void up(KeyBucket<K> bucket, int from) {
        int place = from;
        while (place > 0) {
            KeyBucket<K> parent = at((place - 1) >>> 1);
            if (parent.rank - bucket.rank <= 0) {
                break;
            }
            put(parent, place);
            place = (place - 1) >>> 1;
        }
        put(bucket, place);
    }

    private void down(KeyBucket<K> bucket, int from) {
        int place = from;
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            if (child + 1 < size && at(child + 1).rank - at(child).rank < 0) {
                child++;
            }
            if (bucket.rank - at(child).rank <= 0) {
                break;
            }
            put(at(child), place);
            place = child;
        }
        put(bucket, place);
    }

    private void put(KeyBucket<K> bucket, int place) {
        heap[place] = bucket;
        bucket.place = place;
    }

    private KeyBucket<K> at(int place) {
        KeyBucket<K> bucket = heap[place];
        if (bucket == null) {
            throw new AssertionError("hole in the heap at " + place + " of " + size);
        }
        return bucket;
    }
}
