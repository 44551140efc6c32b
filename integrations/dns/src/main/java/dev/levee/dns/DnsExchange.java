package dev.levee.dns;

import java.io.IOException;
import org.xbill.DNS.Message;

/** Gets the answer to one query: the seam between what a look-up wants to know and how servers are reached. */
@FunctionalInterface
interface DnsExchange {
    /**
     * Sends a query and waits for the answer.
     *
     * @param query a message with one question
     * @param deadlineNanos a reading of the clock after which nothing is awaited
     * @return an answer with or without records; its code is {@code NOERROR} or {@code NXDOMAIN}
     * @throws ServerFailureException if servers answered, but none of them knew
     * @throws IOException if no server answered
     */
    Message send(Message query, long deadlineNanos) throws IOException;
}
