package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;

/** Nodes with clocks of their own and one store, in one virtual time. */
final class SharedCluster {
    static final long MILLI = 1_000_000;

    final ManualTime time = ManualTime.startingAt(1L << 60);
    final MemoryQuotaStore store =
            new MemoryQuotaStore(time::nanoTime, Duration.ofMinutes(1).toNanos());

    /** One process. */
    static final class Node {
        final FaultyStore way;
        final SharedLimits limits;
        final Environment environment;

        Node(SharedCluster cluster, long offsetNanos, SharedLimits.Delivery delivery) {
            environment = cluster.time.environment().toBuilder()
                    .clock(() -> cluster.time.nanoTime() + offsetNanos)
                    .executor(Runnable::run)
                    .build();
            way = new FaultyStore(cluster.store, environment);
            limits = SharedLimits.of("redis", way, delivery, environment);
        }
    }

    Node node() {
        return node(0);
    }

    /** A node whose clock is ahead by some time. */
    Node node(long offsetNanos) {
        return new Node(this, offsetNanos, SharedLimits.Delivery.DEFAULT);
    }

    void pass(long millis) {
        time.advance(Duration.ofMillis(millis));
    }
}
