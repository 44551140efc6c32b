package dev.levee.examples.shortlink.smoke;

import dev.levee.console.Console;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Cluster;
import dev.levee.examples.shortlink.node.LinkTable;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Buttons of the live page that break a running cluster, and mend it again: requests as in the smoke test, a node that
 * is killed, a database that is slow, and a tenant that floods the front. Thread-safe.
 */
public final class Rehearsal {
    /** Longer than a node waits for its database, so that its breaker opens. */
    private static final Duration SLOW = Duration.ofMillis(200);

    /** How long it takes at most until a load has ended after it was switched off. */
    private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int TOKEN_BYTES = 16;

    private final Cluster cluster;
    private final Workload workload;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicBoolean requests = new AtomicBoolean();
    private final AtomicBoolean flood = new AtomicBoolean();
    private final AtomicBoolean slow = new AtomicBoolean();
    private final AtomicBoolean redis = new AtomicBoolean();
    private final AtomicBoolean replica = new AtomicBoolean();
    private final AtomicBoolean[] killed = new AtomicBoolean[Cluster.NODES];

    private Rehearsal(Cluster cluster, Workload workload) {
        this.cluster = cluster;
        this.workload = workload;
        for (int node = 0; node < killed.length; node++) {
            killed[node] = new AtomicBoolean();
        }
    }

    /**
     * Prepares the links that requests will ask for.
     *
     * @param cluster what is rehearsed with
     * @param urls the well-known URLs
     * @return the rehearsal, which has not begun
     * @throws UsageException if the links cannot be stored
     */
    public static Rehearsal of(Cluster cluster, List<String> urls) throws UsageException {
        Workload workload = Workload.of(urls, Workload.RATE, TURN_NANOS, 0);
        try {
            LinkTable.seed(cluster.database(), workload.stored());
        } catch (SQLException e) {
            throw new UsageException("cannot store the URLs: " + e.getMessage());
        }
        return new Rehearsal(cluster, workload);
    }

    /**
     * Returns a token for the buttons that cannot be guessed.
     *
     * @return hexadecimal digits, others each time
     */
    public static String token() {
        byte[] bytes = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /**
     * Shows the cluster with its buttons.
     *
     * @param console where
     */
    public void showOn(Console console) {
        for (int front = 0; front < cluster.fronts().size(); front++) {
            console.show(cluster.fronts().size() == 1 ? "front" : "front-" + (front + 1), cluster.frontFigures(front));
        }
        for (int node = 0; node < Cluster.NODES; node++) {
            console.show("node-" + (node + 1), cluster.nodeFigures(node));
        }
        LoadDriver driver = new LoadDriver(cluster.fronts(), false);
        console.toggle(
                "Send requests",
                on -> repeat("requests", requests, on, () -> driver.run(workload.requests(), System.nanoTime())),
                requests::get);
        for (int node = 0; node < Cluster.NODES; node++) {
            int number = node;
            console.toggle(
                    "Kill node-" + (node + 1),
                    on -> kill(killed[number], on, () -> cluster.killNode(number), () -> cluster.startNode(number)),
                    killed[node]::get);
        }
        if (cluster.engines().redis()) {
            console.toggle("Kill Redis", on -> kill(redis, on, cluster::killRedis, cluster::startRedis), redis::get);
        }
        if (cluster.engines().replicas()) {
            console.toggle(
                    "Kill the replica",
                    on -> kill(replica, on, cluster::killReplica, cluster::startReplica),
                    replica::get);
        } else {
            console.toggle("Slow the database", this::slow, slow::get);
        }
        console.toggle(
                "Flood the front",
                on -> repeat("flood", flood, on, () -> new Flood(cluster.front()).run(TURN_NANOS)),
                flood::get);
    }

    private static void repeat(String name, AtomicBoolean flag, boolean on, Runnable turn) {
        if (!on) {
            flag.set(false);
        } else if (flag.compareAndSet(false, true)) {
            Thread thread = new Thread(
                    () -> {
                        while (flag.get()) {
                            turn.run();
                        }
                    },
                    name);
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Starts a process again. */
    @FunctionalInterface
    private interface Start {
        void run() throws UsageException, InterruptedException;
    }

    private void kill(AtomicBoolean killed, boolean on, Runnable kill, Start start) {
        lock.lock();
        try {
            if (killed.get() == on) {
                return;
            }
            if (on) {
                kill.run();
            } else {
                start.run();
            }
            killed.set(on);
        } catch (UsageException e) {
            throw new IllegalStateException("it does not start", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    private void slow(boolean on) {
        cluster.slowDatabase(on ? SLOW : Duration.ZERO);
        slow.set(on);
    }
}
