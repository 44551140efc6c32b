package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.SafeLog;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds permits that are held too long, and says so in the log: at once, and again while there are any. */
final class HeldPermits {
    private static final Logger LOG = LoggerFactory.getLogger(AdaptiveBulkhead.class);

    /** So many looks in the time that is too long. */
    private static final int LOOKS = 4;

    private final String bulkhead;
    private final PermitSlots slots;
    private volatile long tooLongNanos;
    private final AtomicLong lastLook;

    HeldPermits(String bulkhead, PermitSlots slots, long tooLongNanos, long nowNanos) {
        this.bulkhead = bulkhead;
        this.slots = slots;
        this.tooLongNanos = tooLongNanos;
        this.lastLook = new AtomicLong(nowNanos);
    }

    /** Changes from what age on permits are held too long. */
    void tooLong(long nanos) {
        tooLongNanos = nanos;
    }

    /** Looks, if it is time for that. */
    void lookSometimes(long nowNanos) {
        long last = lastLook.get();
        if (nowNanos - last < Math.max(1, tooLongNanos / LOOKS) || !lastLook.compareAndSet(last, nowNanos)) {
            return;
        }
        int count = count(nowNanos);
        if (count > 0) {
            SafeLog.warn(
                    LOG,
                    "bulkhead \"{}\": {} permits are held for longer than {}, the oldest for {}; were they given back?",
                    bulkhead,
                    count,
                    Duration.ofNanos(tooLongNanos),
                    Duration.ofNanos(longestNanos(nowNanos)));
        }
    }

    int count(long nowNanos) {
        int[] count = new int[1];
        slots.visit(since -> count[0] += nowNanos - since > tooLongNanos ? 1 : 0);
        return count[0];
    }

    long longestNanos(long nowNanos) {
        long[] longest = new long[1];
        slots.visit(since -> longest[0] = Math.max(longest[0], nowNanos - since));
        return longest[0];
    }
}
