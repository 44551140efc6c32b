package dev.levee.cache.writebehind;

/**
 * What has become of the writes of a {@link WriteBehind}: {@code accepted} is the sum of all others at any moment.
 *
 * @param accepted how many were accepted, those that a journal had kept and those that were replayed included
 * @param written how many the store has got
 * @param coalesced how many were replaced by a newer write of their key before the store got them
 * @param dead how many became dead letters, replayed and discarded ones included
 * @param dropped how many were given up for newer ones ({@link WriteOverflow#DROP_OLDEST})
 * @param returned how many were left when it was closed
 * @param pending how many wait
 * @param inFlight how many are on their way to the store
 * @since 0.1
 */
public record WriteBehindCounts(
        long accepted,
        long written,
        long coalesced,
        long dead,
        long dropped,
        long returned,
        long pending,
        long inFlight) {
    WriteBehindCounts plus(WriteBehindCounts other) {
        return new WriteBehindCounts(
                accepted + other.accepted,
                written + other.written,
                coalesced + other.coalesced,
                dead + other.dead,
                dropped + other.dropped,
                returned + other.returned,
                pending + other.pending,
                inFlight + other.inFlight);
    }
}
