package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;
import java.util.List;

/**
 * Requests for permits that go to a {@link QuotaStore} together.
 *
 * @param node identifies the process, and differs from those of all others: random
 * @param sequence grows with each batch of the node; a batch that is sent again has the same
 * @param requests at least one
 * @since 0.1
 */
public record QuotaBatch(String node, long sequence, List<QuotaRequest> requests) {
    /**
     * Makes a batch.
     *
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no request
     */
    public QuotaBatch {
        Require.nonNull("node", node);
        requests = List.copyOf(Require.nonNull("requests", requests));
        Require.range("number of requests", requests.size(), 1, Integer.MAX_VALUE);
    }
}
