package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * What a circuit breaker does, written down as simply as it can be: lists of everything, counted anew each time, no
 * concurrency. Time is counted from the start of the test.
 */
final class Model {
    /** The settings, as plain as they come; 0 or less means "not set". */
    record Settings(
            int count,
            long timeNanos,
            int inARow,
            int minimum,
            double failureRate,
            double slowRate,
            long slowNanos,
            long openNanos,
            double multiplier,
            long openCapNanos,
            double jitter,
            long hintCapNanos,
            int probes,
            int successes,
            long leaseNanos,
            boolean expiredFail,
            long rampStepNanos,
            List<Double> rampShares,
            long seed) {
        boolean hasWindowOf(Settings other) {
            return count == other.count && timeNanos == other.timeNanos && (inARow > 0) == (other.inARow > 0);
        }
    }

    /** A call that was admitted: in which epoch, and when. */
    static final class Ticket {
        final int epoch;
        final long start;
        String probe = ""; // "" if it is none, else "leased", "returned", "failed" and so on

        Ticket(int epoch, long start) {
            this.epoch = epoch;
            this.start = start;
        }
    }

    record Outcome(long end, boolean failed, boolean slow) {}

    private Settings settings;

    /** As they were when the probes, or the ramp, began. */
    private Settings begun;

    private final Random random;
    final List<String> changes = new ArrayList<>();
    long now;
    State state = State.CLOSED;
    private int epoch;
    private long since;
    private long openNanos;
    private long rampAsked;
    private int reopenings = -1;
    private List<Outcome> outcomes = new ArrayList<>();
    private List<Outcome> opener = List.of();
    private final List<Ticket> leased = new ArrayList<>();

    Model(Settings settings) {
        this.settings = settings;
        this.begun = settings;
        this.random = new Random(settings.seed);
    }

    /** Null if it is refused. */
    Ticket enter() {
        catchUp();
        Ticket ticket = new Ticket(epoch, now);
        switch (state) {
            case OPEN, FORCED_OPEN -> {
                return null;
            }
            case HALF_OPEN -> {
                if (leased.size() + outcomes.size() >= begun.probes) {
                    return null;
                }
                ticket.probe = "leased";
                leased.add(ticket);
            }
            case RAMPING -> {
                double place = ((rampAsked++ * 0x9E3779B97F4A7C15L) >>> 11) * 0x1p-53;
                if (place >= share()) {
                    return null;
                }
            }
            default -> {}
        }
        return ticket;
    }

    void exit(Ticket ticket, Verdict verdict, long hint) {
        catchUp();
        if (ticket.epoch != epoch || state == State.DISABLED) {
            return;
        }
        boolean slow = settings.slowNanos > 0 && now - ticket.start >= settings.slowNanos;
        Outcome outcome = new Outcome(now, verdict != Verdict.SUCCESS, slow);
        if (state == State.HALF_OPEN) {
            if (leased.remove(ticket) && verdict != Verdict.IGNORED) {
                outcomes.add(outcome);
                decide(now, hint);
            }
        } else if (verdict != Verdict.IGNORED) {
            outcomes.add(outcome);
            if (state == State.CLOSED && isTooBad(settings.minimum)) {
                open(now, hint);
            } else if (state == State.RAMPING && isTooBad(Math.min(settings.minimum, settings.probes))) {
                open(now, hint);
            }
        }
    }

    void set(State to) {
        catchUp();
        if (state != to || to == State.CLOSED || (to == State.FORCED_OPEN && openNanos < Long.MAX_VALUE)) {
            reopenings = to == State.FORCED_OPEN || to == State.HALF_OPEN ? reopenings : -1;
            openNanos = Long.MAX_VALUE;
            move(to, now);
        }
    }

    void forceOpen(long nanos) {
        catchUp();
        openNanos = nanos;
        move(State.FORCED_OPEN, now);
    }

    void allowProbe() {
        catchUp();
        if (state == State.OPEN) {
            move(State.HALF_OPEN, now);
        }
    }

    void reconfigure(Settings other) {
        catchUp();
        if (!other.hasWindowOf(settings) && state != State.OPEN && state != State.HALF_OPEN) {
            outcomes.clear();
        }
        settings = other;
    }

    private double share() {
        return begun.rampShares.get((int) ((now - since) / begun.rampStepNanos));
    }

