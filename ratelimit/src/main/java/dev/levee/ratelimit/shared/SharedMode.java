package dev.levee.ratelimit.shared;

/**
 * Where a limit that several processes share is decided: the choice between round trips, burst and exactness.
 *
 * <p>With {@code C} the capacity of the limit, {@code r} its rate, {@code T} any window, and over all processes:
 *
 * <table>
 *   <caption>What each mode admits</caption>
 *   <tr><th>mode</th><th>at most</th><th>a call costs</th></tr>
 *   <tr><td>{@link #EXACT}</td><td>{@code C + r*T}, by the moments at which the store decides</td>
 *       <td>a round trip, that calls of one process share</td></tr>
 *   <tr><td>{@link #LEASED}</td><td>{@code C + r*T}, by the clock of each process; {@code C - r*D} at once, where
 *       {@code D} is the life of a lease</td><td>mostly what a local limiter costs</td></tr>
 *   <tr><td>{@link #RELAXED}</td><td>{@code C + r*T + N*U}: each of {@code N} processes is at most {@code U} permits
 *       ahead; one that was restarted counts again</td><td>mostly what a local limiter costs</td></tr>
 * </table>
 *
 * <p>None of them depends on how many processes there are, on their clocks, or on whether they crash, pause or are cut
 * off; what a process does that is cut off is the choice of {@link OnOutage}. See ADR 142 and ADR 143.
 *
 * @since 0.1
 */
public enum SharedMode {
    /** Each call is decided at the store. Refusals are decided locally until the store has permits again. */
    EXACT,

    /**
     * A process takes permits ahead for a short time, and decides locally: as many as it needs at its rate, one at a
     * time when it is slow or few are left. What it does not use in time is lost.
     */
    LEASED,

    /** A process counts locally, and tells the store at intervals. */
    RELAXED
}
