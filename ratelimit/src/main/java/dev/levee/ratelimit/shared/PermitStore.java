package dev.levee.ratelimit.shared;

import java.util.concurrent.CompletableFuture;

/**
 * Keeps which process holds how many permits of a {@link SharedBulkhead}, in a server that they share. For authors of
 * integrations.
 *
 * <p>Each renewal is decided at the server in one step that no other one interrupts. Thread-safe; never blocks.
 *
 * <p><b>Rules.</b>
 *
 * <ol>
 *   <li><b>Bound.</b> The permits of all leases that have not ended are never more than the limit, unless the limit was
 *       lowered: then nothing is added until they are not.
 *   <li><b>Life.</b> A lease ends {@link PermitRequest#lifeNanos} after the renewal has reached the server, and its
 *       permits are free then, whatever became of the process. By a clock of the server that is set ahead it ends no
 *       sooner than that, as far as the processes that ask can tell.
 *   <li><b>What a process holds</b> is never taken away: it gets at least {@link PermitRequest#held} while its lease
 *       has not ended, and, if it has, as many of them as are free.
 *   <li><b>Shares.</b> {@link PermitLease#share} is how many the process may have by a fair division of the limit:
 *       max-min over what each needs, and what is then left in equal parts over those that want more. More than that is
 *       not added. A process that holds more gives the rest back with the next renewal.
 *   <li><b>Once.</b> The store remembers the last sequence of each process. A renewal with that sequence changes
 *       nothing, and is told what the lease has; so does one with a lower sequence, which is a late copy.
 *   <li><b>Terms.</b> The first renewal lays limit and life down. A higher revision replaces them; a lower one is told
 *       those that apply. Others of the same revision are a conflict, and get nothing, as long as another process has a
 *       lease.
 *   <li><b>A store that forgets</b> gives nothing but what is held already, until a life has passed since it began to
 *       remember: leases of which it knows nothing have ended then.
 * </ol>
 *
 * @since 0.1
 */
public interface PermitStore {
    /**
     * Renews the lease of a process, or takes its first one, or gives permits back.
     *
     * @param request what is held and wanted
     * @return the lease; fails if the server cannot be asked, or answers something else than this store understands. It
     *     is completed on any thread, and may be cancelled; one that is never completed is no harm, as the caller has a
     *     time-out of its own
     */
    CompletableFuture<PermitLease> renew(PermitRequest request);
}
