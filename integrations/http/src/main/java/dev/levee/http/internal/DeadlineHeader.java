package dev.levee.http.internal;

import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import java.util.List;

/** The header that tells a server how long its answer is waited for. */
public final class DeadlineHeader {
    private DeadlineHeader() {}

    /**
     * Returns whether a server is to see what is left here: it is less than what the request says, if that can be
     * understood.
     *
     * @param left what is left here, in nanoseconds
     * @param written the values of the header that the request has
     * @param clock the clock of deadlines
     * @return false too if the request says what cannot be understood: that is for the server to say
     * @throws NullPointerException if an argument is null
     */
    public static boolean isLess(long left, List<String> written, NanoClock clock) {
        if (written.isEmpty()) {
            return true;
        }
        try {
            return left < Deadline.ofHeader(String.join(",", written), clock).remainingNanos();
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }
}
