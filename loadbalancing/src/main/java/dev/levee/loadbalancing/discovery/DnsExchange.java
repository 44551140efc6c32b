package dev.levee.loadbalancing.discovery;

import java.io.IOException;

/** Asks DNS one question: the seam between what a look-up wants to know and how it is asked. */
@FunctionalInterface
interface DnsExchange {
    /**
     * Asks. May block.
     *
     * @param name the whole name, as {@link DnsMessage#name} gives it
     * @param type the kind of records
     * @param deadlineNanos a reading of the clock after which nobody waits any more
     * @return an answer with or without records; its code says whether there is such a name
     * @throws IOException if nobody answered, or nobody knew
     */
    DnsMessage ask(String name, int type, long deadlineNanos) throws IOException;
}
