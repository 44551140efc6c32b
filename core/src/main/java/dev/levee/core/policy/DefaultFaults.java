package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Timers;
import dev.levee.core.internal.Unchecked;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link Faults}. The time from switching on to switching off is a {@link FaultSession}. See ADR
 * 30.
 */
final class DefaultFaults implements Faults, FitsStackRoom {
    private static final Logger LOG = LoggerFactory.getLogger(Faults.class);

    final Timers timers;
    private final String name;
    private final long seed;
    private final Environment environment;
    private final Fault[] faults;
    private final AtomicReference<@Nullable FaultSession> session = new AtomicReference<>();
    private final Map<Fault.Effect, Hits> hits = new EnumMap<>(Fault.Effect.class);

    DefaultFaults(String name, long seed, Environment environment, Fault... faults) {
        this.name = Require.name(name);
        this.seed = seed;
        this.environment = Require.nonNull("environment", environment);
        this.timers = SchedulerTimers.of(environment);
        this.faults = faults;
        for (Fault.Effect effect : Fault.Effect.values()) {
            hits.put(effect, new Hits(effect));
        }
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        FaultSession on = current();
        if (on == null) {
            return inner.call(operation);
        }
        FaultPlan plan = on.plan();
        if (plan.waits() && !on.await(plan, this, operation)) {
            return inner.call(operation); // switched off meanwhile
        }
        if (plan.fault() == null || plan.hangs()) {
            return inner.call(operation);
        }
        return this.<T, X>answer(plan.fault());
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        FaultSession on = current();
        if (on == null) {
            return inner.callAsync(operation);
        }
        FaultPlan plan = on.plan();
        if (plan.waits()) {
            return new DelayedCall<T>(this, on, plan, inner, operation).begin();
        }
        return go(plan.fault(), inner, operation);
    }

    <T extends @Nullable Object> CompletableFuture<T> go(
            @Nullable Fault fault, Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        if (fault == null) {
            return inner.callAsync(operation);
        }
        try {
            return CompletableFuture.completedFuture(this.<T, RuntimeException>answer(fault));
        } catch (Throwable thrown) {
            return CompletableFuture.failedFuture(thrown);
        }
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"}) // the types are the user's promise
    private <T extends @Nullable Object, X extends Throwable> T answer(Fault fault) throws X {
        Object made = fault.answer();
        if (fault.effect() == Fault.Effect.FAILURE) {
            throw Unchecked.<X>asDeclared((Throwable) Require.nonNull("failure", made));
        }
        return (T) made;
    }

    private @Nullable FaultSession current() {
        FaultSession on = session.get();
        if (on != null && on.isOver()) {
            end(on);
            return null;
        }
        return on;
    }

    void hit(Fault fault) {
        hits.computeIfAbsent(fault.effect(), Hits::new).count.increment();
    }

    /** Whether a fault hits a call. A call whose key cannot be determined is not hit. */
    boolean hits(Fault fault, double drawn, long sinceOn) {
        try {
            return fault.hits(drawn, sinceOn);
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "faults \"{}\": the key of a fault threw; the call is not hit", name, thrown);
            return false;
        }
    }

    Fault[] faults() {
        return faults;
    }

    @Override
    public void switchOn() {
        begin(Nanos.NEVER);
    }

    @Override
    public void switchOn(Duration atMost) {
        begin(Nanos.of(Require.positive("atMost", atMost)));
    }

    private void begin(long lengthNanos) {
        FaultSession before = session.getAndSet(
                new FaultSession(this, seed, environment.clock().nanoTime(), lengthNanos));
        if (before != null) {
            before.end();
            return;
        }
        SafeLog.warn(
                LOG,
                "faults \"{}\" are ON: calls fail on purpose{} ({})",
                name,
                lengthNanos == Nanos.NEVER ? "" : ", for at most " + Nanos.text(lengthNanos),
                Arrays.toString(faults));
        environment.listener().onStateChange(kind(), name, "OFF", "ON");
    }

    @Override
    public void switchOff() {
        FaultSession on = session.get();
        while (on != null && !end(on)) {
            on = session.get();
        }
    }

    /** Ends a session. The thread that is first logs and publishes it, and gets true. */
    boolean end(FaultSession on) {
        if (!session.compareAndSet(on, null)) {
            return false;
        }
        on.end();
        SafeLog.info(LOG, "faults \"{}\" are off", name);
        environment.listener().onStateChange(kind(), name, "ON", "OFF");
        return true;
    }

    @Override
    public boolean isOn() {
        return current() != null;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).policy(this);
        FaultSession on = current();
        sink.value(name, PolicyMetrics.FAULTS_ON, on == null ? 0 : 1);
        hits.forEach((effect, hit) -> sink.value(name, PolicyMetrics.FAULTS, hit.tags, (double) hit.count.sum()));
        sink.value(name, PolicyMetrics.FAULTS_WAITING, on == null ? 0 : on.waiting());
    }

    @Override
    public String toString() {
        return "faults \"" + name + (isOn() ? "\" ON" : "\" off");
    }

    /** How many calls an effect has hit. */
    private static final class Hits {
        final List<String> tags;
        final LongAdder count = new LongAdder();

        Hits(Fault.Effect effect) {
            tags = List.of(effect.label());
        }
    }
}
