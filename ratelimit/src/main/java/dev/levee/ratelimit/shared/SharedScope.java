package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Measured;
import dev.levee.core.NanoClock;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the keys of a shared limiter have in common: name, limit, settings, counts. Thread-safe. */
final class SharedScope {
    private static final Logger LOG = LoggerFactory.getLogger(SharedLimits.class);
    private static final List<String> ADMITTED = List.of("admitted");
    private static final List<String> REFUSED = List.of("refused");

    final String name;
    final SharedLimiterConfig config;
    final StoreLink link;
    final Environment environment;
    final NanoClock clock;
    final long periodNanos;
    private final Listener listener;
    private final @Nullable LongAdder admitted;
    private final LongAdder refused = new LongAdder();
    private final LongAdder conflicts = new LongAdder();

    /** Permits that were taken ahead and not used in time. */
    final LongAdder lapsed = new LongAdder();

    /** What was admitted by the outage policy. */
    final LongAdder unasked = new LongAdder();

    private final ReentrantLock changes = new ReentrantLock();
    private volatile SharedPlan plan;
    private final AtomicReference<@Nullable QuotaTerms> loggedConflict = new AtomicReference<>();
    private final WarnedSubjects failedKeys = new WarnedSubjects();
    private final WarnedSubjects recoveredKeys = new WarnedSubjects();

    SharedScope(String name, SharedLimiterConfig config, StoreLink link) {
        this.name = name;
        this.config = config;
        this.link = link;
        environment = link.environment;
        clock = environment.clock();
        listener = environment.listener();
        periodNanos = Nanos.of(config.period());
        admitted = config.totals() ? new LongAdder() : null;
        SharedPlan first = SharedPlan.of(config);
        link.check(first);
        plan = first;
    }

    SharedPlan plan() {
        return plan;
    }

    /** Lays down another limit, with the next revision. */
    void reconfigure(Limit limit) {
        changes.lock();
        try {
            SharedPlan next = SharedPlan.of(config, limit, plan.terms.revision() + 1);
            link.check(next);
            plan = next;
        } finally {
            changes.unlock();
        }
    }

    /** Takes over terms that another process has laid down, if they are of a higher revision. */
    void adopt(QuotaTerms other) {
        changes.lock();
        try {
            if (other.revision() <= plan.terms.revision()) {
                return;
            }
            plan = plan.adopt(other);
        } finally {
            changes.unlock();
        }
        SafeLog.info(
                LOG,
                "limiter \"{}\": another process has set {}, revision {}, which applies from now on",
                name,
                plan.limit,
                other.revision());
    }

    /** Notes that processes contradict each other. */
    void conflict(QuotaTerms own, @Nullable QuotaTerms other) {
        conflicts.increment();
        if (other != null && !other.equals(loggedConflict.getAndSet(other))) {
            SafeLog.warn(
                    LOG,
                    "limiter \"{}\": this process has set {} (leases of {}, revision {}), and another one {} (leases of"
                            + " {}, same revision). Give both the same, or the newer one a higher revision. Until then"
                            + " this process goes by its outage policy: {}",
                    name,
                    own.limit(),
                    Nanos.text(own.lifeNanos()),
                    own.revision(),
                    other.limit(),
                    Nanos.text(other.lifeNanos()),
                    config.onOutage());
        }
    }

    void conflictEnded() {
        if (loggedConflict.getAndSet(null) != null) {
            SafeLog.info(LOG, "limiter \"{}\": processes agree about the limit again", name);
        }
    }

    /** Notes that the store cannot decide about a key. */
    void failed(String key, RuntimeException why) {
        if (failedKeys.add(key)) {
            SafeLog.warn(
                    LOG,
                    "limiter \"{}\": the store cannot decide about key \"{}\" ({}); until it can, that key goes by the"
                            + " outage policy: {}",
                    name,
                    Text.printable(key),
                    Text.ofThrown(why),
                    config.onOutage());
        }
    }

    void failureEnded(String key) {
        if (recoveredKeys.add(key)) { // once, as the failure: a key may fail again and again
            SafeLog.info(LOG, "limiter \"{}\": the store decides about key \"{}\" again", name, Text.printable(key));
        }
    }

    /** Counts a call. */
    void count(boolean wasAdmitted) {
        LongAdder counted = admitted;
        if (counted != null) {
            (wasAdmitted ? counted : refused).increment();
        }
    }

    /** Counts a call that was refused, and publishes it. */
    void refused() {
        count(false);
        if (listener != Listener.NONE) {
            listener.onRefused(Policy.Kind.LIMITER, name);
        }
    }

    /** Returns what a reason of a store says, which may be one of a user. */
    private static String text(RuntimeException failure) {
        try {
            String message = failure.getMessage();
            return message == null ? Text.ofThrown(failure) : Text.printable(message);
        } catch (Throwable ofItsMethods) {
            return Text.ofThrown(failure);
        }
    }

    /**
     * Makes a refusal.
     *
     * @param failure why the store cannot decide about the key; null if it can
     */
    RateLimitedException refusal(long permits, long waitNanos, @Nullable RuntimeException failure) {
        SharedPlan now = plan();
        String when = permits > now.capacity
                ? " at once are more than it ever has; it can give " + now.capacity
                : " would be there in "
                        + (waitNanos < RateLimiter.NEVER ? Nanos.text(waitNanos) : "more than 146 years");
        String message = "limiter \"" + name + "\" has no permit: " + now.limit + ", shared; " + permits + when
                + (link.isOut() ? "; the store does not answer" : failure == null ? "" : "; " + text(failure))
                + (link.isOut() || failure != null ? ", and the outage policy is " + config.onOutage() : "");
        return RateLimitedException.of(name, message, () -> waitNanos, false);
    }

    void measure(Measured.Sink sink, double held) {
        sink.value(name, SharedLimiterMetrics.LIMITER_PERMITS_HELD, held);
        sink.value(name, SharedLimiterMetrics.LIMITER_PERMITS_LAPSED, (double) lapsed.sum());
        sink.value(name, SharedLimiterMetrics.LIMITER_PERMITS_UNASKED, (double) unasked.sum());
        sink.value(name, SharedLimiterMetrics.LIMITER_CONFLICTS, (double) conflicts.sum());
        LongAdder counted = admitted;
        if (counted != null) {
            sink.value(name, LimiterMetrics.LIMITER_CALLS, ADMITTED, (double) counted.sum());
            sink.value(name, LimiterMetrics.LIMITER_CALLS, REFUSED, (double) refused.sum());
        }
    }
}
