package dev.levee.simulator.concurrency;

import dev.levee.simulator.Event;
import dev.levee.simulator.VirtualTime;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * A server whose cores are shared by all calls, and which does less the more there are: with n calls on c cores the
 * work of all goes on at {@code min(n, c) / (1 + k n^2)}, the coherency term of the Universal Scalability Law (Neil J.
 * Gunther, A Simple Capacity Model of Massively Parallel Transaction Systems, 1993). It goes on with calls whose caller
 * has given up.
 */
final class ContendedServer {
    private record Job(double finish, long number, Runnable ended) {}

    private final VirtualTime time;
    private final double cores;
    private final double contention;
    private final PriorityQueue<Job> jobs =
            new PriorityQueue<>(Comparator.comparingDouble(Job::finish).thenComparingLong(Job::number));
    private final Event firstEnd = Event.of(this::firstEnds);
    private double speed = 1;
    private double done;
    private long updated;
    private long number;

    ContendedServer(VirtualTime time, double cores, double contention) {
        this.time = time;
        this.cores = cores;
        this.contention = contention;
    }

    /** Begins a call that is so much work, in nanoseconds of a core. */
    void begin(double work, Runnable ended) {
        advance();
        jobs.add(new Job(done + work, number++, ended));
        expectFirstEnd();
    }

    void setSpeed(double value) {
        advance();
        speed = value;
        expectFirstEnd();
    }

    private double ratePerJob() {
        double n = jobs.size();
        return speed * Math.min(1, cores / n) / (1 + contention * n * n);
    }

    private void advance() {
        long now = time.now();
        if (jobs.isEmpty()) {
            done = 0;
        } else {
            done += (now - updated) * ratePerJob();
        }
        updated = now;
    }

    private void expectFirstEnd() {
        Job first = jobs.peek();
        if (first == null) {
            time.cancel(firstEnd);
        } else {
            double nanos = Math.max(0, (first.finish() - done) / ratePerJob());
            time.after((long) Math.min(Math.ceil(nanos), 1e18), firstEnd);
        }
    }

    private void firstEnds() {
        Job first = jobs.remove();
        updated = time.now();
        done = first.finish(); // exactly, so that rounding never piles up
        expectFirstEnd();
        first.ended().run();
    }
}
