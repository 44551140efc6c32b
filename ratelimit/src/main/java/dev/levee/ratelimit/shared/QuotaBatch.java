package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;
import java.util.List;

/**
 * Requests for permits that go to a {@link QuotaStore} together.
 *
 * <p>No two requests of a batch are of one limiter and key. Of one limiter and key a process has one request on its way
 * at a time: it sends the next one, with a higher sequence, when that was answered or was given up.
 *
 * @param node identifies the process, and differs from those of all others: random, from 1 to 64 letters and digits
 * @param sequence grows with each batch of the node; a batch that is sent again has the same
 * @param requests at least one
 * @since 0.1
 */
public record QuotaBatch(String node, long sequence, List<QuotaRequest> requests) {
    /**
     * Makes a batch.
     *
     * @param node identifies the process, and differs from those of all others: random, from 1 to 64 letters and digits
     * @param sequence grows with each batch of the node; a batch that is sent again has the same
     * @param requests at least one
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no request
     */
    public QuotaBatch {
        Require.nonNull("node", node);
        requests = List.copyOf(Require.nonNull("requests", requests));
        Require.range("number of requests", requests.size(), 1, Integer.MAX_VALUE);
    }
}
