package dev.levee.ratelimit.concurrency;

/**
 * How a {@link SheddingBulkhead} keeps its queue from being a standing one: which calls it lets wait no longer.
 *
 * <p>Both have two times, {@linkplain SheddingBulkheadConfig.Builder#target target} and
 * {@linkplain SheddingBulkheadConfig.Builder#interval interval}.
 *
 * @since 0.1
 */
public enum WaitControl {
    /**
     * A call may wait for the interval if the queue was empty within the interval before it came, else for the target.
     * A burst has time to be worked off, and in a standing queue waits are short. The right one for requests of many
     * independent callers.
     *
     * @see <a href="https://queue.acm.org/detail.cfm?id=2839461">Maurer: Fail at Scale (ACM Queue 13(8), 2015)</a>
     */
    STANDING_QUEUE,
    /**
     * When the oldest of the least critical calls has waited for more than the target during a whole interval, it is
     * refused, and after it others at times that get closer by the square root of their number, until waits are below
     * the target. Refuses as few as are needed if callers slow down when they are refused. Those that are left wait
     * until their deadline: set a maximum.
     *
     * @see <a href="https://www.rfc-editor.org/rfc/rfc8289">Nichols, Jacobson, McGregor, Iyengar: Controlled Delay
     *     Active Queue Management (RFC 8289, 2018)</a>
     */
    CODEL
}
