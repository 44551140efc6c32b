package dev.levee.dns;

import dev.levee.core.NanoClock;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Remembers for a while which name servers did not answer, so that the first one of a list, when it is down, does not
 * delay each query; and which do not understand EDNS. Thread-safe.
 */
final class ServerHistory {
    static final long MIN_AVOID_NANOS = 30_000_000_000L;
    static final long MAX_AVOID_NANOS = 300_000_000_000L;
    static final long PLAIN_NANOS = 600_000_000_000L;

    private static final int MAX_DOUBLINGS = 4;

    /** Silences in a row, and the end of the time for which the server comes last. */
    private record Avoided(int silences, long untilNanos) {}

    private final ConcurrentMap<InetSocketAddress, Avoided> silent = new ConcurrentHashMap<>();
    private final ConcurrentMap<InetSocketAddress, Long> plainUntil = new ConcurrentHashMap<>();
    private final NanoClock clock;

    ServerHistory(NanoClock clock) {
        this.clock = clock;
    }

    /** Returns the servers in their order, those that were silent a short time ago behind the others. */
    List<InetSocketAddress> inOrder(List<InetSocketAddress> servers) {
        silent.keySet().retainAll(servers);
        plainUntil.keySet().retainAll(servers);
        long now = clock.nanoTime();
        List<InetSocketAddress> ordered = new ArrayList<>(servers.size());
        List<InetSocketAddress> last = new ArrayList<>();
        for (InetSocketAddress server : servers) {
            Avoided avoided = silent.get(server);
            (avoided == null || avoided.untilNanos - now <= 0 ? ordered : last).add(server);
        }
        ordered.addAll(last);
        return ordered;
    }

    void answered(InetSocketAddress server) {
        silent.remove(server);
    }

    /** Avoids the server for 30 s, and for twice as long each time that it is silent again, at most 5 min. */
    void wasSilent(InetSocketAddress server) {
        long now = clock.nanoTime();
        silent.compute(server, (it, before) -> {
            if (before != null && before.untilNanos - now > 0) {
                return before; // one of several queries at the same time, or the second attempt
            }
            int silences = before == null ? 0 : Math.min(before.silences + 1, MAX_DOUBLINGS);
            return new Avoided(silences, now + Math.min(MIN_AVOID_NANOS << silences, MAX_AVOID_NANOS));
        });
    }

    boolean understandsEdns(InetSocketAddress server) {
        Long until = plainUntil.get(server);
        return until == null || until - clock.nanoTime() <= 0;
    }

    void answeredOnlyPlain(InetSocketAddress server) {
        plainUntil.put(server, clock.nanoTime() + PLAIN_NANOS);
    }
}
