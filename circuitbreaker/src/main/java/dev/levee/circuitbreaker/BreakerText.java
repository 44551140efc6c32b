package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.internal.Nanos;

/** The texts of a breaker: what it prints of itself, and durations in reasons. */
final class BreakerText {
    private BreakerText() {}

    /** Returns how a breaker is named in texts: its kind and its name in quotes. */
    static String subject(String name) {
        return "breaker \"" + name + '"';
    }

    /** Describes a breaker in one line. Makes no change of state, so that a debugger makes none. */
    static String describe(String name, Epoch epoch, long nowNanos) {
        Counts tally = epoch.tally(nowNanos);
        StringBuilder text = new StringBuilder(subject(name)).append(' ').append(epoch.state);
        if (epoch.ramp != null) {
            text.append(" at ").append(Counts.percent(epoch.ramp.share(nowNanos - epoch.change.atNanos())));
        }
        if (epoch.window != null || tally.calls() > 0) {
            appendCounts(text, epoch, tally);
        }
        if (epoch.probes != null) {
            text.append(", ")
                    .append(epoch.probes.held())
                    .append(" of ")
                    .append(epoch.probes.permits())
                    .append(" probes in flight");
        }
        if (epoch.refusal != null && (epoch.state == State.OPEN || (epoch.isOpen() && epoch.nanos != Nanos.NEVER))) {
            appendOpenTime(text, epoch.refusal.retryAfterNanos());
        }
        return text.toString();
    }

    private static void appendCounts(StringBuilder text, Epoch epoch, Counts tally) {
        text.append(' ')
                .append(tally.failures())
                .append('/')
                .append(tally.calls())
                .append(" failed");
        if (epoch.config.windowRules().hasSlowRule()) {
            text.append(", ").append(tally.slow()).append(" slow");
        }
    }

    private static void appendOpenTime(StringBuilder text, long leftNanos) {
        if (leftNanos == 0) {
            text.append(", probes are due");
        } else if (leftNanos == Nanos.NEVER) {
            text.append(", for ever");
        } else {
            text.append(", probes in ").append(readable(leftNanos));
        }
    }

    /** Returns a duration, rounded up; in seconds from 10 of them on or if it is a whole number of them, else in ms. */
    static String readable(long nanos) {
        long millis = (nanos + 999_999) / 1_000_000;
        return millis < 10_000 && millis % 1_000 != 0 ? millis + " ms" : (millis + 999) / 1_000 + " s";
    }
}
