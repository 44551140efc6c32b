package dev.levee.core.policy;

import dev.levee.core.RefusedException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The failures of earlier attempts, of which the latest few are kept. */
final class Failures {
    private static final int MOST = 8;

    private final Deque<Throwable> earlier = new ArrayDeque<>();

    void add(@Nullable Throwable error) {
        if (error == null) {
            return;
        }
        if (earlier.size() == MOST) {
            earlier.removeFirst();
        }
        earlier.addLast(error);
    }

    @Nullable Throwable takeLast() {
        return earlier.pollLast();
    }

    /** The last failure, carrying the earlier ones. A refusal that many share is copied first. */
    Throwable onto(Throwable last) {
        if (earlier.isEmpty()) {
            return last;
        }
        Throwable carrier = last instanceof RefusedException refused ? refused.detached() : last;
        suppressAllIn(carrier);
        return carrier;
    }

    void suppressAllIn(Throwable carrier) {
        for (Throwable failure : earlier) {
            if (failure != carrier) {
                carrier.addSuppressed(failure);
            }
        }
    }
}