    void catchUp() {
        while (true) {
            if (state == State.RAMPING && now - since >= begun.rampStepNanos * begun.rampShares.size()) {
                reopenings = -1;
                move(State.CLOSED, since + begun.rampStepNanos * begun.rampShares.size());
            }
            if ((state == State.OPEN || state == State.FORCED_OPEN) && now - since >= openNanos) {
                move(State.HALF_OPEN, since + openNanos);
                continue;
            }
            Optional<Ticket> expired = leased.stream()
                    .filter(ticket -> now - ticket.start >= begun.leaseNanos)
                    .min(Comparator.comparingLong(ticket -> ticket.start));
            if (expired.isEmpty()) {
                return;
            }
            Ticket ticket = expired.get();
            leased.remove(ticket);
            if (settings.expiredFail) {
                long deadline = ticket.start + begun.leaseNanos;
                outcomes.add(new Outcome(deadline, true, settings.slowRate > 0));
                decide(deadline, -1);
            }
        }
    }

    /** Half-open: finds out whether every way in which the remaining probes can end leads to the same. */
    private void decide(long at, long hint) {
        int open = begun.probes - outcomes.size();
        boolean bestIsBad = isBadProbes(failed(outcomes), slow(outcomes));
        boolean worstIsBad = isBadProbes(failed(outcomes) + open, slow(outcomes) + open);
        if (bestIsBad) {
            open(at, hint);
        } else if (!worstIsBad && !settings.rampShares.isEmpty()) {
            move(State.RAMPING, at);
        } else if (!worstIsBad) {
            reopenings = -1;
            move(State.CLOSED, at);
        }
    }

    private boolean isBadProbes(long failed, long slow) {
        if (begun.successes > 0 && begun.probes - failed < begun.successes) {
            return true;
        }
        if (begun.inARow > 0 && begun.successes == 0) {
            return failed > 0;
        }
        return (begun.successes == 0 && failed / (double) begun.probes >= begun.failureRate)
                || (begun.slowRate > 0 && slow / (double) begun.probes >= begun.slowRate);
    }

    private boolean isTooBad(int minimum) {
        List<Outcome> window = window();
        if (settings.inARow > 0) {
            return window.size() >= settings.inARow;
        }
        return window.size() >= minimum
                && (failed(window) / (double) window.size() >= settings.failureRate
                        || (settings.slowRate > 0 && slow(window) / (double) window.size() >= settings.slowRate));
    }

    /** The outcomes that count now. */
    private List<Outcome> window() {
        if (settings.inARow > 0) {
            int first = outcomes.size();
            while (first > 0 && outcomes.get(first - 1).failed) {
                first--;
            }
            return outcomes.subList(first, outcomes.size());
        }
        if (settings.count > 0) {
            return outcomes.subList(Math.max(0, outcomes.size() - settings.count), outcomes.size());
        }
        long width = width();
        long buckets = settings.timeNanos / width;
        long bucket = (now - since) / width;
        return outcomes.stream()
                .filter(outcome -> (outcome.end - since) / width > bucket - buckets)
                .toList();
    }

    private long width() {
        for (long decade = 1; ; decade *= 10) {
            for (long width : new long[] {decade, 2 * decade, 5 * decade}) {
                if (settings.timeNanos / width <= 64) {
                    return width;
                }
            }
        }
    }

    private void open(long at, long hint) {
        List<Outcome> evidence = counted();
        reopenings++;
        double exact = settings.openNanos * Math.pow(settings.multiplier, reopenings);
        long grown = exact >= settings.openCapNanos ? settings.openCapNanos : (long) exact;
        openNanos = settings.jitter > 0 ? grown - (long) (grown * settings.jitter * random.nextDouble()) : grown;
        if (hint > 0 && settings.hintCapNanos > 0) {
            openNanos = Math.max(openNanos, Math.min(hint, settings.hintCapNanos));
        }
        move(State.OPEN, at);
        opener = evidence;
    }

    private void move(State to, long at) {
        if (state != to) {
            changes.add(state + " " + to);
        }
        state = to;
        begun = settings;
        rampAsked = 0;
        since = at;
        epoch++;
        outcomes = new ArrayList<>();
        opener = List.of();
        leased.clear();
    }

    private List<Outcome> counted() {
        return state == State.CLOSED || state == State.OBSERVE_ONLY || state == State.RAMPING
                ? List.copyOf(window())
                : List.copyOf(outcomes);
    }

    CircuitBreaker.Snapshot snapshot() {
        catchUp();
        List<Outcome> counted = state == State.OPEN ? opener : counted();
        // A run of failures does not say which of them were slow.
        return new CircuitBreaker.Snapshot(state, counted.size(), failed(counted), slow(counted), now - since);
    }

    @Override
    public String toString() {
        return state + " for " + (now - since) + " of " + openNanos + ", " + leased.size() + " leased, " + counted();
    }

    long openLeft() {
        return Math.max(0, openNanos - (now - since));
    }

    private static long failed(List<Outcome> outcomes) {
        return outcomes.stream().filter(Outcome::failed).count();
    }

    private static long slow(List<Outcome> outcomes) {
        return outcomes.stream().filter(Outcome::slow).count();
    }
}
